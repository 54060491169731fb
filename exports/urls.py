"""Addresses of the exports' pages and of the health pages."""

from __future__ import annotations

from django.urls import path

from exports import choice_views, health, kept_views, key_views, metrics, views

app_name = "exports"
urlpatterns = [
    path("exports/", views.mine, name="mine"),
    path("exports/<uuid:job_id>/card/", views.card, name="card"),
    path("exports/<uuid:job_id>/cancel/", views.cancel, name="cancel"),
    path("exports/<uuid:job_id>/retry/", views.retry, name="retry"),
    path("exports/<uuid:job_id>/delete/", views.delete, name="delete"),
    path("exports/settings/", kept_views.told, name="settings"),
    path("accounts/keys/", key_views.mine, name="keys"),
    path("accounts/keys/<int:key_id>/revoke/", key_views.revoke, name="revoke_key"),
    path("language/", kept_views.language, name="language"),
    path("projects/<uuid:project_id>/export/", choice_views.new, name="new"),
    path("projects/<uuid:project_id>/export/fields/", choice_views.fields, name="fields"),
    path("projects/<uuid:project_id>/export/preview/", choice_views.overlay_preview, name="preview"),
    path("projects/<uuid:project_id>/export/presets/new/", kept_views.name_preset, name="name_preset"),
    path("projects/<uuid:project_id>/export/presets/", kept_views.save_preset, name="save_preset"),
    path(
        "projects/<uuid:project_id>/export/presets/<uuid:preset_id>/delete/",
        kept_views.delete_preset,
        name="delete_preset",
    ),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics.metrics, name="metrics"),
]

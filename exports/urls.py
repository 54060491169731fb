"""Addresses of the exports' pages and of the health pages."""

from __future__ import annotations

from django.urls import path

from exports import health, views

app_name = "exports"
urlpatterns = [
    path("exports/", views.mine, name="mine"),
    path("exports/<uuid:job_id>/card/", views.card, name="card"),
    path("exports/<uuid:job_id>/cancel/", views.cancel, name="cancel"),
    path("exports/<uuid:job_id>/retry/", views.retry, name="retry"),
    path("exports/<uuid:job_id>/delete/", views.delete, name="delete"),
    path("projects/<uuid:project_id>/export/", views.new, name="new"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
]

"""Addresses of the projects' pages."""

from __future__ import annotations

from django.urls import path

from projects import views

app_name = "projects"
urlpatterns = [
    path("", views.index, name="index"),
    path("projects/<uuid:project_id>/", views.detail, name="detail"),
    path("projects/<uuid:project_id>/images/<uuid:image_id>/", views.image, name="image"),
    path("projects/<uuid:project_id>/images/<uuid:image_id>/file", views.file, name="file"),
    path("projects/<uuid:project_id>/images/<uuid:image_id>/thumbnail", views.thumbnail, name="thumbnail"),
    path("projects/<uuid:project_id>/images/<uuid:image_id>/outlines.svg", views.outlines, name="outlines"),
]

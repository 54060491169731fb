"""The site's table of contents, HTTP."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from config.api import api
from config.contact import security
from config.languages import words
from config.on_site import on_site
from exports.admin.overview import overview

admin.site.site_header = admin.site.site_title = "Cell Segmentation Hub"

urlpatterns = [
    path("", include("projects.urls")),
    path("", include("exports.urls")),
    path("api/", api.urls),
    path("language/<str:language>.js", words, name="words"),
    path(".well-known/security.txt", security, name="security"),
    path("accounts/", include("config.accounts")),
    path("admin/overview/", admin.site.admin_view(overview), name="overview"),
    path("admin/rq/", include("config.dashboard")),
    path("admin/r/<int:content_type_id>/<path:object_id>/", admin.site.admin_view(on_site)),
    path("admin/", admin.site.urls),
]

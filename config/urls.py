"""The site's table of contents, HTTP."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from config.api import api
from config.languages import words

urlpatterns = [
    path("", include("projects.urls")),
    path("", include("exports.urls")),
    path("api/", api.urls),
    path("language/<str:language>.js", words, name="words"),
    path("accounts/", include("django.contrib.auth.urls")),
    path("admin/", admin.site.urls),
]

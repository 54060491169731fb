"""A look at images."""

from __future__ import annotations

from django.contrib import admin

from projects.admin.reading import FirstOnes, ReadOnly
from projects.models import Image


@admin.register(Image)
class ImageAdmin(ReadOnly, admin.ModelAdmin[Image]):
    list_display = ("name", "project", "width", "height", "size", "created_at", "removed_at")
    list_select_related = ("project",)
    search_fields = ("=id", "name", "project__name")
    exclude = ("file", "segmentation")
    paginator = FirstOnes
    show_full_result_count = False

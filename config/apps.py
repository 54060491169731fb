from __future__ import annotations

from django.apps import AppConfig


class SiteConfig(AppConfig):
    """Holds the `up` command."""

    name = "config"

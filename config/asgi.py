"""The site's table of contents, HTTP and WebSocket."""

from __future__ import annotations

import os

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.urls import path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
http = get_asgi_application()  # before anything that needs the applications loaded

from config.origins import OwnPages  # noqa: E402
from exports.consumers import ExportStream  # noqa: E402

# The stubs of Django's path know of views only.
sockets = URLRouter([path("ws/exports/", ExportStream.as_asgi())])  # type: ignore[arg-type,list-item]
application = ProtocolTypeRouter({"http": http, "websocket": OwnPages(AuthMiddlewareStack(sockets))})

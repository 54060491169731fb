"""What browsers are told about every answer, so that a fault in a page is no way in. docs/SECURITY.md explains it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from csp.constants import HEADER, NONE, SELF
from django.http import HttpRequest, HttpResponse
from django.utils.deprecation import MiddlewareMixin

Arguments = ParamSpec("Arguments")
View = Callable[Concatenate[HttpRequest, Arguments], HttpResponse]

POLICY: dict[str, Any] = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        # data: the ring of progress in the tab, and the arrows of the API's page; blob: the preview of a drawing.
        "img-src": [SELF, "data:", "blob:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "object-src": [NONE],
    }
}
OF_A_PICTURE = "default-src 'none'; frame-ancestors 'none'; sandbox"
"""Opened on its own it can run nothing, whatever its bytes are taken for."""

_UNUSED = (
    *("accelerometer", "autoplay", "camera", "display-capture", "fullscreen", "geolocation"),
    *("gyroscope", "hid", "magnetometer", "microphone", "midi", "payment", "serial", "usb"),
)
_ALWAYS = {
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in _UNUSED),
    "Cross-Origin-Resource-Policy": "same-origin",
}


class HeadersMiddleware(MiddlewareMixin):
    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        for name, value in _ALWAYS.items():
            response.headers.setdefault(name, value)
        return response


def as_picture(view: View[Arguments]) -> View[Arguments]:
    """For views that answer with what somebody has uploaded, or with something drawn from it."""

    @wraps(view)
    def answer(request: HttpRequest, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> HttpResponse:
        response = view(request, *args, **kwargs)
        response[HEADER] = OF_A_PICTURE
        return response

    return answer

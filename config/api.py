"""The API object: its routers, its way to say no, its documentation."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from typing import Any

import orjson
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed
from django.urls import URLPattern, URLResolver, re_path
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation
from ninja.renderers import BaseRenderer
from pydantic.alias_generators import to_camel

from config import openapi, problems
from config.authentication import EXPORTING
from config.requests import StrictParser, conditional
from config.throttling import Throttle, limited
from exports.api import router as exports_router
from exports.api_choices import router as choices_router
from exports.api_stream import router as stream_router
from exports.examples import EXAMPLES
from projects.api import router as projects_router


class Renderer(BaseRenderer):
    """RFC 3339 in UTC with microseconds; Django's own encoder cuts them off."""

    media_type = "application/json"

    def render(self, request: HttpRequest, data: Any, *, response_status: int) -> bytes:
        return orjson.dumps(data, option=orjson.OPT_UTC_Z)


class Api(NinjaAPI):
    """Says no as a problem document even where no API function is reached."""

    @property
    def urls(self) -> tuple[list[URLResolver | URLPattern], str, str]:
        patterns, application, namespace = super().urls
        own = [pattern for pattern in patterns if isinstance(pattern, URLPattern)]
        spoken = [URLPattern(each.pattern, self._spoken(each.callback), None, each.name) for each in own]
        return [*spoken, re_path("", self._spoken(_unknown))], application, namespace

    def create_temporal_response(self, request: HttpRequest) -> HttpResponse:
        """What one user is told is for no shared cache."""
        response = super().create_temporal_response(request)
        response["Cache-Control"] = "private, no-cache"
        return response

    def get_openapi_operation_id(self, operation: Operation) -> str:
        return to_camel(operation.view_func.__name__)

    def get_openapi_schema(self, **chosen: Any) -> OpenAPISchema:
        schema = super().get_openapi_schema(**chosen)
        openapi.complete(schema, EXAMPLES)
        return schema

    def _spoken(self, view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        def answer(request: HttpRequest, *arguments: Any, **named: Any) -> HttpResponseBase:
            return limited(
                request, lambda: self._answered(request, partial(view, request, *arguments, **named))
            )

        answer.csrf_exempt = True  # type: ignore[attr-defined]  # config.authentication checks it
        return answer

    def _answered(self, request: HttpRequest, view: Callable[[], HttpResponseBase]) -> HttpResponseBase:
        try:
            response = view()
        except Http404 as error:
            return self.on_exception(request, error)
        if isinstance(response, HttpResponseNotAllowed):
            return problems.not_allowed(", ".join(sorted(response["Allow"].split(", "))))
        return conditional(request, response)


def _unknown(_request: HttpRequest, **_rest: object) -> HttpResponseBase:
    raise Http404


api = Api(
    title="Cell Segmentation Hub: exports",
    version=settings.VERSION,
    description="Errors are `application/problem+json`; `code` is stable. See docs/API.md.",
    urls_namespace="api",
    auth=EXPORTING,
    throttle=Throttle(),
    renderer=Renderer(),
    parser=StrictParser(),
)
problems.register(api)
api.add_router("", projects_router, tags=["projects"])
api.add_router("", exports_router, tags=["exports"])
api.add_router("", choices_router, tags=["choices"])
api.add_router("", stream_router, tags=["exports"])

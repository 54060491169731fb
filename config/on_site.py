"""Where the administration's “View on site” leads."""

from __future__ import annotations

from django.contrib.contenttypes.models import ContentType
from django.contrib.contenttypes.views import shortcut
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404


def on_site(request: HttpRequest, content_type_id: int, object_id: str) -> HttpResponseBase:
    """Raise Http404 also where Django's own view fails: of a model that has no table, or an id that can be none."""
    kind = get_object_or_404(ContentType, pk=content_type_id)
    if not hasattr(kind.model_class(), "get_absolute_url"):
        raise Http404
    try:
        return shortcut(request, content_type_id, object_id)
    except ValidationError:
        raise Http404 from None

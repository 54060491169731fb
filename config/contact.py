"""Where to write about a hole in this hub: /.well-known/security.txt (RFC 9116), when its operators say so."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

GOOD_FOR = timedelta(days=90)
_KINDS = ("mailto:", "https://", "tel:")


def checked(contact: str) -> str:
    """Raise ImproperlyConfigured."""
    if contact and (not contact.startswith(_KINDS) or len(contact.split()) != 1):
        raise ImproperlyConfigured(
            "SECURITY_CONTACT must be an address such as mailto:security@example.org or https://example.org/report."
        )
    return contact


@require_safe
@never_cache
def security(_request: HttpRequest) -> HttpResponse:
    """Raise Http404 when nobody is named."""
    if not settings.SECURITY_CONTACT:
        raise Http404
    expires = (timezone.now() + GOOD_FOR).strftime("%Y-%m-%dT%H:%M:%SZ")
    lines = [f"Contact: {settings.SECURITY_CONTACT}", f"Expires: {expires}"]
    if settings.SITE_URL:
        lines.append(f"Canonical: {settings.SITE_URL}/.well-known/security.txt")
    return HttpResponse("".join(f"{line}\n" for line in lines), content_type="text/plain; charset=utf-8")

"""Calls of the API in tests."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.test import Client

from exports import tokens
from exports.models import ApiToken, ExportJob, KeyScope


def client_for(user: User | None) -> Client:
    client = Client()
    if user is not None:
        client.force_login(user)
    return client


def key_of(user: User, text: str = "secret", scope: str = KeyScope.EXPORT) -> str:
    """Make `text` a key of theirs for programs, which never expires."""
    ApiToken.objects.create(user=user, name=f"Key {text}"[:80], scope=scope, digest=tokens.digest(text))
    return text


def call(user: User | None, method: str, url: str, body: object = None, **headers: str) -> Any:
    """The response to `METHOD url` with a JSON body; header names are written with underscores."""
    content = "" if body is None else json.dumps(body)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client_for(user).generic(method, url, content, content_type="application/json", headers=named)


def exports_url(project_id: UUID) -> str:
    return f"/api/projects/{project_id}/export"


def job_url(job: ExportJob, action: str = "") -> str:
    url = f"{exports_url(job.project_id)}/{job.pk}"
    return f"{url}/{action}" if action else url

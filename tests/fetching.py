"""Downloads in tests: a body that streams is read as the server would, asynchronously."""

from __future__ import annotations

from typing import Any

from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.test import AsyncClient


def fetch(user: User | None, url: str, method: str = "get", **headers: str) -> tuple[Any, bytes]:
    """The response and its whole body. Header names are written with underscores."""
    client = AsyncClient()
    if user is not None:
        client.force_login(user)
    return async_to_sync(_read)(client, method, url, headers)


async def _read(client: AsyncClient, method: str, url: str, headers: dict[str, str]) -> tuple[Any, bytes]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    response = await getattr(client, method)(url, headers=named)
    if not response.streaming:
        return response, response.content
    return response, b"".join([chunk async for chunk in response])

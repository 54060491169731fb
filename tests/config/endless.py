"""An ASGI application with one long body, and a page that says how much of it was taken from the application."""

from __future__ import annotations

from typing import Any

CHUNKS, CHUNK, END = 300, bytes(1 << 20), 1
taken = 0


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    global taken
    if scope["type"] != "http":
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    if scope["path"] == "/long":
        for _ in range(CHUNKS):
            await send({"type": "http.response.body", "body": CHUNK, "more_body": True})
            taken += 1
    await send({"type": "http.response.body", "body": str(taken).encode()})
    taken += END if scope["path"] == "/long" else 0

"""The few shapes that our JSON Schemas are made of."""

from __future__ import annotations

from typing import Any


def exactly(**properties: Any) -> dict[str, Any]:
    """An object with exactly these properties."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def some_of(**properties: Any) -> dict[str, Any]:
    """An object with some of these properties and no others."""
    return {"type": "object", "properties": properties, "additionalProperties": False}

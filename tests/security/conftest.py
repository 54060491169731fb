"""What tests of rights share."""

from __future__ import annotations

from typing import Any

import pytest
from limits import parse

from tests.security.rights.stage import Stage, made


@pytest.fixture
def stage(db: None, settings: Any) -> Stage:
    for each in ("API_RATE_LIMIT", "API_WRITE_RATE_LIMIT", "API_ANONYMOUS_RATE_LIMIT"):
        setattr(settings, each, parse("1000000/minute"))
    return made()

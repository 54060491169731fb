"""One measurement in a process of its own: `python -m bench.child SIDE SIZE`, the outcome as JSON on stdout.

The environment names the database and the store; `make` fills them.
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
from importlib import import_module
from pathlib import Path

import django
import orjson

from bench.sizes import SIZES, Size


def main(side: str, size: Size) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    if side == "make":
        _make(size)
        return
    from django.conf import settings

    from projects.models import Project

    with tempfile.TemporaryDirectory(dir=settings.DATA_DIR) as folder:
        outcome = import_module(f"bench.{side}").export(Project.objects.get(name=size.name), Path(folder))
    outcome.max_rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    sys.stdout.write(orjson.dumps(outcome.as_json()).decode())


def _make(size: Size) -> None:
    from django.contrib.auth.models import User
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    User.objects.get_or_create(username="bench")
    call_command(
        "make_project",
        size.name,
        owner="bench",
        images=size.images,
        size=size.pixels,
        polygons=size.objects,
        verbosity=0,
        stdout=sys.stderr,
    )


if __name__ == "__main__":
    main(sys.argv[1], SIZES[sys.argv[2]])

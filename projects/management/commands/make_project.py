"""A synthetic project, for benchmarks and load."""

from __future__ import annotations

import argparse
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from projects import synthetic
from projects.models import Project

LARGEST_SIZE = 32_768


class Command(BaseCommand):
    help = "Makes a project of synthetic images with outlined objects; the same seed makes the same content."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--owner", required=True, metavar="USER", help="an existing user")
        parser.add_argument("--images", required=True, type=_positive)
        parser.add_argument("--size", required=True, type=_positive, metavar="PX", help="width and height")
        parser.add_argument("--polygons", required=True, type=_count, help="objects an image")
        parser.add_argument(
            "--holes", default=3.0, type=_percent, metavar="PCT", help="objects with a hole, %%"
        )
        parser.add_argument("--seed", default=0, type=_count)

    def handle(
        self, *args: Any, name: str, owner: str, images: int, size: int, polygons: int, **options: Any
    ) -> None:
        longest = Project._meta.get_field("name").max_length or 0
        if not 0 < len(name) <= longest:
            raise CommandError(f"The name of a project has 1 to {longest} characters.")
        if size > LARGEST_SIZE:
            raise CommandError(f"An image is at most {LARGEST_SIZE:,} pixels wide.")

        def tell(done: int) -> None:
            if options["verbosity"]:
                self.stdout.write(f"{done:,} of {images:,} images.")

        project = synthetic.create(
            name, _user(owner), images, size, polygons, options["holes"], options["seed"], tell
        )
        self.stdout.write(f"Project {project.pk} is ready.")


def _user(name: str) -> User:
    try:
        return User.objects.get(username=name)
    except User.DoesNotExist:
        raise CommandError(f"There is no user {name!r}.") from None


def _positive(text: str) -> int:
    return _at_least(1, text)


def _count(text: str) -> int:
    return _at_least(0, text)


def _percent(text: str) -> float:
    try:
        percent = float(text)
    except ValueError:
        percent = -1
    if not 0 <= percent <= 100:
        raise argparse.ArgumentTypeError(f"must be from 0 to 100, not {text!r}.")
    return percent


def _at_least(least: int, text: str) -> int:
    if not text.isdecimal() or int(text) < least:
        raise argparse.ArgumentTypeError(f"must be a whole number of {least} or more, not {text!r}.")
    return int(text)

"""`manage.py create_api_token USER`: a key for programs, shown once."""

from __future__ import annotations

import secrets
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from exports import tokens
from exports.models import ApiToken


class Command(BaseCommand):
    help = "Make a key for programs, shown once: `Authorization: Bearer KEY`."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", help="the user's name")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["user"], is_active=True).first()
        if user is None:
            raise CommandError(f"There is no active user named {options['user']}.")
        key = secrets.token_urlsafe(32)
        ApiToken.objects.create(user=user, digest=tokens.digest(key))
        self.stdout.write(key)

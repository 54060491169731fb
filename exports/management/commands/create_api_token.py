"""`manage.py create_api_token USER`: a key for programs, shown once."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from exports import keys
from exports.exceptions import InvalidOptions
from exports.models import KeyScope

NEVER = "never"


class Command(BaseCommand):
    help = "Make a key for programs, shown once: `Authorization: Bearer KEY`."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", help="the user's name")
        parser.add_argument("--name", help="to recognise it by; Key 1 and so on unless given")
        parser.add_argument("--scope", choices=KeyScope.values, default=KeyScope.EXPORT.value)
        parser.add_argument(
            "--expires-in", choices=[*map(str, keys.DAYS), NEVER], default=NEVER, help="days from now"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["user"], is_active=True).first()
        if user is None:
            raise CommandError(f"There is no active user named {options['user']}.")
        days = None if options["expires_in"] == NEVER else int(options["expires_in"])
        try:
            _, text = keys.create(user, keys.Wanted(options["name"], options["scope"], days))
        except InvalidOptions as refusal:
            raise CommandError(refusal.sentence) from refusal
        self.stdout.write(text)

from __future__ import annotations

from dataclasses import asdict
from threading import Event
from typing import Any

import structlog
from django.core.management.base import BaseCommand, CommandParser
from django.db import Error as DatabaseFault
from django.db import connection

from exports import mail
from exports.sweep import sweep

log = structlog.get_logger(__name__)


class Command(BaseCommand):
    help = "One pass of what the scheduler repeats: ring again, requeue, time out, clean, expire."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--repeat", type=float, metavar="SECONDS", help="go on for ever, with this pause")

    def handle(self, *_args: Any, repeat: float | None, **_options: Any) -> None:
        if repeat is None:
            done = ", ".join(f"{name} {count}" for name, count in asdict(sweep()).items())
            mail.finish()
            self.stdout.write(f"Swept: {done}.")
            return
        while True:
            self._pass()
            Event().wait(repeat)

    def _pass(self) -> None:
        """The database may be away: the next pass tries again."""
        try:
            sweep()
        except DatabaseFault as error:
            log.warning("sweep_failed", error=str(error))
            connection.close()

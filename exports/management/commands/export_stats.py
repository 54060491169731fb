"""`manage.py export_stats`: what is waiting, running, stuck and orphaned."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from exports import statistics
from exports.sweep import orphans


class Command(BaseCommand):
    help = "Count exports by status, stuck cancellations and orphaned files."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        found = {**asdict(statistics.read()), "orphaned_files": len(orphans())}
        if options["json"]:
            self.stdout.write(json.dumps(found))
            return
        stuck = found.pop("stuck_cancellations")
        for name, value in {**found.pop("by_status"), **found, "stuck_cancellations": len(stuck)}.items():
            self.stdout.write(f"{name.replace('_', ' '):>24}  {value:,.0f}")
        for job_id in stuck:
            self.stdout.write(f"Cancelled, but a file is left: {job_id}")

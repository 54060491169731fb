"""The pages of administrators over a table of very many exports: seconds and queries of each.

`python -m bench.administration 1000000` fills the database of the environment unless it has exports already.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

import django
import orjson

from bench.goals import Goal

if TYPE_CHECKING:
    from django.test import Client

TURNS = 5
LIST = "/admin/exports/exportjob/"
QUERIES = {
    "list": "",
    "page 5": "?p=5",
    "last page": "?p=10",
    "before half of them": "?until={middle}",
    "their last page": "?until={middle}&p=10",
    **{
        f"status {each}": f"?status={each}"
        for each in ("pending", "processing", "completed", "expired", "failed", "cancelled")
    },
    **{f"concern {each}": f"?concern={each}" for each in ("stuck", "abandoned", "forgotten", "overlong")},
    **{f"age {each}": f"?age={each}" for each in ("today", "week", "month", "older")},
    "cancel reason": "?cancel_reason=timeout",
    "error": "?error_code=worker_lost",
    "user": "?user=person-77",
    "users of a word": "?user=person-1",
    "project": "?project=Plate 77 ",
    "projects of a word": "?project=yeast",
    "search: a beginning of an id": "?q={beginning}",
    "search: an id": "?q={id}",
    "search: a user": "?q=person-4711",
    "search: a word of many": "?q=person",
    "search: nothing found": "?q=nothing like this",
    "user, failed, old": "?user=person-77&status=failed&age=older",
    "projects, timeout, error": "?project=yeast&cancel_reason=timeout&error_code=worker_lost",
    "completed, old": "?status=completed&age=older",
    "many users, pending, old": "?q=person&status=pending&age=older",
}


@dataclass(frozen=True)
class Look:
    name: str
    seconds: float
    cpu: float
    queries: int


def in_a_process(environment: dict[str, str], jobs: int) -> list[Look]:
    """In a database of its own server, that of `environment`."""
    command = [sys.executable, "-m", "bench.administration", str(jobs), "--json"]
    # Static files need no manifest then.
    settings = environment | {"DEBUG": "true", "STATEMENT_TIMEOUT_MS": "900000"}
    output = subprocess.run(command, env=settings, stdout=subprocess.PIPE, check=True).stdout
    return [Look(**look) for look in orjson.loads(output)]


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    parser = argparse.ArgumentParser(prog="python -m bench.administration")
    parser.add_argument("jobs", type=int)
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args()
    looks = measured(wanted.jobs)
    print(orjson.dumps([asdict(look) for look in looks]).decode() if wanted.json else table(looks))


def measured(jobs: int) -> list[Look]:
    """Medians; the first answer of each page, which compiles templates, is not among them."""
    from django.core.management import call_command

    from bench import many_jobs
    from exports.models import ExportJob

    call_command("migrate", verbosity=0)
    if not ExportJob.objects.exists():
        many_jobs.fill(jobs)
    client = _administrator()
    return [_look(client, name, address) for name, address in pages()]


def pages() -> Iterator[tuple[str, str]]:
    from exports.models import ExportJob

    newest = ExportJob.objects.order_by("-created_at").values_list("pk", "created_at").first()
    oldest = ExportJob.objects.order_by("created_at").values_list("pk", "created_at").first()
    if not newest or not oldest:
        return
    middle = oldest[1] + (newest[1] - oldest[1]) / 2
    words = {"middle": f"{middle:%Y-%m-%dT%H:%M:%SZ}", "id": oldest[0], "beginning": str(oldest[0])[:4]}
    for name, query in QUERIES.items():
        yield name, f"{LIST}{query}".format(**words)
    yield "one export", f"{LIST}{oldest[0]}/change/"
    yield "one waiting export", f"{LIST}{newest[0]}/change/"
    chosen = "&".join(f"job={each}" for each in _some(1000))
    for action in ("cancel", "retry", "expire", "clean"):
        yield f"question: {action} 1,000", f"{LIST}act/{action}/?{chosen}"
    yield "overview", "/admin/overview/"
    yield "front page", "/admin/"
    yield "projects", "/admin/projects/project/"
    yield "last page of projects", "/admin/projects/project/?p=20"
    yield "memberships", "/admin/projects/membership/"
    yield "RQ's queues", "/admin/rq/"


def _some(count: int) -> list[Any]:
    from exports.models import ExportJob

    return list(ExportJob.objects.order_by("pk").values_list("pk", flat=True)[:count])


def _administrator() -> Client:
    from django.contrib.auth.models import User
    from django.test import Client

    user, _ = User.objects.get_or_create(username="bench-admin", is_staff=True, is_superuser=True)
    client = Client(headers={"host": "localhost", "x-forwarded-proto": "https"})
    client.force_login(user)
    return client


def _look(client: Client, name: str, address: str) -> Look:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as asked:
        answer = client.get(address)
    if answer.status_code != 200:
        raise AssertionError(f"{address}: {answer.status_code}")
    queries = len(asked)  # forgotten with the next request
    costs = [_cost(client, address) for _ in range(TURNS)]
    wall, cpu = (median(each) for each in zip(*costs, strict=True))
    return Look(name, wall, cpu, queries)


def _cost(client: Client, address: str) -> tuple[float, float]:
    """Seconds until the answer, and of this process' CPU: the database's are its own."""
    wall, cpu = time.perf_counter(), time.process_time()
    client.get(address)
    return time.perf_counter() - wall, time.process_time() - cpu


def goal(looks: list[Look]) -> Goal:
    slowest = max(looks, key=lambda look: look.seconds)
    figure = f"slowest page of administrators {1000 * slowest.seconds:.0f} ms ({slowest.name}), limit 1,000"
    return Goal("admin", figure, slowest.seconds < 1)


def table(looks: list[Look]) -> str:
    lines = [
        f"{look.name:<34}{1000 * look.seconds:>8.0f} ms{1000 * look.cpu:>8.0f} ms CPU{look.queries:>4} queries"
        for look in looks
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()

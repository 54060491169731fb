"""What a client does from one start to the next: each function is one such story, told to the end."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.chaos.answers import Job
    from tests.chaos.clients import Client

LONGEST_WAIT_SECONDS = 30.0


def cancel_early(client: Client) -> None:
    if job := client.start():
        client.pause(min(client.random.expovariate(3), 2.0))
        client.cancel(job)


def cancel_at_once(client: Client) -> None:
    if job := client.start():
        client.cancel(job)


def cancel_while_it_is_built(client: Client) -> None:
    job = client.start(is_large=client.random.random() < 0.6)
    if job and client.wait_for(job, "processing", every=0.03) == "processing":
        client.pause(client.random.uniform(0, 0.6))
        client.cancel(job)


def cancel_at_completion(client: Client) -> None:
    job = client.start()
    if job and client.wait_for(job, "completed", every=0.02) == "completed":
        client.cancel(job)


def cancel_after_completion(client: Client) -> None:
    """With a token from before."""
    if job := client.start_and_wait():
        url = client.caller.token(job)
        client.pause(client.random.uniform(0, 0.5))
        client.cancel(job, url)


def cancel_twice_at_once(client: Client) -> None:
    if job := client.start():
        client.pause(client.random.uniform(0, 1))
        client.together(*[lambda: client.cancel(job)] * 3)


def cancel_and_download_at_once(client: Client) -> None:
    if job := client.start_and_wait():
        url = client.caller.token(job)
        contenders = [lambda: client.cancel(job, url), lambda: client.caller.fetch(job)]
        contenders.append(lambda: client.caller.fetch(job, url=url, Range="bytes=0-9") if url else None)
        client.random.shuffle(contenders)
        client.together(*contenders)


def download(client: Client) -> None:
    if job := client.start_and_wait(is_large=client.random.random() < 0.2):
        client.caller.fetch(job, method="HEAD")
        whole = client.caller.fetch(job)
        client.caller.fetch(job, If_None_Match=whole.headers.get("etag", "*"))
        client.cancel(job)


def download_in_parts(client: Client) -> None:
    if job := client.start_and_wait():
        client.caller.fetch_in_parts(job, client.random.randint(2, 5))


def download_with_a_token(client: Client) -> None:
    if (job := client.start_and_wait()) and (url := client.caller.token(job)):
        client.caller.fetch(job, url=url)


def download_from_several_tabs(client: Client) -> None:
    """Each asks for the automatic download the moment that the export is complete."""
    job = client.start()
    if job and client.wait_for(job, "completed", every=0.02) == "completed":
        client.together(*[lambda: client.download_automatically(job)] * 3)


def start_twice_at_once(client: Client) -> None:
    """With one key, or with the same options: one job either way."""
    project, options = client.wish()
    key = client.new_key() if client.random.random() < 0.6 else None
    client.together(*[lambda: client.caller.start(project, options, key)] * client.random.randint(2, 4))
    if job := client.start_as(project, options, key):
        client.pause(client.random.uniform(0, 1))
        client.cancel(job)


def start_more_than_allowed(client: Client) -> None:
    wishes = [client.wish() for _ in range(5)]
    started: list[Job | None] = []
    client.together(*[partial(_start_into, started, client, *wish) for wish in wishes])
    for job in filter(None, started):
        client.cancel(job)


def _start_into(started: list[Job | None], client: Client, project: str, options: dict[str, Any]) -> None:
    started.append(client.start_as(project, options, None))


def try_again(client: Client) -> None:
    if not client.may_start() or not (ended := client.remembered()):
        return
    answer = client.caller.retry(ended)
    if job := client.remember(ended.project, answer):
        client.pause(client.random.uniform(0, 1))
        client.cancel(job)


def delete(client: Client) -> None:
    if job := client.start_and_wait():
        client.together(lambda: client.caller.fetch(job), lambda: client.caller.delete(job))
        client.caller.fetch(job)


def look_around(client: Client) -> None:
    project, options = client.wish()
    client.caller.history(project)
    client.caller.estimate(project, options)
    if job := client.remembered():
        client.caller.act("audit", job, "GET")
        client.caller.status(job)


def look_at_cancelled_ones_again(client: Client) -> None:
    """For ever is long: also after restarts, expired caches and emptied queues."""
    for job in client.some_cancelled():
        client.caller.status(job)
        client.hammer(job)


def leave_it(client: Client) -> None:
    """Started, and never asked for again."""
    client.start(is_large=client.random.random() < 0.3)


Journey = Callable[["Client"], None]
JOURNEYS: dict[Journey, int] = {
    cancel_early: 20,
    cancel_at_once: 4,
    cancel_while_it_is_built: 10,
    cancel_at_completion: 8,
    cancel_after_completion: 8,
    cancel_twice_at_once: 5,
    cancel_and_download_at_once: 6,
    download: 8,
    download_in_parts: 4,
    download_with_a_token: 3,
    download_from_several_tabs: 8,
    start_twice_at_once: 5,
    start_more_than_allowed: 3,
    try_again: 4,
    delete: 3,
    look_around: 5,
    look_at_cancelled_ones_again: 5,
    leave_it: 3,
}
"""With how often each is taken, in proportion."""
AT_THE_END: tuple[Journey, ...] = (look_around, look_at_cancelled_ones_again)
"""For the time in which nobody starts anything any more."""

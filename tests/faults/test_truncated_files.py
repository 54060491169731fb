"""An archive that is not on disk as it was published is never half-served.

It is found by its size before a byte is sent. When it shrinks while it is sent, the connection is cut, so that
the client, who was told the length, sees that the rest is missing.
"""

from __future__ import annotations

import hashlib
import http.client
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings

from exports.models import ExportJob
from tests.calling import job_url, key_of
from tests.fetching import fetch
from tests.processes import Running

pytestmark = pytest.mark.django_db(transaction=True)
BIG = 24 << 20  # bytes: more than the sockets between us hold
LEFT = 20 << 20
PATIENCE = 20.0  # seconds

DAMAGES: dict[str, Callable[[Path], object]] = {
    "one byte short": lambda path: os.truncate(path, path.stat().st_size - 1),
    "emptied": lambda path: os.truncate(path, 0),
    "gone": Path.unlink,
    "a dangling link": lambda path: (path.unlink(), path.symlink_to("nowhere")),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
}
REQUESTS: dict[str, tuple[str, dict[str, str]]] = {
    "HEAD": ("head", {}),
    "Range": ("get", {"Range": "bytes=0-0"}),
    "Range of the end": ("get", {"Range": "bytes=-5"}),
    "If-None-Match": ("get", {"If_None_Match": "*"}),
}


def path_of(job: ExportJob) -> Path:
    return Path(settings.EXPORT_ROOT) / "published" / str(job.file_name)


@pytest.mark.parametrize(
    ("damage", "request_line"),
    [*((damage, "GET") for damage in DAMAGES), *(("emptied", request) for request in REQUESTS)],
)
def test_a_damaged_file_is_given_up_and_not_a_byte_is_sent(
    completed: ExportJob, damage: str, request_line: str
) -> None:
    DAMAGES[damage](path_of(completed))
    method, headers = REQUESTS.get(request_line, ("get", {}))

    response, _ = fetch(completed.user, job_url(completed, "download"), method, **headers)

    assert (response.status_code, response.streaming) == (410, False)
    reasons = list(completed.transitions.values_list("reason", "to_status"))[-2:]
    assert reasons == [("download_refused", "completed"), ("file_missing", "expired")]


@pytest.fixture
def download(completed: ExportJob, daphne: Running) -> Iterator[tuple[http.client.HTTPResponse, bytes]]:
    """Of a big file by a client that has read nothing yet; and what the file held."""
    content = enlarge(completed)
    key_of(completed.user, "key")
    connection = http.client.HTTPConnection(daphne.url.removeprefix("http://"), timeout=PATIENCE)
    connection.request("GET", job_url(completed, "download"), headers={"Authorization": "Bearer key"})
    yield connection.getresponse(), content
    connection.close()


def test_a_file_that_shrinks_while_it_is_sent_ends_short_and_the_connection_is_cut(
    download: tuple[http.client.HTTPResponse, bytes], completed: ExportJob
) -> None:
    response, content = download
    os.truncate(path_of(completed), LEFT)

    with pytest.raises(http.client.IncompleteRead) as short:
        response.read()

    assert len(short.value.partial) <= LEFT
    assert content.startswith(short.value.partial)


def test_a_file_that_shrank_while_it_was_sent_is_not_sent_again(
    download: tuple[http.client.HTTPResponse, bytes], completed: ExportJob
) -> None:
    os.truncate(path_of(completed), LEFT)

    assert fetch(completed.user, job_url(completed, "download"))[0].status_code == 410


def enlarge(job: ExportJob) -> bytes:
    """Put a big file in its place."""
    content = hashlib.shake_256(b"seed").digest(1 << 20) * (BIG >> 20)
    path_of(job).write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    ExportJob.objects.filter(pk=job.pk).update(file_size=BIG, sha256=digest, version=99)
    return content

"""Downloads through the real server: what the test client does not show."""

from __future__ import annotations

import hashlib
import http.client
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User

from exports import lifecycle
from exports.models import ExportJob
from tests.calling import job_url, key_of
from tests.processes import Running, environment, start_daphne

pytestmark = pytest.mark.django_db(transaction=True)
BIG = 24 << 20  # bytes: more than the sockets between us hold


@pytest.fixture
def web(transactional_db: None) -> Iterator[Running]:
    with start_daphne(0, environment(Path(settings.DATA_DIR))) as running:
        yield running


@pytest.fixture
def link(completed: ExportJob) -> str:
    key_of(completed.user)
    return job_url(completed, "download")


def ask(
    web: Running, url: str, method: str = "GET", **headers: str
) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
    connection = http.client.HTTPConnection(web.url.removeprefix("http://"), timeout=30)
    connection.request(method, url, headers={"Authorization": "Bearer secret", **headers})
    return connection, connection.getresponse()


def read(
    web: Running, url: str, method: str = "GET", **headers: str
) -> tuple[http.client.HTTPResponse, bytes]:
    connection, response = ask(web, url, method, **headers)
    try:
        return response, response.read()
    finally:
        connection.close()


def test_a_file_is_sent_whole_and_continued(web: Running, link: str, completed: ExportJob) -> None:
    whole, body = read(web, link)
    _, begun = read(web, link, Range="bytes=0-999")
    rest, more = read(web, link, **{"Range": "bytes=1000-", "If-Range": f'"{completed.sha256}"'})
    assert (whole.status, rest.status) == (200, 206)
    assert hashlib.sha256(body).hexdigest() == completed.sha256
    assert begun + more == body


def test_head_has_the_headers_and_no_body(web: Running, link: str, completed: ExportJob) -> None:
    response, body = read(web, link, "HEAD")
    assert (response.status, response.headers["Content-Length"]) == (200, str(completed.file_size))
    assert body == b""


def test_a_cancelled_export_gives_not_a_byte(web: Running, link: str, completed: ExportJob) -> None:
    lifecycle.cancel(completed.pk, lifecycle.actor(completed.user))
    response, body = read(web, link)
    assert (response.status, response.headers["Content-Type"]) == (410, "application/problem+json")
    assert b"PK" not in body


def test_readers_who_do_not_read_keep_no_database_connection(link: str, completed: ExportJob) -> None:
    enlarge(completed)
    few = environment(Path(settings.DATA_DIR), DATABASE_POOL="2")
    with start_daphne(0, few) as web, ExitStack() as stack:
        for _ in range(3):
            unread, begun = ask(web, link)
            stack.callback(unread.close)
            assert begun.status == 200
        assert read(web, "/api/projects")[0].status == 200


def test_a_client_that_leaves_does_not_disturb_the_next(
    web: Running, link: str, completed: ExportJob
) -> None:
    digest = enlarge(completed)
    connection, response = ask(web, link)
    response.read(1000)
    connection.close()
    whole, body = read(web, link)
    assert (whole.status, hashlib.sha256(body).hexdigest()) == (200, digest)


def test_a_download_under_way_is_finished_though_the_file_is_removed(
    web: Running, link: str, completed: ExportJob
) -> None:
    digest = enlarge(completed)
    connection, response = ask(web, link)
    lifecycle.expire(completed.pk, "retention", lifecycle.SCHEDULER)
    path_of(completed).unlink()
    assert hashlib.sha256(response.read()).hexdigest() == digest
    connection.close()
    assert read(web, link, Range="bytes=1000-")[0].status == 410


def path_of(job: ExportJob) -> Path:
    return Path(settings.EXPORT_ROOT) / "published" / str(job.file_name)


def enlarge(job: ExportJob) -> str:
    """Put a big file in its place; the SHA-256."""
    content = hashlib.shake_256(b"seed").digest(1 << 20) * (BIG >> 20)
    path_of(job).write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    ExportJob.objects.filter(pk=job.pk).update(file_size=BIG, sha256=digest, version=99)
    return digest


def test_the_owner_is_who_downloads(web: Running, link: str, completed: ExportJob, alice: User) -> None:
    read(web, link)
    assert completed.transitions.get(reason="downloaded").actor == f"user:{alice.pk}"

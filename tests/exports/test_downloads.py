from __future__ import annotations

import base64
import errno
import hashlib
import io
import zipfile
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.urls import reverse

from exports import downloads, files, lifecycle
from exports.models import ExportJob
from exports.states import Status
from projects.models import Membership, Project, Role
from tests.fetching import fetch

pytestmark = pytest.mark.django_db(transaction=True)


def url_of(job: ExportJob) -> str:
    return reverse("api:download_export", args=[job.project_id, job.pk])


def path_of(job: ExportJob) -> Path:
    return Path(settings.EXPORT_ROOT) / "published" / str(job.file_name)


def fresh(job: ExportJob) -> ExportJob:
    return ExportJob.objects.get(pk=job.pk)


def test_a_download_is_the_published_file(alice: User, completed: ExportJob) -> None:
    response, body = fetch(alice, url_of(completed))
    assert response.status_code == 200
    assert response["Content-Type"] == "application/zip"
    assert response["Content-Length"] == str(len(body)) == str(completed.file_size)
    assert hashlib.sha256(body).hexdigest() == completed.sha256
    assert zipfile.ZipFile(io.BytesIO(body)).testzip() is None


def test_a_download_says_what_it_is(alice: User, completed: ExportJob) -> None:
    response, body = fetch(alice, url_of(completed))
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    assert response["ETag"] == f'"{completed.sha256}"'
    assert response["Repr-Digest"] == f"sha-256=:{digest}:"
    assert response["Digest"] == f"sha-256={digest}"
    assert response["Cache-Control"] == "private, no-cache"
    assert response["Accept-Ranges"] == "bytes"
    assert response["Content-Disposition"] == f'attachment; filename="{completed.download_name}"'


@pytest.mark.parametrize(
    ("name", "saved_as"),
    [
        ("../../etc/passwd", 'filename="etcpasswd_'),
        ("=cmd()", 'filename="cmd_'),
        ('a"; filename="b.exe', 'filename="a_filenameb.exe_'),
        ("Zellkerne größer", "filename*=utf-8''Zellkerne_gr%C3%B6%C3%9Fer_"),
        ("...", 'filename="export_'),
    ],
)
def test_the_name_it_is_saved_under_is_harmless(
    alice: User, completed: ExportJob, name: str, saved_as: str
) -> None:
    ExportJob.objects.filter(pk=completed.pk).update(project_name=name, version=99)
    response, _ = fetch(alice, url_of(completed), "head")
    assert response["Content-Disposition"].startswith(f"attachment; {saved_as}")


def test_ranges_joined_are_the_file(alice: User, completed: ExportJob) -> None:
    size = completed.file_size or 0
    joined = b""
    for start in range(0, size, 5000):
        response, body = fetch(alice, url_of(completed), Range=f"bytes={start}-{start + 4999}")
        assert response.status_code == 206
        assert response["Content-Range"] == f"bytes {start}-{min(start + 4999, size - 1)}/{size}"
        joined += body
    assert hashlib.sha256(joined).hexdigest() == completed.sha256


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", (0, 100)),
        ("bytes=0-", (0, 100)),
        ("bytes=0-0", (0, 1)),
        ("bytes=99-", (99, 1)),
        ("bytes=10-19", (10, 10)),
        ("bytes=90-500", (90, 10)),
        ("bytes=-10", (90, 10)),
        ("bytes=-500", (0, 100)),
        (f"bytes=0-{'9' * 39}", (0, 100)),
        ("bytes=100-", None),
        ("bytes=100-200", None),
        ("bytes=-0", None),
        ("bytes=5-4", (0, 100)),
        ("bytes=-", (0, 100)),
        ("bytes=0-1,5-6", (0, 100)),
        ("bytes=x-y", (0, 100)),
        ("bytes=٣-٤", (0, 100)),
        ("lines=0-1", (0, 100)),
        (f"bytes={'9' * 5000}-", (0, 100)),
    ],
)
def test_a_range_header_names_these_bytes(header: str, expected: tuple[int, int] | None) -> None:
    part = downloads.range_of(header, 100)
    assert (part and (part.start, part.length)) == expected


def test_a_range_of_everything_is_the_whole_file(alice: User, completed: ExportJob) -> None:
    response, _ = fetch(alice, url_of(completed), Range="bytes=0-")
    assert (response.status_code, response.has_header("Content-Range")) == (200, False)


def test_a_range_beyond_the_end_is_refused_and_not_recorded(alice: User, completed: ExportJob) -> None:
    response, _ = fetch(alice, url_of(completed), Range=f"bytes={completed.file_size}-")
    assert response.status_code == 416
    assert response["Content-Range"] == f"bytes */{completed.file_size}"
    assert response.json()["code"] == "range_not_satisfiable"
    assert fresh(completed).download_count == 0


def test_a_range_continues_the_file_that_if_range_names(alice: User, completed: ExportJob) -> None:
    tag = f'"{completed.sha256}"'
    response, _ = fetch(alice, url_of(completed), Range="bytes=5-9", If_Range=tag)
    assert response.status_code == 206


@pytest.mark.parametrize("tag", ['"another"', "Sun, 22 Nov 2026 05:57:28 GMT"])
def test_another_file_than_if_range_names_is_sent_whole(alice: User, completed: ExportJob, tag: str) -> None:
    response, body = fetch(alice, url_of(completed), Range="bytes=5-9", If_Range=tag)
    assert (response.status_code, len(body)) == (200, completed.file_size)


@pytest.mark.parametrize("known", ['"{}"', 'W/"{}"', '"other", "{}"', "*"])
def test_a_known_file_is_not_sent_again_nor_recorded(alice: User, completed: ExportJob, known: str) -> None:
    response, body = fetch(alice, url_of(completed), If_None_Match=known.format(completed.sha256))
    assert (response.status_code, body, response["ETag"]) == (304, b"", f'"{completed.sha256}"')
    assert fresh(completed).download_count == 0


def test_head_tells_the_size_and_records_nothing(alice: User, completed: ExportJob) -> None:
    response, body = fetch(alice, url_of(completed), "head", Range="bytes=0-3")
    assert (response.status_code, body) == (200, b"")
    assert response["Content-Length"] == str(completed.file_size)
    assert fresh(completed).download_count == 0


def test_each_download_from_the_start_counts_and_later_ranges_do_not(
    alice: User, completed: ExportJob
) -> None:
    for header in ("bytes=0-9", "bytes=10-19", "bytes=20-"):
        fetch(alice, url_of(completed), Range=header)
    assert fresh(completed).download_count == 1
    fetch(alice, url_of(completed))
    assert fresh(completed).download_count == 2


def test_the_first_accepted_range_counts_wherever_it_starts(alice: User, completed: ExportJob) -> None:
    fetch(alice, url_of(completed), Range="bytes=10-19")
    fetch(alice, url_of(completed), Range="bytes=20-29")
    row = completed.transitions.get(reason="downloaded")
    assert (fresh(completed).download_count, row.actor) == (1, f"user:{alice.pk}")


def test_each_later_range_is_in_the_audit_and_no_news(alice: User, completed: ExportJob) -> None:
    fetch(alice, url_of(completed), Range="bytes=0-9")
    before = fresh(completed).version
    fetch(alice, url_of(completed), Range="bytes=10-19")
    row = completed.transitions.last()
    assert (row.reason, row.actor) == ("range_downloaded", f"user:{alice.pk}")
    assert row.detail["range"] == f"bytes 10-19/{completed.file_size}"
    assert fresh(completed).version == before


def test_a_later_range_is_refused_once_the_file_expired(alice: User, completed: ExportJob) -> None:
    fetch(alice, url_of(completed), Range="bytes=0-9")
    lifecycle.expire(completed.pk, "retention", lifecycle.SCHEDULER)
    response, _ = fetch(alice, url_of(completed), Range="bytes=10-19")
    assert (response.status_code, response.json()["code"]) == (410, "export_expired")


@pytest.mark.parametrize("method", ["get", "head"])
@pytest.mark.parametrize(
    ("state", "status"),
    [("job", 404), ("processing", 404), ("failed", 404), ("cancelled", 410), ("expired", 410)],
)
def test_a_job_without_a_file_answers(
    request: pytest.FixtureRequest, alice: User, state: str, status: int, method: str
) -> None:
    job = request.getfixturevalue(state)
    response, body = fetch(alice, url_of(job), method)
    assert response.status_code == status
    assert not response.streaming
    assert method == "get" or not body


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("job", "export_not_completed"),
        ("processing", "export_not_completed"),
        ("failed", "export_failed"),
        ("cancelled", "export_cancelled"),
        ("expired", "export_expired"),
    ],
)
def test_a_refused_download_says_why(
    request: pytest.FixtureRequest, alice: User, state: str, code: str
) -> None:
    job = request.getfixturevalue(state)
    problem = fetch(alice, url_of(job))[0].json()
    assert (problem["code"], problem["jobStatus"]) == (code, job.status)


def test_a_cancelled_one_says_since_when(alice: User, cancelled: ExportJob) -> None:
    problem = fetch(alice, url_of(cancelled))[0].json()
    moment = cancelled.cancelled_at.isoformat().replace("+00:00", "Z")  # type: ignore[union-attr]
    assert problem["cancelledAt"] == moment


def test_a_missing_file_expires_the_job(alice: User, completed: ExportJob) -> None:
    path_of(completed).unlink()
    response, _ = fetch(alice, url_of(completed))
    assert (response.status_code, response.json()["code"]) == (410, "export_expired")
    job = fresh(completed)
    assert (job.status, job.download_count) == (Status.EXPIRED, 0)
    assert [row.reason for row in job.transitions.all()][-2:] == ["download_refused", "file_missing"]


def test_a_file_of_another_size_is_not_sent(alice: User, completed: ExportJob) -> None:
    with path_of(completed).open("ab") as file:
        file.write(b"more")
    assert fetch(alice, url_of(completed))[0].status_code == 410


def test_a_folder_in_its_place_is_no_file(alice: User, completed: ExportJob) -> None:
    path_of(completed).unlink()
    path_of(completed).mkdir()
    assert fetch(alice, url_of(completed))[0].status_code == 410


def test_a_file_that_cannot_be_read_now_is_not_given_up(
    alice: User, completed: ExportJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: str) -> None:
        raise OSError(errno.EIO, "Input/output error", "/var/secret")

    monkeypatch.setattr(files, "open_published", refuse)
    response, body = fetch(alice, url_of(completed))
    assert (response.status_code, response["Retry-After"], b"secret" in body) == (503, "1", False)
    assert fresh(completed).status == Status.COMPLETED


def test_the_file_is_closed_even_when_nothing_was_read(completed: ExportJob) -> None:
    file = files.open_published(completed.file_name or "")
    downloads.Body(file, downloads.Part(0, 1, 1)).close()
    assert file.closed


def test_who_may_no_longer_export_may_no_longer_download(
    project: Project, bob: User, completed: ExportJob
) -> None:
    ExportJob.objects.filter(pk=completed.pk).update(user=bob, version=99)
    Membership.objects.filter(project=project, user=bob).update(role=Role.VIEWER)
    response, _ = fetch(bob, url_of(completed))
    assert (response.status_code, response.json()["code"]) == (403, "export_not_allowed")

"""Names that were chosen to harm, in headers, letters and log lines; in archives: tests/exports/archive."""

from __future__ import annotations

import json
import re
from email import message_from_bytes
from email.message import Message
from email.policy import default
from urllib.parse import unquote

import structlog
from django.contrib.auth.models import User
from django.db.models import F
from django.db.models.functions import Now

from exports import mail
from exports.models import ExportJob, Preferences
from projects.models import Image
from tests.security.listening import listening
from tests.security.rights.asking import ask
from tests.security.rights.stage import Stage

NAMES = (
    *("<img src=x onerror=alert(1)>", '"><script>alert(1)</script>', "{{7*7}}{% load x %}", "javascript:alert(1)"),
    *("photo\u202egnp.exe", "\x01\x02\x1b[31m\x7f\x85", "e\u0301" * 99, "😀" * 60, "x" * 200, "\u0301\u0301", "é" * 200),
    *("a\r\nSet-Cookie: stolen=1", "a\nBcc: eve@evil.example", "a\u2028b\u2029c", "../../etc/passwd", "C:\\Windows"),
    *("CON", "nul.txt", "trailing. . ", "=cmd|' /C calc'!A0", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", " ", '"; filename=x'),
    *("%0d%0aX: y", "=?utf-8?q?=0D=0ABcc:_eve@evil.example?=", "eve@evil.example, a", "UTF-8''x%0d%0a", "\ufeff\u200b"),
)  # fmt: skip
SENT_HEADERS = {"Content-Type", "Content-Transfer-Encoding", "MIME-Version", "Subject", "From", "To", "Date"}


def rename(stage: Stage, name: str) -> ExportJob:
    job_id = stage.known["owner"]["job"]
    ExportJob.objects.filter(pk=job_id).update(project_name=name, version=F("version") + 1)
    return ExportJob.objects.get(pk=job_id)


def test_a_downloaded_file_has_a_harmless_name(stage: Stage) -> None:
    for name in NAMES:
        rename(stage, name)
        answer = ask(stage, "owner", "HEAD", "/api/projects/{project}/export/{job}/download")
        header = Message()
        header["Content-Disposition"] = answer.headers["content-disposition"]
        assert header.get_content_disposition() == "attachment"
        assert re.fullmatch(
            r"[^\x00-\x1f\x7f-\x9f/\\:*?\"<>|\u2028-\u202e]+_[\d_-]+\.zip", str(header.get_filename())
        ), name
        assert not str(header.get_filename()).startswith((".", "-", "=", "+", "@", " ")), name


def test_the_headers_of_a_preview_stay_apart(stage: Stage) -> None:
    for name in NAMES:
        Image.objects.filter(pk=stage.known["owner"]["image"]).update(name=name)
        answer = ask(stage, "owner", "GET", "/projects/{project}/export/preview/?image={image}")
        assert unquote(answer.headers["x-image-name"]) == name
        assert answer.headers["x-image-name"].isprintable()


def test_a_letter_has_no_header_that_a_name_gave_it(stage: Stage) -> None:
    owner = stage.users["owner"]
    Preferences.objects.create(user=owner, mail_since=Now())
    User.objects.filter(pk=owner.pk).update(email="owner@example.org")
    for name in NAMES:
        sent = mail.written(rename(stage, name)).message().as_bytes()
        letter = message_from_bytes(sent, policy=default)
        assert set(letter.keys()) <= SENT_HEADERS | {"Message-ID", "Auto-Submitted"}, name
        assert letter["To"] == "owner@example.org"
        assert len(letter["Subject"].splitlines()) == 1


def test_a_name_in_the_log_stays_on_its_line() -> None:
    log = structlog.get_logger("names")
    with listening() as heard:
        for name in NAMES:
            log.info("named", name=name)
    assert [json.loads(line)["name"] for line in heard.lines] == list(NAMES)
    assert not [line for line in heard.lines if len(line.splitlines()) > 1 or "\x1b" in line]


def test_a_name_in_an_address_is_no_line_of_the_log(stage: Stage) -> None:
    with listening() as heard:
        for name in NAMES:
            stage.client("owner").get("/" + name.replace("%", "%25").replace("?", ""))
            stage.client("owner").get("/", headers={"X-Request-ID": name.encode("ascii", "ignore").decode()})
    assert heard.lines
    assert not [line for line in heard.lines if len(line.splitlines()) > 1 or "\x1b" in line]
    assert all(json.loads(line)["event"] for line in heard.lines)

"""A letter on its way and a cancel: whoever was answered 200 is not told afterwards that it completed.

The mail server holds the sender at a named point; nothing here waits for luck.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from exports import handover, lifecycle, mail, sweep
from exports.models import ExportJob, Letter, Preferences, letters
from exports.states import Status
from tests.jobs import download
from tests.mail_server import MailServer, listening
from tests.processes import ROOT, environment
from tests.races.conftest import Race, outcome_of, until_waiting

PATIENCE = 10.0  # seconds
SITE = "https://hub.example.org"


@pytest.fixture
def post(settings: Any) -> Iterator[MailServer]:
    with listening() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = server.server_address
        settings.EMAIL_TIMEOUT, settings.SITE_URL = PATIENCE, SITE
        yield server


@pytest.fixture
def told(alice: User, completed: ExportJob) -> ExportJob:
    """Completed, and to be told of."""
    User.objects.filter(pk=alice.pk).update(email="alice@example.org")
    Preferences.objects.create(user=alice, mail_since=Now() - timedelta(hours=1))
    return completed


@pytest.fixture
def sender() -> Iterator[Callable[[], Any]]:
    """Begins to send what is due, beside the test."""
    with ThreadPoolExecutor(1) as pool:
        yield lambda: pool.submit(outcome_of, partial(mail.deliver, list(letters.due())))


def hold_a_letter(post: MailServer, sender: Callable[[], Any]) -> Any:
    """The letter is whole in the mail server, and its sender does not know it yet."""
    post.may_accept.clear()
    sending = sender()
    assert post.received.wait(PATIENCE)
    return sending


def kill_a_sender(post: MailServer, data_dir: Path) -> None:
    """The mail server has the letter; nobody has noted that."""
    post.may_accept.clear()
    mails = {"EMAIL_URL": post.url, "SITE_URL": SITE}
    command = (sys.executable, "manage.py", "sweep_exports")
    with subprocess.Popen(command, cwd=ROOT, env=environment(data_dir, **mails)) as process:
        assert post.received.wait(6 * PATIENCE)
        process.kill()


def cancelling(job: ExportJob) -> Callable[[], object]:
    return partial(outcome_of, partial(lifecycle.cancel, job.pk, "user:1"))


def fresh(job: ExportJob) -> ExportJob:
    return ExportJob.objects.get(pk=job.pk)


@pytest.mark.parametrize("cancels", [1, 2], ids=["once", "twice"])
def test_a_cancel_is_answered_when_the_letter_was_handed_over(
    told: ExportJob, post: MailServer, sender: Callable[[], Any], cancels: int
) -> None:
    sending = hold_a_letter(post, sender)
    with ThreadPoolExecutor(cancels) as pool:
        answers = [pool.submit(cancelling(told)) for _ in range(cancels)]
        until_waiting(cancels)
        assert (fresh(told).status, [each.done() for each in answers]) == (
            Status.CANCELLED,
            [False] * cancels,
        )
        post.may_accept.set()
        assert [type(each.result()) for each in answers] == [ExportJob] * cancels
    assert sending.result() is None
    assert len(post.letters) == 1


def test_a_cancel_is_no_answer_while_the_mail_server_thinks(
    told: ExportJob, post: MailServer, sender: Callable[[], Any]
) -> None:
    sending = hold_a_letter(post, sender)
    assert [type(cancelling(told)()).__name__ for _ in range(2)] == ["Busy", "Busy"]
    post.may_accept.set()
    sending.result()
    assert type(cancelling(told)()) is ExportJob


def test_a_cancel_between_the_list_and_the_letter_is_seen(
    told: ExportJob, post: MailServer, sender: Callable[[], Any]
) -> None:
    post.may_greet.clear()
    sending = sender()
    assert post.called.wait(PATIENCE)
    assert type(cancelling(told)()) is ExportJob
    post.may_greet.set()
    assert sending.result() is None
    assert post.letters == []


def test_nothing_but_a_cancel_waits_for_the_mail_server(
    told: ExportJob, post: MailServer, sender: Callable[[], Any]
) -> None:
    sending = hold_a_letter(post, sender)
    assert download(told.pk).download_count == 1
    assert type(cancelling(told)()).__name__ == "AlreadyDownloaded"
    assert not sending.done()
    post.may_accept.set()


def test_the_sweep_does_not_wait_for_the_mail_server(told: ExportJob, post: MailServer) -> None:
    post.may_accept.clear()
    assert sweep.sweep().letters == 1
    assert post.received.wait(PATIENCE)
    assert sweep.sweep().letters == 0  # the round is still under way
    post.may_accept.set()
    mail.finish()
    assert Letter.objects.get().sent_at is not None


def test_two_sweeps_at_once_send_one_letter(told: ExportJob, post: MailServer, race: Race) -> None:
    rounds = [partial(mail.deliver, list(letters.due()))] * 2
    assert race(told, *rounds) == [None, None]
    assert len(post.letters) == Letter.objects.get().tries == 1


def test_a_try_is_taken_once(told: ExportJob, race: Race) -> None:
    taken = race(told, *[partial(Letter.take_try, told)] * 16)
    assert taken.count(True) == Letter.objects.get().tries == 1
    assert taken.count(False) == 15


def test_a_sender_killed_before_it_could_note_it_sends_it_once_more(
    told: ExportJob, post: MailServer, tmp_path: Path, sender: Callable[[], Any]
) -> None:
    kill_a_sender(post, tmp_path)
    post.may_accept.set()
    Letter.objects.filter(sent_at=None, tries=1).update(tried_at=F("tried_at") - timedelta(minutes=6))
    sender().result()
    assert [letter["Message-ID"] for letter in post.letters] == [f"<{told.pk.hex}@hub.example.org>"] * 2
    assert list(letters.due()) == []


def test_the_cancel_of_a_killed_senders_export_does_not_wait(
    told: ExportJob, post: MailServer, tmp_path: Path
) -> None:
    kill_a_sender(post, tmp_path)
    assert type(cancelling(told)()) is ExportJob


def test_the_lock_outlasts_the_patience_for_a_mail_server(told: ExportJob) -> None:
    with handover.alone(told.pk), connection.cursor() as cursor:
        cursor.execute("SHOW idle_in_transaction_session_timeout")
        assert cursor.fetchone() == ("1min",)
    assert handover.LONGEST > 8 * 1000 * settings.EMAIL_TIMEOUT


@pytest.mark.parametrize("state", ["job", "processing"])
def test_the_cancel_of_an_active_export_asks_for_no_such_lock(request: Any, state: str) -> None:
    active = request.getfixturevalue(state)
    with CaptureQueriesContext(connection) as queries:
        lifecycle.cancel(active.pk, "user:1")
    assert not [query for query in queries if "advisory" in query["sql"]]

"""A letter about an ended export: to whom, once, in their language, and never a link that is a key."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from smtplib import SMTPRecipientsRefused
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.mail import EmailMessage
from django.core.mail.backends.locmem import EmailBackend
from django.core.management import call_command
from django.db import IntegrityError
from django.db.models import F
from django.db.models.functions import Now
from django.test import Client
from django.utils import translation
from django.utils.formats import date_format

from config.mailing import NOWHERE
from exports import build, lifecycle, mail, statistics, sweep
from exports.models import ExportJob, Letter, Preferences, letters
from projects.models import Membership, Project
from tests.exports.test_sweep import age
from tests.jobs import request_for

pytestmark = pytest.mark.django_db(transaction=True)
Outbox = list[EmailMessage]


@pytest.fixture(autouse=True)
def _site(settings: Any) -> None:
    settings.SITE_URL = "https://hub.example.org"


@pytest.fixture
def wanted(alice: User) -> Preferences:
    """Alice wants a letter about whatever ends from now on."""
    User.objects.filter(pk=alice.pk).update(email="alice@example.org")
    Preferences.objects.create(user=alice, mail_since=Now())
    return Preferences.objects.get(user=alice)


@pytest.fixture
def told(wanted: Preferences, completed: ExportJob) -> ExportJob:
    """Completed, and to be told of."""
    return completed


def deliver() -> None:
    mail.deliver(list(letters.due()))


def wait(job: ExportJob, pause: timedelta) -> None:
    """As if the last try was that long ago."""
    Letter.objects.filter(pk=job.pk).update(tried_at=F("tried_at") - pause)


def refuse(*_: object) -> int:
    raise SMTPRecipientsRefused({"alice@example.org": (550, b"unknown")})


def test_a_completed_export_is_told_to_who_asked(told: ExportJob, mailoutbox: Outbox) -> None:
    deliver()

    [letter] = mailoutbox
    assert (letter.to, letter.subject) == (["alice@example.org"], "The export of Nuclei is ready")
    assert f"https://hub.example.org/projects/{told.project_id}/#export-{told.pk}\n" in letter.body
    assert "Images: 3\n" in letter.body
    assert date_format(told.expires_at, "DATETIME_FORMAT") in letter.body


def test_a_letter_is_no_key_to_the_archive(told: ExportJob, mailoutbox: Outbox) -> None:
    deliver()

    assert "/api/" not in mailoutbox[0].body
    assert "token" not in mailoutbox[0].body


def test_a_failure_is_told_with_its_sentence(
    wanted: Preferences, failed: ExportJob, mailoutbox: Outbox
) -> None:
    deliver()

    [letter] = mailoutbox
    assert letter.subject == "The export of Nuclei failed"
    assert "The archive could not be built.\n" in letter.body


def test_a_letter_is_sent_once(told: ExportJob, mailoutbox: Outbox) -> None:
    jobs = list(letters.due())
    mail.deliver(jobs)
    mail.deliver(jobs)

    assert len(mailoutbox) == 1
    assert list(letters.due()) == []


def test_a_letter_is_in_its_readers_language(told: ExportJob, mailoutbox: Outbox) -> None:
    Preferences.objects.update(language="de")

    deliver()

    with translation.override("de"):
        assert date_format(told.expires_at, "DATETIME_FORMAT") in mailoutbox[0].body


REASONS: dict[str, Callable[[ExportJob], object]] = {
    "it was never asked for": lambda _: Preferences.objects.update(mail_since=None),
    "it was asked for later": lambda _: Preferences.objects.update(mail_since=Now()),
    "there is no address": lambda _: User.objects.update(email=""),
    "the account is closed": lambda _: User.objects.update(is_active=False),
    "the project is gone": lambda _: Project.objects.all().remove(),
    "it is another's project by now": lambda job: Project.objects.update(
        owner=User.objects.exclude(pk=job.user_id)[0]
    ),
    "it ended yesterday": lambda job: age(job, completed_at=timedelta(hours=25)),
    "it was cancelled": lambda job: lifecycle.cancel(job.pk, "user:1"),
    "its file was deleted": lambda job: lifecycle.expire(job.pk, "deleted", "user:1"),
}


@pytest.mark.parametrize("reason", REASONS)
@pytest.mark.parametrize("is_late", [False, True], ids=["before", "after the list was read"])
def test_nothing_is_told_when(told: ExportJob, mailoutbox: Outbox, reason: str, is_late: bool) -> None:
    jobs = list(letters.due())
    assert jobs == [told]
    REASONS[reason](told)

    mail.deliver(jobs if is_late else list(letters.due()))

    assert mailoutbox == []


def test_a_member_is_told_of_their_own_export(
    wanted: Preferences, project: Project, bob: User, bell: list[Any], mailoutbox: Outbox
) -> None:
    User.objects.filter(pk=bob.pk).update(email="bob@example.org")
    Preferences.objects.create(user=bob, mail_since=Now())
    made, _ = lifecycle.request(request_for(project, bob))
    build.run(made.pk)

    deliver()

    assert [letter.to for letter in mailoutbox] == [["bob@example.org"]]
    Letter.objects.all().delete()
    Membership.objects.all().delete()
    assert list(letters.due()) == []


def test_a_letter_is_tried_three_times_with_growing_pauses(
    told: ExportJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(EmailBackend, "send_messages", refuse)
    dues = []
    for pause in (timedelta(0), timedelta(minutes=4), timedelta(minutes=2), timedelta(minutes=59),
                  timedelta(minutes=2), timedelta(hours=20)):  # fmt: skip
        wait(told, pause)
        dues.append(len(letters.due()))
        deliver()

    assert dues == [1, 0, 1, 0, 1, 0]
    assert Letter.objects.get().tries == 3


def test_the_database_knows_no_fourth_try(told: ExportJob) -> None:
    deliver()

    with pytest.raises(IntegrityError, match="letter_tried_so_often"):
        Letter.objects.update(tries=4)


def test_a_letter_that_failed_is_sent_at_the_next_try(
    told: ExportJob, mailoutbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(EmailBackend, "send_messages", refuse)
        deliver()
    wait(told, timedelta(minutes=6))
    deliver()

    assert len(mailoutbox) == 1


def test_a_mail_server_that_is_away_costs_the_other_letters_no_try(
    told: ExportJob, monkeypatch: pytest.MonkeyPatch, bell: list[Any]
) -> None:
    other, _ = lifecycle.request(request_for(told.project, told.user, pixel_to_micrometer_scale=2))
    build.run(other.pk)

    def be_away(_: EmailBackend) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(EmailBackend, "open", be_away)
    deliver()

    assert list(Letter.objects.values_list("job", "tries")) == [(told.pk, 1)]


def test_an_address_that_is_none_stops_nobody(told: ExportJob, mailoutbox: Outbox) -> None:
    User.objects.filter(pk=told.user_id).update(email="a@example.org\nBcc: b@example.org")

    deliver()

    assert mailoutbox == []
    assert Letter.objects.get().tries == 1


def test_a_projects_name_can_neither_add_a_header_nor_is_it_escaped(
    wanted: Preferences, project: Project, bell: list[Any], mailoutbox: Outbox
) -> None:
    Project.objects.update(name="A & B\r\nBcc: mallory@example.org")
    project.refresh_from_db()
    made, _ = lifecycle.request(request_for(project, project.owner))
    build.run(made.pk)

    deliver()

    assert mailoutbox[0].message()["Bcc"] is None
    assert "The export of A & B Bcc: mallory@example.org is ready" in mailoutbox[0].body


def test_the_sweep_sends_what_is_due(told: ExportJob, mailoutbox: Outbox) -> None:
    assert sweep.sweep().letters == 1
    mail.finish()

    assert len(mailoutbox) == 1
    assert sweep.sweep().letters == 0


def test_the_command_waits_for_the_letters(
    told: ExportJob, mailoutbox: Outbox, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("sweep_exports")

    assert len(mailoutbox) == 1
    assert "letters 1" in capsys.readouterr().out


def test_a_hub_without_a_mail_server_tries_nothing(told: ExportJob, settings: Any) -> None:
    settings.EMAIL_BACKEND = NOWHERE

    assert sweep.sweep().letters == 0

    assert not Letter.objects.exists()


def test_letters_are_counted(told: ExportJob, client: Client) -> None:
    deliver()
    assert (statistics.read().letters_sent, statistics.read().letters_given_up) == (1, 0)
    assert 'exports_letters_total{outcome="sent"} 1.0' in client.get("/metrics").content.decode()

    Letter.objects.update(sent_at=None, tries=3)

    assert (statistics.read().letters_sent, statistics.read().letters_given_up) == (0, 1)

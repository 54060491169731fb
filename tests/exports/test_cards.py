from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.translation import gettext_lazy, override

from exports import build, cards, lifecycle, rows, wording
from exports.cleaning import clean
from exports.exceptions import AlreadyDownloaded, Cancelled
from exports.messages import Advance, Failure, PublishedFile
from exports.models import ExportJob, Transition
from exports.states import CancelReason
from exports.templatetags import export_card
from projects.models import Image, Membership, Project, Role, Segmentation
from projects.outlines import pack
from tests.conftest import add_image
from tests.jobs import download, request_for

ClientOf = Callable[[User], Client]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("bell")]
CHANGED = "The project has changed since this export."


def card_of(job: ExportJob, client: Client) -> str:
    """As one line, for a sentence does not care where a template breaks it."""
    return " ".join(client.get(f"/exports/{job.pk}/card/").content.decode().split())


def shown(job: ExportJob, user: User) -> ExportJob:
    return cards.shown_to(user).get(pk=job.pk)


def outline_anew(image: Image) -> None:
    image.segmentation = Segmentation.objects.create(image=image, version=2, **pack([]))
    image.save(update_fields=["segmentation"])


def built(project: Project, user: User, **choices: Any) -> ExportJob:
    job, _ = lifecycle.request(request_for(project, user, **choices))
    build.run(job.pk)
    return ExportJob.objects.get(pk=job.pk)


# --- Whether the project has changed since


CHANGES: dict[str, Callable[[Project], object]] = {
    "added": lambda project: add_image(project, "new.png", None),
    "removed": lambda project: project.images.filter(name="b.png").update(removed_at=Now()),
    "outlined": lambda project: outline_anew(project.images.get(name="empty.png")),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_the_project_after_the_export_began_is_told(
    completed: ExportJob, alice: User, client_of: ClientOf, change: str
) -> None:
    assert CHANGED not in card_of(completed, client_of(alice))
    CHANGES[change](completed.project)
    assert CHANGED in card_of(completed, client_of(alice))


def test_a_removed_file_is_told_to_be_of_an_older_project_too(
    expired: ExportJob, alice: User, client_of: ClientOf
) -> None:
    add_image(expired.project, "new.png", None)
    assert CHANGED in card_of(expired, client_of(alice))
    assert CHANGED in client_of(alice).get(expired.project.get_absolute_url()).content.decode()


def test_only_the_selected_images_make_an_export_of_a_selection_outdated(
    project: Project, alice: User
) -> None:
    chosen, other = project.images.get(name="empty.png"), project.images.get(name="b.png")
    job = built(project, alice, selected_image_ids=[chosen.pk])
    outline_anew(other)
    add_image(project, "new.png", None)
    assert cards.outdated([job]) == set()
    outline_anew(chosen)
    assert cards.outdated([job]) == {job.pk}


def test_an_image_of_another_project_tells_nothing_of_this_one(project: Project, alice: User) -> None:
    other = Project.objects.create(name="Other", owner=alice)
    foreign, own = add_image(other, "c.png", None), project.images.get(name="b.png")
    job = built(project, alice, selected_image_ids=[own.pk, foreign.pk])
    outline_anew(foreign)
    assert cards.outdated([job]) == set()


def test_of_a_large_selection_the_project_is_told(
    project: Project, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cards, "LOOKED_THROUGH", 1)
    chosen = list(project.images.exclude(name="b.png").values_list("pk", flat=True))
    job = built(project, alice, selected_image_ids=chosen)
    outline_anew(project.images.get(name="b.png"))
    assert cards.outdated([job]) == {job.pk}


def test_each_export_is_compared_with_its_own_project(
    completed: ExportJob, project: Project, alice: User
) -> None:
    other = Project.objects.create(name="Other", owner=alice)
    add_image(other, "c.png", None)
    later = built(other, alice)
    add_image(other, "d.png", None)
    assert cards.outdated([completed, later]) == {later.pk}


def test_nothing_is_compared_for_exports_that_show_no_moment(
    job: ExportJob, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(0):
        assert cards.outdated([job]) == set()


# --- What happened


def test_the_story_says_what_happened_and_who_did_it(completed: ExportJob, bob: User, alice: User) -> None:
    download(completed.pk, lifecycle.actor(bob))
    with suppress(AlreadyDownloaded):
        lifecycle.cancel(completed.pk, lifecycle.actor(alice))
    story = export_card.story(shown(completed, alice))
    told = [(wording.moment(each), export_card.by_whom(each, alice)) for each in story]
    assert told == [
        ("Asked for", "by you"),
        ("A worker began to build it", ""),
        ("Ready to download", ""),
        ("Downloaded", "by bob"),
        ("A cancel was refused", "by you"),
    ]
    assert [wording.refusal(each) for each in story] == ["", "", "", "", AlreadyDownloaded.__doc__]


def test_what_changed_nothing_stands_between_the_moves_in_its_place(
    completed: ExportJob, alice: User
) -> None:
    download(completed.pk)
    lifecycle.expire(completed.pk, "deleted", lifecycle.actor(alice))
    reasons = [each.reason for each in export_card.story(shown(completed, alice))]
    assert reasons == ["requested", "claimed", "built", "downloaded", "deleted"]


def test_a_story_keeps_every_move_however_often_a_file_was_refused(
    cancelled: ExportJob, alice: User, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cards, "MOMENTS", 4)
    for _ in range(5):
        with suppress(Cancelled), rows.answering(cancelled.pk, "user:1", "download"):
            raise Cancelled
    job = shown(cancelled, alice)
    reasons = [each.reason for each in export_card.story(job)]
    assert reasons == ["requested", "claimed", "user_cancelled", "download_refused"]
    assert "4 more entries" in card_of(cancelled, client_of(alice))


def test_a_second_attempt_is_told(processing: ExportJob, alice: User, client_of: ClientOf) -> None:
    lifecycle.give_back(processing.pk, processing.attempt)
    lifecycle.claim(processing.pk)
    card = card_of(processing, client_of(alice))
    assert ", attempt 2" in card
    assert "A worker began anew, attempt 2" in card


def test_a_failure_is_told_as_one_whatever_its_code(failed: ExportJob, alice: User) -> None:
    end = export_card.ending(shown(failed, alice))
    assert end
    assert wording.moment(end) == "Failed"


@pytest.mark.parametrize("actor", ["user:", "user:x", "user:99999999999", "worker"])
def test_an_actor_that_is_no_user_has_no_name(job: ExportJob, alice: User, actor: str) -> None:
    with rows.locked(job.pk) as (locked, now):
        rows.note(locked, "download_refused", actor, now)
    told = export_card.story(shown(job, alice))
    assert [export_card.by_whom(each, alice) for each in told] == ["by you", ""]


def test_every_reason_in_the_audit_has_words() -> None:
    known = {reason.value for reason in CancelReason} | {"retention", "deleted", "project_removed"}
    known |= {"file_missing", "cleaned", "requested", "claimed", "built", "worker_lost", "worker_stopping"}
    known |= {"downloaded", "range_downloaded", "auto_download_claimed", "cancel_refused", "download_refused"}
    rows = [Transition(reason=reason, attempt=1, to_status="completed") for reason in known]
    assert [row.reason for row in rows if wording.moment(row) == row.reason] == []


# --- Who may, and who did


def test_a_card_says_who_started_it(job: ExportJob, project: Project, bob: User, client_of: ClientOf) -> None:
    other, _ = lifecycle.request(request_for(project, bob))
    owner = client_of(project.owner)
    assert "Started by you," in card_of(job, owner)
    assert "Started by bob," in card_of(other, owner)
    assert "Started by you," in card_of(other, client_of(bob))


def test_same_again_is_offered_while_the_user_may_export(
    project: Project, bob: User, client_of: ClientOf
) -> None:
    job = built(project, bob)
    link = f'href="/projects/{project.pk}/export/?like={job.pk}"'
    assert link in card_of(job, client_of(bob))
    Membership.objects.filter(user=bob).update(role=Role.VIEWER)
    assert "Same again" not in card_of(job, client_of(bob))
    assert link in card_of(job, client_of(project.owner))


def test_nothing_is_offered_again_while_it_is_under_way(
    job: ExportJob, alice: User, client_of: ClientOf
) -> None:
    assert "Same again" not in card_of(job, client_of(alice))


def test_a_cancelled_export_has_a_receipt(processing: ExportJob, alice: User, client_of: ClientOf) -> None:
    ExportJob.objects.filter(pk=processing.pk).update(progress=42.9, version=F("version") + 1)
    lifecycle.cancel(processing.pk, lifecycle.actor(alice))
    before = card_of(processing, client_of(alice))
    assert "Cancelled by you" in before
    assert ", at 42%" in before
    assert "being removed" in before
    assert "it will never complete" in before
    clean(processing.pk)
    assert "nothing, 0 bytes freed" in card_of(processing, client_of(alice))


def test_who_cancelled_somebody_elses_export_is_named(
    project: Project, bob: User, alice: User, client_of: ClientOf
) -> None:
    job, _ = lifecycle.request(request_for(project, bob))
    lifecycle.cancel(job.pk, lifecycle.actor(alice))
    assert "Cancelled by alice" in card_of(job, client_of(bob))


def test_a_cancel_by_the_system_says_so(job: ExportJob, alice: User, client_of: ClientOf) -> None:
    lifecycle.cancel(job.pk, lifecycle.SCHEDULER, CancelReason.SYSTEM)
    assert ">Cancelled by the system<" in card_of(job, client_of(alice))


def test_a_removed_file_says_why(completed: ExportJob, alice: User, bob: User, client_of: ClientOf) -> None:
    lifecycle.expire(completed.pk, "retention", lifecycle.SCHEDULER)
    assert "File removed: its time was over" in card_of(completed, client_of(alice))
    again = built(completed.project, bob)
    lifecycle.expire(again.pk, "deleted", lifecycle.actor(alice))
    assert "File deleted by alice" in card_of(again, client_of(bob))


# --- Facts and words


def test_a_completed_export_says_what_there_is(
    completed: ExportJob, alice: User, client_of: ClientOf
) -> None:
    card = card_of(completed, client_of(alice))
    assert "3 images, took 1 s" in card
    assert "(7 days left)" in card
    assert f"<code>{completed.sha256}</code>" in card
    assert ">not yet<" in card
    download(completed.pk)
    assert ">once<" in card_of(completed, client_of(alice))


def test_a_long_list_of_warnings_is_cut_and_says_so(
    processing: ExportJob, alice: User, client_of: ClientOf
) -> None:
    warnings = [
        {"code": "image_missing", "message": f"Gone {n}.", "image": f"<{n:02}>.png"} for n in range(1021)
    ]
    lifecycle.complete(processing.pk, 1, PublishedFile("a.zip", 1, "0" * 64), warnings)
    card = card_of(processing, client_of(alice))
    assert "1,021 warnings" in card
    assert card.count(".png</b>") == 20
    assert "&lt;19&gt;.png" in card
    assert "and 1,001 more, all listed in errors.csv of the archive" in card


def test_a_stage_is_told_by_its_code(processing: ExportJob) -> None:
    processing.stage, processing.stage_done, processing.stage_total = "images", 1234, 20_000
    assert wording.stage(processing) == "Image 1,234 of 20,000"
    processing.stage, processing.message = "publishing", "?"
    assert wording.stage(processing) == "Checking the archive"
    processing.stage, processing.message = "polishing", "Polishing"
    assert wording.stage(processing) == "Polishing"


def test_every_stage_of_a_build_has_words(job: ExportJob, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[Advance] = []
    monkeypatch.setattr("exports.pulse.Pulse.show", lambda pulse, advance: said.append(advance))
    build.run(job.pk)
    stages = {each.stage for each in said}
    assert stages >= {"images", "finishing", "publishing"}
    assert stages <= {"images", *wording._STAGES}
    assert all(str(wording._STAGES[each.stage]) == each.message for each in said if each.stage != "images")


def test_a_known_failure_is_told_in_the_readers_language(
    failed: ExportJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(wording.FAILURES, "build_failed", gettext_lazy("January"))
    assert wording.failure(failed) == ("", "The archive could not be built.")
    with override("de"):
        assert wording.failure(failed) == ("Januar", "The archive could not be built.")
        failed.error = "January"
        assert wording.failure(failed) == ("Januar", "")
        failed.error_code = "unheard_of"
        assert wording.failure(failed) == ("", "January")


def test_the_english_detail_is_marked_as_english(failed: ExportJob, alice: User, client_of: ClientOf) -> None:
    card = card_of(failed, client_of(alice))
    assert '<span lang="en">The archive could not be built.</span>' in card
    assert f"<code>{failed.pk}</code>" in card


FAILURES = [OSError(28, "full"), RuntimeError("?")]


@pytest.mark.parametrize("error", FAILURES, ids=["disk", "bug"])
def test_the_sentences_of_a_build_are_those_that_are_translated(error: Exception) -> None:
    failure = build._failure(error)
    assert str(wording.FAILURES[failure.code]) == failure.sentence


def test_a_lost_worker_has_a_sentence_too() -> None:
    failure: Failure = lifecycle._worker_lost(3)
    assert failure.code in wording.FAILURES


@pytest.mark.parametrize(
    ("hours", "words"), [(168, "7 days left"), (47, "2 days left"), (30, "30 h left"), (-1, "1 s left")]
)
def test_the_time_left_is_said_in_days_then_hours(hours: float, words: str) -> None:
    assert export_card.time_left(timezone.now() + timedelta(hours=hours, seconds=1)) == words


# --- The history


def found(client: Client, query: str) -> int:
    return client.get(f"/exports/{query}").content.decode().count("data-export-id")


def test_a_history_is_narrowed_by_status(
    completed: ExportJob, project: Project, alice: User, client_of: ClientOf
) -> None:
    lifecycle.request(request_for(project, alice))
    client = client_of(alice)
    counts = {status: found(client, f"?status={status}") for status in ("", "active", "ready", "failed")}
    assert counts == {"": 2, "active": 1, "ready": 1, "failed": 0}
    assert "No export matches." in client.get("/exports/?status=failed").content.decode()


def test_a_history_is_narrowed_by_a_part_of_a_projects_name(
    job: ExportJob, alice: User, client_of: ClientOf
) -> None:
    client = client_of(alice)
    assert [found(client, f"?project={name}") for name in ("nucl", "NUCLEI", "%25", "_", "x")] == [
        1,
        1,
        0,
        0,
        0,
    ]


def test_a_renamed_project_is_found_by_either_name(job: ExportJob, alice: User, client_of: ClientOf) -> None:
    Project.objects.filter(pk=job.project_id).update(name="Membranes")
    client = client_of(alice)
    assert [found(client, f"?project={name}") for name in ("nucl", "membr")] == [1, 1]


@pytest.mark.parametrize("query", ["?status=eaten", "?project=%00", f"?project={'x' * 201}"])
def test_what_cannot_be_looked_for_leaves_nothing_out(
    job: ExportJob, alice: User, client_of: ClientOf, query: str
) -> None:
    assert found(client_of(alice), query) == 1


def test_the_pages_of_a_history_stay_narrow(
    project: Project, alice: User, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exports.views.EXPORTS_A_PAGE", 1)
    for _ in range(2):
        job, _ = lifecycle.request(request_for(project, alice))
        lifecycle.cancel(job.pk, lifecycle.actor(alice))
    page = client_of(alice).get("/exports/?status=cancelled").content.decode()
    assert 'href="?status=cancelled&amp;page=2"' in page


def test_an_empty_history_says_how_to_begin(alice: User, client_of: ClientOf) -> None:
    assert "Open a project and press Export" in client_of(alice).get("/exports/").content.decode()


@pytest.mark.parametrize("path", ["/exports/", "project"])
def test_the_number_of_queries_is_the_same_for_one_card_and_for_many(
    completed: ExportJob, bob: User, alice: User, client_of: ClientOf, path: str
) -> None:
    client, address = client_of(alice), path if path != "project" else completed.project.get_absolute_url()
    with CaptureQueriesContext(
        connection,
    ) as one:
        client.get(address)
    for user in (alice, bob):
        download(built(completed.project, user, metrics_formats=["csv"]).pk, lifecycle.actor(user))
        lifecycle.request(request_for(completed.project, user))
    with CaptureQueriesContext(connection) as many:
        page = client.get(address).content.decode()
    assert page.count("data-export-id") == 5
    assert len(many) == len(one)

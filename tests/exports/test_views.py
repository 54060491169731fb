from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from exports import lifecycle
from exports.models import ExportJob
from exports.states import Status
from projects.models import Project
from tests.jobs import download, request_for

ClientOf = Callable[[User], Client]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("bell")]

# What a browser sends of the form as it opens.
FORM = {
    "includeOriginalImages": "on",
    "includeVisualizations": "on",
    "includeDocumentation": "on",
    "annotationFormats": ["coco", "json"],
    "metricsFormats": ["excel"],
    "visualizationOptions.showNumbers": "on",
    "visualizationOptions.polygonColors.external": "#FF0000",
    "visualizationOptions.polygonColors.internal": "#0000FF",
    "visualizationOptions.strokeWidth": "2",
    "visualizationOptions.fontSize": "32",
    "visualizationOptions.opacity": "0.3",
    "visualizationOptions.format": "png",
}


def status_of(job: ExportJob) -> str:
    return ExportJob.objects.values_list("status", flat=True).get(pk=job.pk)


def test_the_form_starts_an_export_and_leads_back_to_the_project(
    project: Project, bob: User, client_of: ClientOf
) -> None:
    answer = client_of(bob).post(f"/projects/{project.pk}/export/", FORM)
    job = ExportJob.objects.get()
    assert answer.headers["Location"] == f"{project.get_absolute_url()}#export-{job.pk}"
    assert job.options == request_for(project, bob).options.as_json()


def test_the_form_says_every_option(project: Project, alice: User, client_of: ClientOf) -> None:
    chosen = str(project.images.get(name="b.png").pk)
    changed = FORM | {"annotationFormats": [], "pixelToMicrometerScale": "0.25", "selectedImageIds": [chosen]}
    changed["includeIntensity"] = "on"
    del changed["visualizationOptions.showNumbers"]
    client_of(alice).post(f"/projects/{project.pk}/export/", changed)
    options = ExportJob.objects.get().options
    assert options["annotationFormats"] == []
    assert options["includeIntensity"] is True
    assert options["pixelToMicrometerScale"] == 0.25
    assert options["selectedImageIds"] == [chosen]
    assert options["visualizationOptions"]["showNumbers"] is False


def test_ticked_images_arrive_in_the_form(project: Project, alice: User, client_of: ClientOf) -> None:
    chosen = project.images.get(name="b.png").pk
    page = client_of(alice).get(f"/projects/{project.pk}/export/?selectedImageIds={chosen}").content.decode()
    assert "1 selected image" in page
    assert f'name="selectedImageIds" value="{chosen}"' in page


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("visualizationOptions.strokeWidth", "99"),
        ("visualizationOptions.polygonColors.external", "red"),
        ("visualizationOptions.opacity", "dark"),
        ("pixelToMicrometerScale", "0"),
        ("annotationFormats", "papyrus"),
        ("selectedImageIds", "no-id"),
    ],
)
def test_a_wrong_choice_is_said_at_its_field(
    project: Project, alice: User, client_of: ClientOf, field: str, value: str
) -> None:
    answer = client_of(alice).post(f"/projects/{project.pk}/export/", FORM | {field: value})
    place = answer.content.decode().split(f'data-error-for="{field}"')[1].split("</p>")[0]
    assert answer.status_code == 422
    assert not place.startswith(" hidden")
    assert len(place) > 5
    assert not ExportJob.objects.exists()


def test_an_export_of_nothing_is_refused_in_the_form(
    project: Project, alice: User, client_of: ClientOf
) -> None:
    nothing = {name: value for name, value in FORM.items() if name.startswith("visualizationOptions.")}
    page = client_of(alice).post(f"/projects/{project.pk}/export/", nothing).content.decode()
    assert "Choose at least one of images" in page


def test_a_refusal_of_the_start_is_said_on_top(project: Project, alice: User, client_of: ClientOf) -> None:
    project.images.update(removed_at=project.created_at)
    answer = client_of(alice).post(f"/projects/{project.pk}/export/", FORM)
    assert answer.status_code == 409
    assert "the project has no images" in answer.content.decode()


def test_a_viewer_reads_why_the_button_is_off(project: Project, vera: User, client_of: ClientOf) -> None:
    page = client_of(vera).get(project.get_absolute_url()).content.decode()
    assert 'disabled aria-describedby="export-refusal">Export</button>' in page
    assert "You are a viewer here" in page
    assert "Start export" not in page


def test_a_viewer_cannot_post_the_form(project: Project, vera: User, client_of: ClientOf) -> None:
    answer = client_of(vera).post(f"/projects/{project.pk}/export/", FORM)
    assert answer.status_code == 403
    assert not ExportJob.objects.exists()


def test_a_stranger_finds_no_form(project: Project, mallory: User, client_of: ClientOf) -> None:
    client = client_of(mallory)
    assert client.get(f"/projects/{project.pk}/export/").status_code == 404
    assert client.post(f"/projects/{project.pk}/export/", FORM).status_code == 404


def test_the_project_page_reloads_itself_without_scripts_while_an_export_is_under_way(
    job: ExportJob, alice: User, client_of: ClientOf
) -> None:
    client, address = client_of(alice), job.project.get_absolute_url()
    reload = f'<noscript><meta http-equiv="refresh" content="3; url={address}"></noscript>'
    assert reload in client.get(address).content.decode()
    lifecycle.cancel(job.pk, lifecycle.actor(alice))
    assert reload not in client.get(address).content.decode()


def test_an_export_under_way_can_be_cancelled_by_its_form(
    processing: ExportJob, alice: User, client_of: ClientOf
) -> None:
    answer = client_of(alice).post(f"/exports/{processing.pk}/cancel/")
    assert answer.status_code == 302
    assert status_of(processing) == Status.CANCELLED


def test_a_cancel_that_comes_too_late_is_explained(
    completed: ExportJob, alice: User, client_of: ClientOf
) -> None:
    download(completed.pk, lifecycle.actor(alice))
    page = client_of(alice).post(f"/exports/{completed.pk}/cancel/", follow=True).content.decode()
    assert "was downloaded already" in page
    assert status_of(completed) == Status.COMPLETED


def test_a_failed_export_is_tried_again(failed: ExportJob, alice: User, client_of: ClientOf) -> None:
    client_of(alice).post(f"/exports/{failed.pk}/retry/")
    again = ExportJob.objects.get(retry_of=failed)
    assert again.options == failed.options


def test_the_file_of_a_completed_export_is_deleted(
    completed: ExportJob, alice: User, client_of: ClientOf
) -> None:
    client_of(alice).post(f"/exports/{completed.pk}/delete/")
    assert status_of(completed) == Status.EXPIRED


@pytest.mark.parametrize("action", ["cancel", "retry", "delete"])
def test_looking_changes_nothing(job: ExportJob, alice: User, client_of: ClientOf, action: str) -> None:
    assert client_of(alice).get(f"/exports/{job.pk}/{action}/").status_code == 405


@pytest.mark.parametrize("action", ["cancel", "retry", "delete"])
def test_other_members_cannot_touch_an_export(
    job: ExportJob, bob: User, client_of: ClientOf, action: str
) -> None:
    assert client_of(bob).post(f"/exports/{job.pk}/{action}/").status_code == 404
    assert status_of(job) == Status.PENDING


CARDS = {
    "job": ("Next in the queue", "Cancel export", ["Download", "Try again"]),
    "processing": ("Building the archive", "Cancel export", ["Download", "Try again"]),
    "completed": ("Ready to download", "Download", ["Try again"]),
    "failed": ("The archive could not be built.", "Try again", ["Cancel export", "Download"]),
    "cancelled": ("Cancelled by you", "Same again", ["Cancel export", "Download", "Try again"]),
    "expired": ("File removed", "Same again", ["Cancel export", "Download", "Try again"]),
}


@pytest.mark.parametrize("state", CARDS)
def test_a_card_says_the_state_and_offers_what_can_be_done(
    request: pytest.FixtureRequest, client_of: ClientOf, state: str
) -> None:
    job = request.getfixturevalue(state)
    card = client_of(job.user).get(f"/exports/{job.pk}/card/").content.decode()
    words, control, absent = CARDS[state]
    assert f'data-export-id="{job.pk}" data-status="{job.status}"' in card
    assert words in card
    assert f">{control}<" in card
    assert not [each for each in absent if f">{each}<" in card]


def test_a_stranger_gets_no_card(job: ExportJob, mallory: User, client_of: ClientOf) -> None:
    assert client_of(mallory).get(f"/exports/{job.pk}/card/").status_code == 404


def test_a_list_of_exports_is_read_in_one_query(
    project: Project, alice: User, client_of: ClientOf, settings: Any, django_assert_num_queries: Any
) -> None:
    settings.EXPORT_MAX_ACTIVE_PER_USER = 5
    for width in range(1, 5):
        lifecycle.request(request_for(project, alice, visualization_options={"stroke_width": width}))
    client = client_of(alice)
    with django_assert_num_queries(5):  # session, user, count, exports, their audit
        page = client.get("/exports/").content.decode()
    assert page.count("data-export-id") == 4


def test_a_project_shows_twenty_exports_and_the_way_to_the_rest(
    project: Project, alice: User, client_of: ClientOf
) -> None:
    for _ in range(21):
        job, _ = lifecycle.request(request_for(project, alice))
        lifecycle.cancel(job.pk, lifecycle.actor(alice))
    page = client_of(alice).get(project.get_absolute_url()).content.decode()
    assert page.count("data-export-id") == 20
    assert "All exports" in page


def test_members_see_only_their_own_exports(job: ExportJob, bob: User, client_of: ClientOf) -> None:
    assert "data-export-id" not in client_of(bob).get("/exports/").content.decode()
    assert "data-export-id" not in client_of(bob).get(job.project.get_absolute_url()).content.decode()

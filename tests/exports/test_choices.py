"""What the page and the dialog open with, and the choice of an export without scripts."""

from __future__ import annotations

import html
import json
import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from exports import lifecycle, presets, starting
from exports.models import ExportJob, Preset
from exports.options import parse
from projects.models import Image, Project
from tests.conftest import add_image
from tests.exports.test_views import FORM
from tests.jobs import request_for

ClientOf = Callable[[User], Client]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("bell")]


def export(project: Project, user: User, **choices: Any) -> ExportJob:
    """One that ended, so that any number can be."""
    job, _ = lifecycle.request(request_for(project, user, **choices))
    return lifecycle.cancel(job.pk, lifecycle.actor(user))


def keep(user: User, project: Project, name: str, *, is_shared: bool = False) -> Preset:
    wanted = presets.Wanted(name=name, is_shared=is_shared, options={"metricsFormats": ["csv"]})
    return presets.create(user, project, wanted)


def ids_of(project: Project, *names: str) -> list[uuid.UUID]:
    return [project.images.get(name=name).pk for name in names]


def ticked(page: str, name: str) -> list[str]:
    """The values of the ticked boxes of that name."""
    boxes = re.findall(rf'<input[^>]*name="{re.escape(name)}"[^>]*>', page)
    return [found[1] for box in boxes if " checked" in box and (found := re.search(r'value="(.*?)"', box))]


def test_without_any_export_the_defaults_are_the_start(alice: User, project: Project) -> None:
    begun = starting.start(alice, project)
    assert (begun.options, begun.scales.own, begun.had_selection) == ({}, 0.5, False)


def test_the_last_choice_of_the_project_is_the_start_without_its_selection(
    alice: User, bob: User, project: Project
) -> None:
    chosen = ids_of(project, "a.png")
    export(project, alice, metrics_formats=["csv"], pixel_to_micrometer_scale=0.3)
    export(
        project, alice, metrics_formats=["json"], pixel_to_micrometer_scale=0.25, selected_image_ids=chosen
    )
    export(project, bob, metrics_formats=["parquet"])
    begun = starting.start(alice, project)
    assert (begun.options["metricsFormats"], begun.options["pixelToMicrometerScale"]) == (["json"], 0.25)
    assert "selectedImageIds" not in begun.options
    assert not begun.had_selection


def test_elsewhere_the_last_choice_is_the_start_without_its_scale(alice: User, project: Project) -> None:
    export(project, alice, metrics_formats=["csv"], pixel_to_micrometer_scale=0.25)
    begun = starting.start(alice, Project.objects.create(name="Other", owner=alice))
    assert begun.options["metricsFormats"] == ["csv"]
    assert "pixelToMicrometerScale" not in begun.options


def test_the_same_again_selects_what_is_still_there_and_says_what_is_not(
    alice: User, project: Project
) -> None:
    first, second = ids_of(project, "a.png", "b.png")
    job = export(project, alice, selected_image_ids=[first, second])
    Image.objects.filter(pk=second).update(removed_at=timezone.now())
    begun = starting.start(alice, project, like=str(job.pk))
    assert begun.options["selectedImageIds"] == [str(first)]
    assert begun.note == "1 image that was selected then is no longer in this project."


def test_the_same_again_without_any_of_its_images_does_not_mean_all(
    alice: User, project: Project, client_of: ClientOf
) -> None:
    job = export(project, alice, selected_image_ids=ids_of(project, "a.png"))
    Image.objects.filter(name="a.png").update(removed_at=timezone.now())
    begun = starting.start(alice, project, like=str(job.pk))
    assert (begun.had_selection, begun.missing, begun.options.get("selectedImageIds")) == (True, 1, None)
    answer = client_of(alice).post(f"/projects/{project.pk}/export/", FORM | {"whichImages": "selected"})
    assert answer.status_code == 422


def test_a_form_without_scripts_can_select_thousands_of_images(
    alice: User, project: Project, client_of: ClientOf
) -> None:
    Image.objects.bulk_create(
        Image(project=project, name=str(number), file="x", width=1, height=1, size=1, sha256="0")
        for number in range(1500)
    )
    ids = [str(key) for key in project.images.values_list("pk", flat=True)]
    client_of(alice).post(f"/projects/{project.pk}/export/", FORM | {"selectedImageIds": ids})
    assert ExportJob.objects.get().options["selectedImageIds"] == sorted(ids)


@pytest.mark.parametrize("page", ["", "fields/"])
def test_only_exports_that_one_may_see_are_done_again(
    alice: User, bob: User, project: Project, client_of: ClientOf, page: str
) -> None:
    hers, his = (
        export(project, alice, metrics_formats=["csv"]),
        export(project, bob, metrics_formats=["json"]),
    )
    address = f"/projects/{project.pk}/export/{page}?like="
    assert client_of(bob).get(f"{address}{hers.pk}").status_code == 404
    answer = client_of(alice).get(f"{address}{his.pk}")
    assert ticked(answer.content.decode(), "metricsFormats") == ["json"]


def test_an_export_of_another_project_is_not_done_again_here(alice: User, project: Project) -> None:
    job = export(project, alice)
    other = Project.objects.create(name="Other", owner=alice)
    with pytest.raises(starting.Http404):
        starting.start(alice, other, like=str(job.pk))


@pytest.mark.parametrize("page", ["", "fields/"])
@pytest.mark.parametrize(
    "asked", ["like=x", "preset=x", f"like={uuid.UUID(int=1)}", f"preset={uuid.UUID(int=1)}"]
)
def test_what_is_not_there_is_not_found(
    alice: User, project: Project, client_of: ClientOf, page: str, asked: str
) -> None:
    assert client_of(alice).get(f"/projects/{project.pk}/export/{page}?{asked}").status_code == 404


@pytest.mark.parametrize("page", ["", "fields/"])
def test_a_preset_or_the_defaults_fill_the_form(
    alice: User, project: Project, client_of: ClientOf, page: str
) -> None:
    export(project, alice, metrics_formats=["parquet"])
    address = f"/projects/{project.pk}/export/{page}?preset="
    for asked, formats in (
        (keep(alice, project, "x").pk, ["csv"]),
        ("defaults", ["excel"]),
        ("", ["parquet"]),
    ):
        assert ticked(client_of(alice).get(f"{address}{asked}").content.decode(), "metricsFormats") == formats


def test_the_presets_of_others_fill_nothing(
    alice: User, bob: User, project: Project, client_of: ClientOf
) -> None:
    address = f"/projects/{project.pk}/export/?preset="
    assert client_of(bob).get(f"{address}{keep(alice, project, 'hers').pk}").status_code == 404
    shared = keep(alice, project, "ours", is_shared=True)
    page = client_of(bob).get(f"{address}{shared.pk}").content.decode()
    assert f'<option value="{shared.pk}" selected>ours</option>' in page
    assert "hers" not in page


def test_the_fields_are_for_those_who_may_export(
    vera: User, mallory: User, project: Project, client_of: ClientOf
) -> None:
    address = f"/projects/{project.pk}/export/fields/"
    assert client_of(vera).get(address).status_code == 403
    assert client_of(mallory).get(address).status_code == 404
    assert Client().get(address).status_code == 302


def test_ticked_images_go_before_an_earlier_selection(alice: User, project: Project) -> None:
    first, second = map(str, ids_of(project, "a.png", "b.png"))
    job = export(project, alice, selected_image_ids=[uuid.UUID(first)])
    begun = starting.start(alice, project, like=str(job.pk), selected=[second, second])
    assert (begun.options["selectedImageIds"], begun.missing) == ([second], 0)


def test_scales_that_differ_are_left_to_each_image(
    alice: User, project: Project, client_of: ClientOf
) -> None:
    add_image(project, "c.png", None, pixel_size=0.25)
    add_image(project, "d.png", None)
    begun = starting.start(alice, project)
    assert (begun.scales.least, begun.scales.most, begun.scales.unknown) == (0.25, 0.5, 1)


def test_removed_images_have_no_say_in_the_scale(alice: User, project: Project) -> None:
    add_image(project, "c.png", None, pixel_size=9)
    Image.objects.filter(name="c.png").update(removed_at=timezone.now())
    assert starting.start(alice, project).scales.own == 0.5


def test_an_unchanged_scale_stays_each_images_own(alice: User, project: Project, client_of: ClientOf) -> None:
    client_of(alice).post(f"/projects/{project.pk}/export/", FORM | {"pixelToMicrometerScale": "0.5"})
    assert ExportJob.objects.get().options["pixelToMicrometerScale"] is None


def test_a_preset_is_saved_in_two_steps_without_scripts(
    alice: User, project: Project, client_of: ClientOf
) -> None:
    client, address = client_of(alice), f"/projects/{project.pk}/export/presets/"
    chosen = FORM | {"metricsFormats": ["csv"], "selectedImageIds": [str(ids_of(project, "a.png")[0])]}
    naming = client.post(f"{address}new/", chosen).content.decode()
    kept = re.search(r'name="options" value="(.*?)"', naming)
    assert kept
    sent = {"name": "Mine", "shared": "project", "options": html.unescape(kept[1])}
    answer = client.post(address, sent)
    preset = Preset.objects.get()
    assert answer.headers["Location"] == f"/projects/{project.pk}/export/?preset={preset.pk}"
    assert preset.options == parse({"metricsFormats": ["csv"]}).as_json()
    assert preset.project == project


def test_choices_that_cannot_be_used_are_not_named(
    alice: User, project: Project, client_of: ClientOf
) -> None:
    wrong = FORM | {"visualizationOptions.strokeWidth": "99"}
    answer = client_of(alice).post(f"/projects/{project.pk}/export/presets/new/", wrong)
    assert answer.status_code == 422
    assert "Start export" in answer.content.decode()


@pytest.mark.parametrize("options", ["{}", '{"colour": 1}', "no JSON", ""])
def test_what_cannot_be_saved_is_said_on_the_page(
    alice: User, project: Project, client_of: ClientOf, options: str
) -> None:
    keep(alice, project, "Mine")
    sent = {"name": "mine", "options": options}
    answer = client_of(alice).post(f"/projects/{project.pk}/export/presets/", sent)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode()
    assert Preset.objects.count() == 1


def test_a_preset_is_deleted_without_scripts(alice: User, project: Project, client_of: ClientOf) -> None:
    preset, client = keep(alice, project, "Mine"), client_of(alice)
    page = client.get(f"/projects/{project.pk}/export/").content.decode()
    address = f"/projects/{project.pk}/export/presets/{preset.pk}/delete/"
    assert f'action="{address}"' in page
    assert client.get(address).status_code == 405
    assert "The preset was deleted." in client.post(address, follow=True).content.decode()
    assert not Preset.objects.exists()


@pytest.mark.parametrize("action", ["new/", "", "{}/delete/"])
def test_presets_are_for_those_who_may_export(
    alice: User, vera: User, mallory: User, project: Project, client_of: ClientOf, action: str
) -> None:
    preset = keep(alice, project, "ours", is_shared=True)
    address = f"/projects/{project.pk}/export/presets/{action.format(preset.pk)}"
    sent = FORM | {"name": "x", "options": json.dumps({})}
    assert client_of(vera).post(address, sent).status_code == 403
    assert client_of(mallory).post(address, sent).status_code == 404
    assert Preset.objects.get().name == "ours"


def test_the_page_takes_the_same_queries_however_much_there_is(
    alice: User, project: Project, client_of: ClientOf, django_assert_num_queries: Any
) -> None:
    for number in range(3):
        export(project, alice)
        keep(alice, project, str(number))
    client = client_of(alice)
    # session, user, visible, exportable, last choice, scales, exportable, presets
    with django_assert_num_queries(8):
        client.get(f"/projects/{project.pk}/export/")

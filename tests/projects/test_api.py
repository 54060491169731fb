from __future__ import annotations

import uuid
from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from projects.models import Image, Project
from tests.calling import call

pytestmark = pytest.mark.django_db(transaction=True)


def add_images(project: Project, *names: str) -> None:
    Image.objects.bulk_create(
        Image(project=project, name=name, file="x", width=1, height=1, size=1, sha256="0" * 64)
        for name in names
    )


def test_a_project_tells_what_is_in_it(alice: User, project: Project) -> None:
    answer = call(alice, "GET", f"/api/projects/{project.pk}").json()
    assert answer == {
        "id": str(project.pk),
        "name": "Nuclei",
        "description": "",
        "ownerId": alice.pk,
        "createdAt": project.created_at.isoformat().replace("+00:00", "Z"),
        "images": 3,
        "objects": 6,
        "exportable": True,
    }


def test_the_list_holds_only_what_one_may_see(alice: User, mallory: User, project: Project) -> None:
    mine = call(alice, "GET", "/api/projects").json()
    theirs = call(mallory, "GET", "/api/projects").json()
    assert [each["name"] for each in mine["projects"]] == ["Nuclei"]
    assert theirs == {"projects": [], "nextCursor": None}


def test_a_viewer_sees_that_it_cannot_be_exported(vera: User, project: Project) -> None:
    assert call(vera, "GET", f"/api/projects/{project.pk}").json()["exportable"] is False


def test_images_tell_their_size_and_objects(alice: User, project: Project) -> None:
    images = call(alice, "GET", f"/api/projects/{project.pk}/images").json()["images"]
    assert [(each["name"], each["objects"]) for each in images] == [
        ("a.png", 3),
        ("b.png", 3),
        ("empty.png", 0),
    ]
    assert (images[0]["width"], images[0]["height"], images[0]["pixelSize"]) == (64, 48, 0.5)
    assert images[0]["bytes"] == Image.objects.get(name="a.png").size
    assert {*images[0]} >= {"id", "name", "width", "height", "bytes", "objects"}


def test_removed_images_are_not_listed(alice: User, project: Project) -> None:
    Image.objects.filter(name="a.png").update(removed_at=timezone.now())
    images = call(alice, "GET", f"/api/projects/{project.pk}/images").json()["images"]
    assert [each["name"] for each in images] == ["b.png", "empty.png"]


def test_pages_of_images_hold_each_once_also_when_names_are_equal(alice: User) -> None:
    project = Project.objects.create(name="Many", owner=alice)
    add_images(project, *["same"] * 5, "ä", "Z", "a")
    seen, cursor = [], ""
    for _ in range(4):
        answer = call(alice, "GET", f"/api/projects/{project.pk}/images?limit=2{cursor}").json()
        seen += [each["id"] for each in answer["images"]]
        cursor = f"&cursor={answer['nextCursor']}"
    assert answer["nextCursor"] is None
    assert seen == [str(key) for key in project.images.order_by("name", "pk").values_list("pk", flat=True)]


def test_pages_of_projects_hold_each_once(alice: User) -> None:
    Project.objects.bulk_create(Project(name=f"P{number}", owner=alice) for number in range(3))
    first = call(alice, "GET", "/api/projects?limit=2").json()
    second = call(alice, "GET", f"/api/projects?limit=2&cursor={first['nextCursor']}").json()
    names = [each["name"] for page in (first, second) for each in page["projects"]]
    assert (names, second["nextCursor"]) == (["P0", "P1", "P2"], None)


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=-5", "cursor=", "cursor=%00"])
@pytest.mark.parametrize("path", ["", "/{}/images"])
def test_a_page_that_cannot_be_had_is_refused(alice: User, project: Project, path: str, query: str) -> None:
    response = call(alice, "GET", f"/api/projects{path.format(project.pk)}?{query}")
    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")


@pytest.mark.parametrize("path", ["", "/images"])
def test_a_stranger_finds_nothing(mallory: User, project: Project, path: str) -> None:
    theirs = call(mallory, "GET", f"/api/projects/{project.pk}{path}")
    nothing = call(mallory, "GET", f"/api/projects/{uuid.uuid4()}{path}")
    assert (theirs.status_code, theirs.content) == (404, nothing.content)


def test_lists_take_the_same_queries_however_long(alice: User, project: Project) -> None:
    counts = []
    for number in range(3):
        add_images(project, f"{number}.png")
        Project.objects.create(name=str(number), owner=alice)
        with CaptureQueriesContext(connection) as queries:
            call(alice, "GET", "/api/projects")
            call(alice, "GET", f"/api/projects/{project.pk}/images")
        counts.append(len(queries))
    assert len(set(counts)) == 1, counts


def test_listing_images_reads_no_outlines(alice: User, project: Project) -> None:
    with CaptureQueriesContext(connection) as queries:
        call(alice, "GET", f"/api/projects/{project.pk}/images")
    assert not [query for query in queries if '"points"' in query["sql"]]


def found(user: User, project: Project, search: str) -> tuple[list[str], int]:
    """The names on the first page of what is found, and how many there are in all."""
    answer = call(user, "GET", f"/api/projects/{project.pk}/images?limit=2&search={quote(search)}").json()
    return [each["name"] for each in answer["images"]], answer["total"]


@pytest.mark.parametrize(
    ("search", "names"),
    [
        ("", {"100%.png", "1000.png", "a_b.png", "aXb.png", "İç\\.png"}),
        ("  ", {"100%.png", "1000.png", "a_b.png", "aXb.png", "İç\\.png"}),
        (" axB ", {"aXb.png"}),
        ("100%", {"100%.png"}),
        ("_", {"a_b.png"}),
        ("\\", {"İç\\.png"}),
        ("ç", {"İç\\.png"}),
        (".PNG", {"100%.png", "1000.png", "a_b.png", "aXb.png", "İç\\.png"}),
        ("a\0xb", {"aXb.png"}),
        ("'; --", set()),
    ],
)
def test_a_search_finds_parts_of_names_and_knows_no_patterns(
    alice: User, search: str, names: set[str]
) -> None:
    project = Project.objects.create(name="Named", owner=alice)
    add_images(project, "100%.png", "1000.png", "a_b.png", "aXb.png", "İç\\.png")
    shown, total = found(alice, project, search)
    assert total == len(names)
    assert len(shown) == min(2, total)
    assert set(shown) <= names


def test_pages_of_what_is_found_hold_each_once(alice: User) -> None:
    project = Project.objects.create(name="Many", owner=alice)
    add_images(project, "b1", "a1", "a2", "A3", "b2")
    first = call(alice, "GET", f"/api/projects/{project.pk}/images?limit=2&search=a").json()
    rest = f"/api/projects/{project.pk}/images?limit=2&search=a&cursor={first['nextCursor']}"
    second = call(alice, "GET", rest).json()
    assert {each["name"] for page in (first, second) for each in page["images"]} == {"a1", "a2", "A3"}
    assert (first["total"], second["total"], second["nextCursor"]) == (3, 3, None)


def test_the_ids_of_all_that_is_found_come_by_name(alice: User, project: Project) -> None:
    Image.objects.filter(name="a.png").update(removed_at=timezone.now())
    answer = call(alice, "GET", f"/api/projects/{project.pk}/images/ids?search=PNG").json()
    expected = project.images.filter(name__in=["b.png", "empty.png"]).order_by("name")
    assert answer == {"ids": [str(image.pk) for image in expected]}


def test_a_stranger_finds_no_ids(mallory: User, vera: User, project: Project) -> None:
    url = f"/api/projects/{project.pk}/images/ids"
    assert call(mallory, "GET", url).status_code == 404
    assert len(call(vera, "GET", url).json()["ids"]) == 3

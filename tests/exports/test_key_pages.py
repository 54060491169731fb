"""The page on which somebody makes and revokes their keys, and the administrators' list of all keys."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from exports import keys
from exports.models import ApiToken
from tests.calling import call, client_for, key_of

pytestmark = pytest.mark.django_db(transaction=True)
PAGE, LIST = "/accounts/keys/", "/admin/exports/apitoken/"
FORM = {"name": "Backup", "scope": "read", "days": "90"}
KEY = re.compile(r"csh_[\w-]{48}")


@pytest.fixture
def admin(transactional_db: None) -> Client:
    return client_for(User.objects.create_superuser("admin"))


def words(response: Any) -> str:
    return str(response.content.decode())


def test_a_key_is_shown_once_and_works(alice: User) -> None:
    client = client_for(alice)
    made = client.post(PAGE, FORM)
    text = KEY.search(words(made))
    assert text is not None
    assert call(None, "GET", "/api/projects", Authorization=f"Bearer {text[0]}").status_code == 200
    assert not KEY.search(words(client.get(PAGE)))
    assert text[0] not in str(dict(client.session))


def test_the_key_stays_in_no_cache(alice: User) -> None:
    assert "no-store" in client_for(alice).post(PAGE, FORM)["Cache-Control"]


def test_a_form_that_makes_no_sense_makes_no_key(alice: User) -> None:
    client = client_for(alice)
    for wrong in ({"name": ""}, {"name": "\0"}, {"scope": "admin"}, {"days": "0"}, {"days": ""}):
        response = client.post(PAGE, FORM | wrong)
        assert (response.status_code, 'role="alert"' in words(response)) == (422, True), wrong
    assert not ApiToken.objects.exists()


def test_a_form_that_is_sent_twice_makes_one_key(alice: User) -> None:
    client = client_for(alice)
    client.post(PAGE, FORM)
    again = client.post(PAGE, FORM)
    assert (again.status_code, "of this name" in words(again)) == (422, True)
    assert ApiToken.objects.count() == 1


def test_a_key_is_revoked_after_a_question(alice: User) -> None:
    client, text = client_for(alice), key_of(alice)
    address = f"{PAGE}{ApiToken.objects.get().pk}/revoke/"
    assert "cannot be undone" in words(client.get(address))
    assert ApiToken.objects.living().exists()
    assert "was revoked" in words(client.post(address, follow=True))
    assert call(None, "GET", "/api/projects", Authorization=f"Bearer {text}").status_code == 401


def test_a_revoked_key_stays_in_the_list_without_a_question(alice: User) -> None:
    key_of(alice)
    ApiToken.objects.all().revoke()
    page = words(client_for(alice).get(PAGE))
    assert ('data-key-state="revoked"' in page, "/revoke/" in page) == (True, False)


@pytest.mark.parametrize("method", ["get", "post"])
def test_the_keys_of_others_are_not_found(alice: User, bob: User, method: str) -> None:
    key_of(alice)
    address = f"{PAGE}{ApiToken.objects.get().pk}/revoke/"
    assert getattr(client_for(bob), method)(address).status_code == 404
    assert ApiToken.objects.living().exists()
    assert "Key secret" not in words(client_for(bob).get(PAGE))


def test_who_is_not_logged_in_is_asked_to(db: None) -> None:
    assert Client().get(PAGE)["Location"] == f"/accounts/login/?next={PAGE}"
    assert Client().post(f"{PAGE}1/revoke/").status_code == 302


def test_the_page_is_linked_from_every_page(alice: User) -> None:
    assert f'href="{PAGE}"' in words(client_for(alice).get("/"))


def test_a_name_is_no_markup(alice: User) -> None:
    page = words(client_for(alice).post(PAGE, FORM | {"name": "<b>x</b>"}))
    assert ("<b>x</b>" in page, "&lt;b&gt;x&lt;/b&gt;" in page) == (False, True)


def queries_of(client: Client, address: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


@pytest.mark.parametrize("address", [PAGE, LIST])
def test_more_keys_take_no_more_queries(admin: Client, address: str) -> None:
    owner = User.objects.get(username="admin")
    keys.create(owner, keys.Wanted(None, "read", 90))
    few = queries_of(admin, address)
    for name in ("x", "y", "z"):
        user = User.objects.create_user(name) if address == LIST else owner
        key_of(user, name)
    assert queries_of(admin, address) == few


def test_the_digest_of_a_key_is_shown_nowhere(admin: Client, alice: User) -> None:
    key_of(alice)
    key = ApiToken.objects.get()
    for address in (LIST, f"{LIST}{key.pk}/change/"):
        assert ("Key secret" in words(admin.get(address)), key.digest in words(admin.get(address))) == (
            True,
            False,
        )


def test_keys_are_filtered_and_searched(admin: Client, alice: User) -> None:
    key_of(alice)
    found = ("state=living", "state=%00", "scope=export", "scope=%00", "q=alice", "q=secre", "q=%00")
    missed = ("state=expired", "state=revoked", "scope=read", "q=bob")
    listed = {query for query in (*found, *missed) if "Key secret" in words(admin.get(f"{LIST}?{query}"))}
    assert listed == set(found)


def test_nothing_of_a_key_can_be_changed_added_or_deleted(admin: Client, alice: User) -> None:
    key_of(alice)
    pk = ApiToken.objects.get().pk
    addresses = (f"{LIST}{pk}/change/", f"{LIST}{pk}/delete/", f"{LIST}add/")
    assert [admin.post(url, {"name": "x", "post": "yes"}).status_code for url in addresses] == [403, 403, 403]
    assert ApiToken.objects.get().name == "Key secret"


@pytest.mark.parametrize(("permission", "is_revoked"), [("view_apitoken", False), ("change_apitoken", True)])
def test_keys_are_revoked_in_the_list_by_who_may(
    alice: User, client_of: Callable[[User], Client], permission: str, is_revoked: bool
) -> None:
    key_of(alice)
    staff = User.objects.create_user("staff", is_staff=True)
    staff.user_permissions.set(Permission.objects.filter(codename__in=["view_apitoken", permission]))
    chosen = {"action": "revoke_selected", "_selected_action": [str(ApiToken.objects.get().pk)]}
    client_of(staff).post(LIST, chosen)
    assert ApiToken.objects.living().exists() == (not is_revoked)

"""Somebody makes a key, by keyboard, on a narrow screen and without scripts."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from exports.models import ApiToken
from exports.tokens import digest
from tests.browser.conftest import OpenPage
from tests.browser.test_accessibility import overflow, violations

pytestmark = pytest.mark.django_db(transaction=True)
NARROW = {"width": 320, "height": 700}


def make_key(page: Page) -> str:
    page.get_by_label("Name").fill("Nightly backup")
    page.get_by_label("Name").press("Enter")
    shown = page.locator(".made-key code").first
    expect(shown).to_be_visible()
    return str(shown.text_content())


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_new_key_is_shown_to_everybody_and_copied_by_a_button(
    alice: User, open_page: OpenPage, scheme: str
) -> None:
    looks = {"color_scheme": scheme, "viewport": NARROW, "reduced_motion": "reduce"}
    page = open_page("/accounts/keys/", alice, permissions=["clipboard-read", "clipboard-write"], **looks)
    text = make_key(page)
    assert ApiToken.objects.get().digest == digest(text)
    copy = page.get_by_role("button", name="Copy the key")
    copy.focus()
    copy.press("Enter")
    expect(page.locator(".made-key [role=status]").last).to_have_text("Copied")
    assert (violations(page), overflow(page)) == ([], 0)


def test_a_key_is_made_and_revoked_without_scripts(alice: User, open_page: OpenPage) -> None:
    page = open_page("/accounts/keys/", alice, java_script_enabled=False)
    make_key(page)
    page.get_by_role("link", name="Revoke Nightly backup").click()
    page.get_by_role("button", name="Revoke").click()
    expect(page.get_by_role("alert")).to_contain_text("was revoked")
    assert not ApiToken.objects.living().exists()

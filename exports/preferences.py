"""How somebody wants to be told. Changes are single statements: two at once lose nothing."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models.functions import Coalesce, Now
from django.utils.translation import gettext as _

from exports import mail
from exports.exceptions import InvalidOptions
from exports.models import Preferences


def change(
    user: User,
    *,
    download_when_ready: bool | None = None,
    mail_when_ended: bool | None = None,
    language: str | None = None,
) -> Preferences:
    """What is None stays. Raise InvalidOptions for mail to an account without an address, and for another language."""
    _refuse_what_cannot_be(user, mail_when_ended, language)
    changes: dict[str, Any] = {"download_when_ready": download_when_ready, "language": language}
    changes = {name: value for name, value in changes.items() if value is not None}
    if mail_when_ended is not None:
        # Who wanted it already is told of what ended meanwhile too.
        changes["mail_since"] = Coalesce("mail_since", Now()) if mail_when_ended else None
    if changes:
        Preferences.objects.bulk_create([Preferences(user=user)], ignore_conflicts=True)
        Preferences.objects.filter(user=user).update(**changes)
    return Preferences.of(user)


def why_no_mail(user: User) -> str:
    """The sentence for somebody who can have no e-mails; empty for who can."""
    if not mail.is_offered():
        return _("This hub sends no e-mails. Ask who runs it to set it up.")
    return "" if user.email else _("Your account has no e-mail address. Ask who runs this hub to add it.")


def _refuse_what_cannot_be(user: User, mail_when_ended: bool | None, language: str | None) -> None:
    wrong = {}
    if mail_when_ended and why_no_mail(user):
        wrong["mailWhenEnded"] = why_no_mail(user)
    if language and language not in dict(settings.LANGUAGES):
        wrong["language"] = _("Choose a language of this site.")
    if wrong:
        raise InvalidOptions(" ".join(wrong.values()), fields=wrong)

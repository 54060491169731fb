"""The end of an account."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction

from projects.models import Membership


def close(user: User) -> None:
    """Forget who it was, and let nobody in with it any more: sessions and tokens end with the password.

    The row stays, for the audit names it. Projects that it owns stay too, for their members.
    """
    user.username, user.email, user.first_name, user.last_name = f"closed-{user.pk}", "", "", ""
    user.is_active = user.is_staff = user.is_superuser = False
    user.set_unusable_password()
    with transaction.atomic():
        user.save()
        user.groups.clear()
        user.user_permissions.clear()
        Membership.objects.filter(user=user).delete()

"""Keys for programs. Of a key itself only its digest is kept."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Case, Q, Value, When
from django.db.models.functions import Lower, Now
from django.utils.translation import gettext_lazy as _

MAX_KEY_NAME = 80
HINT_LENGTH = 8


class KeyScope(models.TextChoices):
    """What a key may do; each includes those before it."""

    READ = "read", "read"
    EXPORT = "export", "export"


class KeyState(models.TextChoices):
    LIVING = "living", _("in use")
    EXPIRED = "expired", _("expired")
    REVOKED = "revoked", _("revoked")


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def living(self) -> ApiTokenQuerySet:
        """Neither revoked nor expired, by the database's clock."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=Now()), revoked_at=None)

    def ended(self) -> ApiTokenQuerySet:
        return self.filter(Q(revoked_at__isnull=False) | Q(expires_at__lte=Now()))

    def revoke(self) -> int:
        """How many were; what was revoked before stays as it is."""
        return self.filter(revoked_at=None).update(revoked_at=Now())

    def with_state(self) -> ApiTokenQuerySet:
        """With `state`, by the database's clock."""
        return self.annotate(
            state=Case(
                When(revoked_at__isnull=False, then=Value(KeyState.REVOKED)),
                When(expires_at__lte=Now(), then=Value(KeyState.EXPIRED)),
                default=Value(KeyState.LIVING),
            )
        )


class ApiToken(models.Model):
    """A key of a user, for programs. It stays after it was revoked, so that its history does."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=MAX_KEY_NAME)
    scope = models.CharField(max_length=10, choices=KeyScope.choices)
    digest = models.CharField(max_length=64, unique=True)
    hint = models.CharField(max_length=HINT_LENGTH, blank=True)
    """How the key begins, to recognise it by."""
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    """None: never."""
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        verbose_name = "API key"
        constraints = [
            models.CheckConstraint(name="key_named", condition=~Q(name="")),
            models.CheckConstraint(name="key_scope_known", condition=Q(scope__in=KeyScope.values)),
            # An expired key keeps its name until it is revoked: no constraint can look at the clock.
            models.UniqueConstraint(
                "user", Lower("name"), name="key_name_once", condition=Q(revoked_at__isnull=True)
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="key_stays_revoked",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                func="""
                    IF OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS DISTINCT FROM OLD.revoked_at THEN
                        RAISE EXCEPTION 'key %: what was revoked stays revoked', OLD.id
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'key_stays_revoked';
                    END IF;
                    RETURN NEW;
                """,
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.scope}) of {self.user}"

    def allows(self, scope: str) -> bool:
        return scope in (KeyScope.READ, self.scope)

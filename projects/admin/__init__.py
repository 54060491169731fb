"""Projects, who may see them, their images, and the accounts, for administrators."""

from __future__ import annotations

from projects.admin.accounts import AccountAdmin
from projects.admin.images import ImageAdmin
from projects.admin.memberships import MembershipAdmin
from projects.admin.projects import ProjectAdmin
from projects.admin.reading import ReadOnly

__all__ = ["AccountAdmin", "ImageAdmin", "MembershipAdmin", "ProjectAdmin", "ReadOnly"]

"""Who may see which community."""

from __future__ import annotations

from django.db.models import QuerySet

from qunluo.community.models import Community, Staff, User
from qunluo.community.rules import (
    NoCommunityError,
    NotAllowedError,
    Permission,
    Settings,
    may,
    read_settings,
)


def list_posts(user: User) -> QuerySet[Staff]:
    """The communities a user works for, with the role in each."""
    return Staff.objects.filter(user=user).select_related("community", "user").order_by("id")


def access(user: User, community_id: int, permission: Permission) -> Staff:
    """The user's post in the community; raises `NoCommunityError` where there is none, and
    `NotAllowedError` where the role does not carry the permission."""
    if not user.is_active:
        raise NoCommunityError
    post = list_posts(user).filter(community_id=community_id).first()
    if post is None:
        raise NoCommunityError
    if not may(post.role, permission):
        raise NotAllowedError
    return post


def settings_of(community: Community) -> Settings:
    return read_settings(community.settings)

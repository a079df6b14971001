"""Founding a community and giving roles in it."""

from __future__ import annotations

from django.db import transaction
from django.utils.text import slugify

from qunluo.community.models import Community, Staff, User
from qunluo.community.rules import Role
from qunluo.events.actions import record
from qunluo.kit import clock


@transaction.atomic
def do_found(
    name: str, owner: User, *, zone: str = "Asia/Shanghai", lang: str = "zh-hans",
    simulated: bool = False,
) -> Community:  # fmt: skip
    """A new community with its owner."""
    base = slugify(name)[:30] or "community"
    taken = Community.objects.filter(slug__startswith=base).count()
    community = Community.objects.create(
        name=name, slug=f"{base}-{taken + 1}" if taken else base, zone=zone, lang=lang,
        simulated=simulated, made_at=clock.now(),
    )  # fmt: skip
    do_appoint(community, owner, "owner", by="system")
    return community


@transaction.atomic
def do_appoint(community: Community, user: User, role: Role, *, by: str) -> Staff:
    """Gives a user a role, in place of an earlier one."""
    post, _ = Staff.objects.update_or_create(
        community=community, user=user, defaults={"role": role}
    )
    record("staff_appointed", community=community.pk, actor=by,
           data={"user": user.pk, "role": role})  # fmt: skip
    return post

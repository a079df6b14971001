"""Who looks at a page: the member of a community, and their seat in a group."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import Http404, HttpRequest

from qunluo.channels.web.sessions import find_member, session_of
from qunluo.groups.models import Group, Membership
from qunluo.groups.queries import find_group, find_membership
from qunluo.h5.errors import NotHereError
from qunluo.members.models import Member


@dataclass(frozen=True)
class Seat:
    """A member in a group."""

    group: Group
    member: Member
    membership: Membership

    @property
    def shown(self) -> str:
        return self.membership.nickname or self.member.name


def find_visitor(request: HttpRequest, code: str) -> tuple[Group, Member | None]:
    """The group of an address, and who asks; raises `Http404` where there is no such group."""
    group = find_group(code)
    if group is None:
        raise Http404
    return group, find_member(session_of(request), group.community_id)


def find_seat(request: HttpRequest, code: str) -> Seat:
    """The visitor's seat; raises `NotHereError` where they have none."""
    group, member = find_visitor(request, code)
    membership = find_membership(group, member) if member else None
    if member is None or membership is None:
        raise NotHereError
    return Seat(group, member, membership)

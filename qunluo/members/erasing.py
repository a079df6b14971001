"""Erasure: the person is gone, the counts stay.

Rows that others count (memberships, messages, touches, cases) stay with a member called
"erased"; everything that says who they were goes. Rooms above register what of theirs to blank.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.db import transaction

from qunluo.events.actions import record
from qunluo.events.models import Event
from qunluo.kit import clock
from qunluo.members.models import Consent, Identity, Member, Merge, Tagging, Touch
from qunluo.members.queries import find_survivor, list_ids
from qunluo.members.rules import ERASED

Eraser = Callable[[Sequence[int]], None]
_above: list[Eraser] = []

BLANK: dict[str, Any] = {
    "name": ERASED, "avatar": "", "region": "", "birthday": None, "lat": None, "lon": None,
    "phone_sealed": "", "phone_hash": "", "email_sealed": "", "email_hash": "", "verified": [],
    "claimed": [], "fields": {}, "note": "", "search": "",
}  # fmt: skip
_TELLING = ("contact_revealed", "fields_set", "member_tagged", "member_untagged")
"""Our events with somebody's words about the member in them."""


def register(eraser: Eraser) -> Eraser:
    """Adds what a room above blanks, in the same transaction, given the ids of the member and
    of everybody merged into them; usable as a decorator."""
    if eraser not in _above:
        _above.append(eraser)
    return eraser


@transaction.atomic
def do_erase(member: Member, *, by: str) -> None:
    """Removes the person for good; a second time changes nothing."""
    member = Member.objects.select_for_update().get(pk=find_survivor(member).pk)
    if member.erased_at is not None:
        return
    ids = list_ids(member)
    for eraser in _above:
        eraser(ids)
    _erase_ours(ids)
    record("member_erased", community=member.community_id, member=member.pk, actor=by)


def _erase_ours(ids: Sequence[int]) -> None:
    for model in (Identity, Tagging, Consent):
        model.objects.filter(member__in=ids).delete()
    Touch.objects.filter(member__in=ids).update(page="")
    Merge.objects.filter(kept__in=ids).update(moved={}, undone_at=clock.now())
    Event.objects.filter(member_id__in=ids, kind__in=_TELLING).update(data={})
    Member.objects.filter(pk__in=ids).update(erased_at=clock.now(), **BLANK)

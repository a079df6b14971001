"""Testimonies 客户见证: offered by buyers with proof, decided by staff, shown only with consent.

Withdrawing consent takes a testimony off every page at once: pages ask `list_shown` each time.
"""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet

from qunluo.care.errors import (
    NotInGroupError,
    TestimonyDecidedError,
    TooManyTestimoniesError,
    WhyMissingError,
    WordsMissingError,
)
from qunluo.care.models import Testimony
from qunluo.care.rules import Proof, judge_proof
from qunluo.care.telling import do_tell, is_here
from qunluo.community.models import Community
from qunluo.events.actions import record
from qunluo.events.models import Event
from qunluo.groups.models import Group
from qunluo.kit import clock
from qunluo.kit.text import Text
from qunluo.members.models import Member
from qunluo.members.queries import list_ids

MOST_WAITING = 3
LONGEST = 2_000
POSTED = Text(
    "Thank you: what you said of us is shown now. You can take it back on your page at any time.",
    "谢谢你的分享，已经展示出来了。你可以随时在“我的页面”撤回。",
)
REFUSED = Text("Your testimony is not shown, because: {why}", "你的见证未能展示，原因：{why}")


# reading


def list_shown(community: Community, group: Group | None = None) -> QuerySet[Testimony]:
    """What may be shown now, the latest first; of one group, or of all."""
    rows = Testimony.objects.filter(
        community=community, state="approved", consented_at__isnull=False,
        member__erased_at=None,
    )  # fmt: skip
    rows = rows.filter(group=group) if group else rows
    return rows.select_related("member").order_by("-decided_at", "-pk")


def find_proof(testimony: Testimony) -> Proof:
    """What the record knows of the order."""
    paid = Event.objects.filter(
        community_id=testimony.community_id, kind="order_paid",
        member_id__in=list_ids(testimony.member),
    )  # fmt: skip
    return judge_proof(testimony.order, [str(e.data.get("order", "")) for e in paid[:1000]])


# members


@transaction.atomic
def do_offer_testimony(
    member: Member, text: str, *, may_show: bool, order: str = "", image: str = "",
    group: Group | None = None,
) -> Testimony:  # fmt: skip
    """A member says what they think of what they bought. Raises `WordsMissingError`,
    `NotInGroupError`, `TooManyTestimoniesError`."""
    text = text.strip()[:LONGEST]
    if not text:
        raise WordsMissingError
    if not is_here(member):
        raise NotInGroupError
    Member.objects.select_for_update().get(pk=member.pk)  # two at once count as two
    if Testimony.objects.filter(member=member, state="waiting").count() >= MOST_WAITING:
        raise TooManyTestimoniesError(most=MOST_WAITING)
    now = clock.now()
    testimony = Testimony.objects.create(
        community=member.community, group=group, member=member, text=text, image=image,
        order=order.strip()[:80], consented_at=now if may_show else None, at=now,
    )  # fmt: skip
    _record("testimony_offered", testimony, by=member.actor)
    return testimony


@transaction.atomic
def do_allow_testimony(testimony: Testimony, on: bool) -> None:
    """The member allows that it is shown, or takes that back; twice is once."""
    rows = Testimony.objects.filter(pk=testimony.pk, consented_at__isnull=on)
    if rows.update(consented_at=clock.now() if on else None):
        kind = "testimony_allowed" if on else "testimony_withdrawn"
        _record(kind, testimony, by=testimony.member.actor)
    testimony.refresh_from_db()


@transaction.atomic
def do_delete_testimony(testimony: Testimony) -> None:
    """The member takes it away for good, with what it said."""
    if Testimony.objects.filter(pk=testimony.pk).delete()[0]:
        record("testimony_withdrawn", community=testimony.community_id,
               actor=testimony.member.actor, member=testimony.member_id)  # fmt: skip


# staff


@transaction.atomic
def do_approve_testimony(testimony: Testimony, *, by: str) -> None:
    """It is put on the pages, as far as its member allows. Raises `TestimonyDecidedError`."""
    _decide(testimony, ("waiting", "refused"), "approved", by=by)
    record("testimony_posted", community=testimony.community_id, actor=by,
           member=testimony.member_id, group=testimony.group_id,
           data={"testimony": testimony.pk}, cause=f"testimony_posted:{testimony.pk}")  # fmt: skip
    if testimony.shown:
        words = POSTED(testimony.community.lang)
        do_tell(testimony.member, words, cause=f"testimony:{testimony.pk}:posted")


@transaction.atomic
def do_refuse_testimony(testimony: Testimony, *, why: str, by: str) -> None:
    """It is not shown, or not any more, for a reason that the member hears. Raises
    `WhyMissingError`, `TestimonyDecidedError`."""
    why = why.strip()[:200]
    if not why:
        raise WhyMissingError
    _decide(testimony, ("waiting", "approved"), "refused", by=by, why=why)
    _record("testimony_refused", testimony, by=by, why=why)
    words = REFUSED.format(why=why)(testimony.community.lang)
    do_tell(testimony.member, words, cause=f"testimony:{testimony.pk}:refused")


def _decide(
    testimony: Testimony, before: tuple[str, ...], state: str, *, by: str, why: str = ""
) -> None:
    rows = Testimony.objects.filter(pk=testimony.pk, state__in=before)
    if not rows.update(state=state, decided_by=by, decided_at=clock.now(), why=why):
        raise TestimonyDecidedError
    testimony.refresh_from_db()


def _record(kind: str, testimony: Testimony, *, by: str, **more: str) -> None:
    """The record keeps who and which, never the words: those can be taken back."""
    record(kind, community=testimony.community_id, actor=by, member=testimony.member_id,
           group=testimony.group_id, data={"testimony": testimony.pk, **more})  # fmt: skip

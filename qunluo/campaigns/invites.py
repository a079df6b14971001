"""Signed invitations, who opened them, and who brought whom: the first touch, for life.

    link ──opened──► visit ──joined──► the member's own visits ──► attribution (one, for life)
                                                                       │
        acts that follow in the inviter's play, where a model counts friends

The inviter, the campaign, the channel and the expiry are signed together, so nobody invites in
another's name. A touch counts where it came before the member did; later ones are only kept.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core import signing
from django.db import transaction
from django.db.models import F

from qunluo.campaigns.marks import hash_of
from qunluo.campaigns.models import Attribution, Campaign, Visit
from qunluo.campaigns.registry import find_mechanic
from qunluo.community.models import Community
from qunluo.groups.models import Membership
from qunluo.kit import clock
from qunluo.members.models import Member, Touch
from qunluo.members.queries import find_survivor, list_ids, map_ids

COOKIE = "qunluo_visit"  # of this browser: a random number, and nothing about anybody
COOKIE_S = 30 * 86_400  # so long a first touch is remembered of a stranger
LASTS = timedelta(days=90)  # an invitation without a campaign's end
FORGET = timedelta(days=30)
CHANNELS = ("link", "poster", "group", "direct")
NEW = timedelta(days=30)  # so long somebody is a newcomer
INVITED = "invited"
FACTS = frozenset({"inviter", "new", "newcomer"})
COUNTS = ("tiered_invites", "flash_sale")  # models where a friend who came is an act
_signer = signing.Signer(salt="qunluo.campaigns.invite", sep="~")


@dataclass(frozen=True)
class Invite:
    """Who invites to what, by which way."""

    inviter: Member
    campaign: Campaign | None
    channel: str


# links


def make_invite(
    campaign: Campaign | None, member: Member, channel: str = "link", *,
    expires_at: datetime | None = None,
) -> str:  # fmt: skip
    """The signed part of an invitation: `/c/<code>?i=<this>`, or of the community's own pages.
    Made again on the same day it is the same, so that a poster is drawn once."""
    if channel not in CHANNELS:
        raise ValueError(f"{channel} is no channel of invitations")
    until = expires_at or (campaign.ends_at if campaign else None) or clock.now() + LASTS
    day = -(-int(until.timestamp()) // 86_400)
    number = campaign.pk if campaign else 0
    return _signer.sign(f"{member.pk}.{number}.{CHANNELS.index(channel)}.{day}")


def address_of(campaign: Campaign, member: Member, channel: str = "link") -> str:
    """The path of a member's own link into a campaign."""
    return f"/c/{campaign.code}?i={make_invite(campaign, member, channel)}"


def read_invite(token: str, community_id: int) -> Invite | None:
    """What a token says; None where it is forged, too old, of another community, or where who
    invites is gone. The page behind it opens all the same."""
    try:
        member, number, channel, day = map(int, _signer.unsign(token).split("."))
    except (signing.BadSignature, ValueError):
        return None
    if clock.now().timestamp() > day * 86_400:
        return None
    campaign = Campaign.objects.filter(pk=number, community=community_id).first()
    found = Member.objects.filter(pk=member, community=community_id).first()
    inviter = find_survivor(found) if found else None
    if inviter is None or inviter.erased_at or (number and campaign is None):
        return None
    return Invite(inviter, campaign, CHANNELS[channel])


def new_visitor() -> str:
    """The value of a browser's cookie."""
    return secrets.token_urlsafe(18)


# touches


@transaction.atomic
def do_visit(invite: Invite, visitor: str, member: Member | None = None) -> Visit | None:
    """Keeps that a browser opened an invitation; nobody touches themselves."""
    if member is not None and member.pk == invite.inviter.pk:
        return None
    community, now = invite.inviter.community_id, clock.now()
    number = invite.campaign.pk if invite.campaign else 0
    key = f"{visitor}:{invite.inviter.pk}:{number}:{invite.channel}"
    visit, new = Visit.objects.get_or_create(
        key_hash=hash_of(community, "visit", key),
        defaults={
            "community_id": community, "campaign": invite.campaign, "inviter": invite.inviter,
            "channel": invite.channel, "visitor_hash": hash_of(community, "device", visitor),
            "member": member, "at": now, "last_at": now,
        },
    )  # fmt: skip
    if not new:
        Visit.objects.filter(pk=visit.pk).update(last_at=now, times=F("times") + 1)
    return visit


@transaction.atomic
def do_come_in(member: Member, visitor: str) -> Attribution:
    """Somebody who opened invitations is a member now: what this browser opened was theirs.
    Who brought them is decided here, once."""
    if visitor:
        device = hash_of(member.community_id, "device", visitor)
        Visit.objects.filter(
            community=member.community_id, visitor_hash=device, member=None
        ).exclude(inviter=member).update(member=member)
    return do_attribute(member)


@transaction.atomic
def do_attribute(member: Member) -> Attribution:
    """Who brought a member; decided at the first time it is asked, and never again."""
    member = find_survivor(member)
    found = Attribution.objects.filter(member=member).first()
    if found is not None:
        return found
    values = {"community_id": member.community_id, "at": member.made_at, **_first_touch(member)}
    return Attribution.objects.get_or_create(member=member, defaults=values)[0]


def _first_touch(member: Member) -> dict[str, Any]:
    """The earliest invitation that was opened before they came; else how they came."""
    mine = list_ids(member)
    visits = Visit.objects.filter(member__in=mine, at__lte=member.made_at)
    first = visits.exclude(inviter__in=mine).order_by("at", "pk").first()
    if first is not None:
        return {"inviter": first.inviter, "campaign": first.campaign, "channel": first.channel,
                "touched_at": first.at}  # fmt: skip
    touch = Touch.objects.filter(member__in=mine).order_by("at", "pk").first()
    if touch is None or touch.inviter is None or touch.inviter_id in mine:
        return {"inviter": None, "touched_at": touch.at if touch else member.made_at}
    return {"inviter": touch.inviter, "channel": "group", "touched_at": touch.at,
            "campaign": _inviting_at(member.community, touch.at)}  # fmt: skip


def _inviting_at(community: Community, at: datetime) -> Campaign | None:
    """The campaign that asked for friends when somebody came by a link that names none; a flash
    sale that unlocks nothing by friends does not ask."""
    rows = (
        Campaign.objects.filter(
            community=community, mechanic__in=COUNTS, state="running", starts_at__lte=at
        )
        .exclude(ends_at__lte=at)
        .exclude(mechanic="flash_sale", version__rules__invites=0)
    )
    return rows.order_by("-starts_at", "-pk").first()


def do_forget_visitors() -> int:
    """Strangers who did not come are forgotten; that somebody opened it stays counted."""
    old = Visit.objects.filter(last_at__lt=clock.now() - FORGET).exclude(visitor_hash="")
    return old.update(visitor_hash="", key_hash=None)


# facts


def facts_of(campaign: Campaign, member: Member) -> dict[str, Any]:
    """See `facts_of_all`."""
    return facts_of_all(campaign, [member])[member.pk]


def facts_of_all(campaign: Campaign, members: Sequence[Member]) -> dict[int, dict[str, Any]]:
    """What we know of members, by their ids, and no page may say, as far as the mechanic takes
    it: who brought or sent them to this campaign (`inviter`, 0: nobody), whether they came to
    the community by that (`new`), whether they are new here (`newcomer`)."""
    wanted = find_mechanic(campaign.mechanic).facts & FACTS
    if not wanted or not members:
        return {member.pk: {} for member in members}
    found = _attribute_all(members)
    sent = _sent_by(campaign, members) if "inviter" in wanted else {}
    return {
        member.pk: {
            name: value
            for name, value in _known(campaign, member, found[member.pk], sent).items()
            if name in wanted
        }
        for member in members
    }


def _known(
    campaign: Campaign, member: Member, found: Attribution, sent: Mapping[int, int]
) -> dict[str, Any]:
    new = found.campaign_id == campaign.pk and found.inviter_id not in (None, member.pk)
    return {
        "inviter": found.inviter_id if new else sent.get(member.pk, 0), "new": new,
        "newcomer": _is_newcomer(campaign, found),
    }  # fmt: skip


def _attribute_all(members: Sequence[Member]) -> dict[int, Attribution]:
    """Who brought each: known of nearly all, decided now of the others."""
    rows = Attribution.objects.filter(member__in=[member.pk for member in members])
    known = {row.member_id: row for row in rows}
    return {m.pk: known.get(m.pk) or do_attribute(m) for m in members}


def _sent_by(campaign: Campaign, members: Sequence[Member]) -> dict[int, int]:
    """Whose invitation to this campaign each, who was here already, opened last."""
    whose = map_ids(members)
    rows = Visit.objects.filter(campaign=campaign, member__in=list(whose))
    pairs = rows.order_by("last_at", "pk").values_list("member", "inviter")
    return {whose[pk]: by for pk, by in pairs if whose.get(by) != whose[pk]}


def _is_newcomer(campaign: Campaign, found: Attribution) -> bool:
    """They came while it runs, or shortly before now."""
    began = campaign.starts_at or campaign.made_at
    return found.at >= began or clock.now() - found.at < NEW


def is_still_there(member: Member) -> bool:
    """The retention gate: in a group of the community at this moment, and not erased."""
    if member.erased_at is not None:
        return False
    seats = Membership.objects.filter(member__in=list_ids(find_survivor(member)), left_at=None)
    return seats.filter(group__community=member.community_id).exists()

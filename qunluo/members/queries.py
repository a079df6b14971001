"""Finding members, and what may be done with them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from typing import Any

from django.db.models import Q, QuerySet

from qunluo.community.models import Community
from qunluo.events.models import Event
from qunluo.kit import clock
from qunluo.kit.errors import QunluoError
from qunluo.kit.grams import wanted
from qunluo.members.errors import WrongPurposeError
from qunluo.members.fulltext import matching
from qunluo.members.models import Consent, Identity, Member, Merge, Tagging, Touch
from qunluo.members.rules import (
    ALL,
    Person,
    clean_account,
    judge_consent,
    list_evidence,
    read_email,
    read_phone,
)
from qunluo.members.sealing import hash_contact, mask_contact

__all__ = [
    "find_identity", "find_source", "find_survivor", "list_allowed", "list_ids", "list_merges",
    "list_same", "list_tags", "list_timeline", "live_members", "mask_contact", "may_send",
    "person_of", "search_ids", "search_members",
]  # fmt: skip


def live_members(community: Community) -> QuerySet[Member]:
    """Who is there: not merged into another, not erased; the newest first."""
    rows = Member.objects.filter(community=community, merged_into=None, erased_at=None)
    return rows.order_by("-id")


def search_members(community: Community, text: str, *, limit: int = 50) -> list[Member]:
    """Members whose names, nicknames and fields have all the words (the last one may be begun),
    or whose whole number, address or account id this is; the newest first."""
    return _search(live_members(community), community, text, limit)


def search_ids(community: Community, text: str, *, limit: int) -> list[int]:
    """The keys of those whom `search_members` finds: many are found sooner than read."""
    rows = live_members(community).only("pk")
    return [member.pk for member in _search(rows, community, text, limit)]


def _search(
    live: QuerySet[Member], community: Community, text: str, limit: int
) -> list[Member]:
    exact = list(live.filter(pk__in=_list_exact(community, text))[:limit])
    if len(exact) == limit or not wanted(text):
        return exact
    rows = matching(live, text, limit=limit, scopes=[community.pk])
    seen = {member.pk for member in exact}
    return [*exact, *(member for member in rows if member.pk not in seen)][:limit]


def _list_exact(community: Community, text: str) -> set[int]:
    """One question for each index: an OR of them would read every member."""
    live = live_members(community)
    accounts = Identity.objects.filter(community=community, external_id=clean_account(text))
    ids = set(accounts.values_list("member", flat=True))
    with suppress(QunluoError):
        ids.update(
            live.filter(phone_hash=hash_contact(read_phone(text))).values_list("pk", flat=True)
        )
    with suppress(QunluoError):
        ids.update(
            live.filter(email_hash=hash_contact(read_email(text))).values_list("pk", flat=True)
        )
    return ids


def find_identity(community: Community, channel: str, external_id: str) -> Identity | None:
    """An account with its member, if it was ever met."""
    rows = Identity.objects.select_related("member")
    return rows.filter(
        community=community, channel=channel, external_id=clean_account(external_id)
    ).first()


def find_survivor(member: Member) -> Member:
    """The member that this one went into by now, or itself."""
    member = Member.objects.get(pk=member.pk)
    while member.merged_into is not None:
        member = member.merged_into
    return member


def list_ids(member: Member) -> list[int]:
    """The member and everybody who went into them: whose events are theirs."""
    return list(map_ids([member]))


def map_ids(members: Iterable[Member]) -> dict[int, int]:
    """The same for many: whose each id is by now."""
    found = {member.pk: member.pk for member in members}
    new: Collection[int] = list(found)
    while new:
        rows = Member.objects.filter(merged_into__in=new).values_list("pk", "merged_into")
        came = {pk: found[into] for pk, into in rows if into is not None}
        found, new = {**found, **came}, came.keys()
    return found


def list_timeline(member: Member, *, before: int | None = None, limit: int = 50) -> list[Event]:
    """What happened to the member, the newest first; `before` is the last event's id seen."""
    rows = Event.objects.filter(member_id__in=list_ids(member)).order_by("-id")
    return list((rows.filter(pk__lt=before) if before else rows)[:limit])


def find_source(member: Member) -> tuple[Touch | None, Touch | None]:
    """First and last touch; a touch that says something comes before one that does not."""
    rows = list(member.touches.select_related("code", "inviter").order_by("at", "id"))
    telling = [t for t in rows if t.code or t.inviter or t.page or t.utm] or rows
    return (telling[0], telling[-1]) if telling else (None, None)


def list_tags(member: Member) -> list[Tagging]:
    """The tags that hold now, by group and name."""
    rows = member.taggings.select_related("tag__group")
    live = rows.filter(Q(expires_at=None) | Q(expires_at__gt=clock.now()))
    return list(live.order_by("tag__group__name", "tag__name"))


def list_merges(member: Member) -> list[Merge]:
    """Who went into the member, the newest first."""
    rows = Merge.objects.filter(kept=member, undone_at=None).select_related("gone")
    return list(rows.order_by("-id"))


def may_send(member: Member, purpose: str, channel: str) -> bool:
    """Whether the member's last word for the purpose on the channel (or on all) allows it.

    Service is allowed until refused; everything else is refused until allowed. Nobody sends to
    an erased member.
    """
    return member.pk in list_allowed([member.pk], purpose, channel)


def list_allowed(members: Sequence[int], purpose: str, channel: str) -> set[int]:
    """Which of these members `may_send` allows, in one query."""
    _check_purpose(purpose)
    live = Member.objects.filter(pk__in=members, erased_at=None, merged_into=None)
    said: dict[int, bool] = dict(
        Consent.objects.filter(member__in=members, purpose=purpose, channel__in=[channel, ALL])
        .order_by("at", "id")
        .values_list("member", "granted")
    )
    ids = live.values_list("pk", flat=True)
    return {pk for pk in ids if judge_consent(purpose, said.get(pk))}


def _check_purpose(purpose: str) -> None:
    if purpose not in Consent.PURPOSES:
        raise WrongPurposeError(purpose=purpose)


def person_of(member: Member) -> Person:
    """What may prove that the member is somebody."""
    unions = member.identities.exclude(union_id="").values_list("union_id", flat=True)
    return Person(
        phone=member.phone_hash if "phone" in member.verified else "",
        email=member.email_hash if "email" in member.verified else "",
        unions=frozenset(unions),
    )


def list_same(member: Member) -> list[tuple[Member, dict[str, Any]]]:
    """Other members that are the same person, with the strongest evidence for each."""
    one = person_of(member)
    rows = live_members(member.community).filter(_may_be(one)).exclude(pk=member.pk).distinct()
    pairs = ((other, list_evidence(one, person_of(other))) for other in rows[:20])
    return [(other, dict(found[0])) for other, found in pairs if found]


def _may_be(one: Person) -> Q:
    where = Q(pk__in=_members_of(one.unions))
    if one.phone:
        where |= Q(phone_hash=one.phone)
    if one.email:
        where |= Q(email_hash=one.email)
    return where


def _members_of(unions: Iterable[str]) -> QuerySet[Identity, int]:
    return Identity.objects.filter(union_id__in=list(unions)).values_list("member", flat=True)

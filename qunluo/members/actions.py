"""What is done to members; each in one transaction, with its event.

Events carry no names and no values: erasure need not touch the record.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from qunluo.community.models import Community
from qunluo.events.actions import SYSTEM, record
from qunluo.kit import clock
from qunluo.members.defining import (
    do_define_field,
    do_define_tag_group,
    do_define_tags,
    do_remove_code,
    do_remove_tag,
    do_set_code,
)
from qunluo.members.erasing import do_erase
from qunluo.members.errors import (
    ErasedError,
    NoFieldError,
    NoNameError,
    OtherCommunityError,
    WhyMissingError,
    WrongPlaceError,
    WrongPurposeError,
)
from qunluo.members.exporting import do_export
from qunluo.members.merging import do_claim_link, do_merge, do_undo_merge
from qunluo.members.models import (
    ChannelCode,
    Consent,
    Field,
    Identity,
    Member,
    Tag,
    Tagging,
    Touch,
)
from qunluo.members.queries import find_identity, find_source, find_survivor
from qunluo.members.rules import ALL, clean_account, clean_name, clean_utm, plain, read_value
from qunluo.members.sealing import open_contact, seal_email, seal_phone
from qunluo.members.searching import do_index

__all__ = [
    "do_claim_link", "do_define_field", "do_define_tag_group", "do_define_tags", "do_erase",
    "do_expire_tags", "do_export", "do_forget_place", "do_index", "do_meet", "do_merge", "do_remove_code",
    "do_remove_tag", "do_rename", "do_reveal_contact", "do_set_code", "do_set_consent",
    "do_set_contact", "do_set_fields", "do_set_place", "do_tag", "do_undo_merge", "do_untag",
]  # fmt: skip

NAMELESS = "?"
PLACE_DIGITS = 3  # of degrees: about 100 m, enough for the nearest store


@transaction.atomic
def do_meet(  # noqa: PLR0913 - what a channel knows of an account
    community: Community, *, channel: str, external_id: str, name: str, union_id: str = "",
    code: ChannelCode | str | None = None, inviter: Member | None = None, page: str = "",
    utm: Mapping[str, str] | None = None,
) -> Member:  # fmt: skip
    """The member of an account, made where it is new; the same union id is the same person.

    Says where they came from, as a touch: always the first time, later where something is told.
    """
    external_id, union_id = clean_account(external_id), clean_account(union_id)
    identity = find_identity(community, channel, external_id)
    if identity is None:
        identity, new = _make_identity(
            community, channel=channel, external_id=external_id,
            name=clean_name(name) or NAMELESS, union_id=union_id,
        )  # fmt: skip
    else:
        new = False
    member = find_survivor(identity.member)
    Member.objects.filter(pk=member.pk).update(seen_at=clock.now())
    source = {"code": _find_code(community, code), "inviter": _known(inviter, member),
              "page": plain(page), "utm": clean_utm(utm or {})}  # fmt: skip
    learned = not new and any(source.values()) and not _is_source_known(member)
    if new or any(source.values()):
        Touch.objects.create(member=member, at=clock.now(), **source)
    if new:
        record("member_met", community=community.pk, member=member.pk, actor=member.actor,
               data={"channel": channel, "code": getattr(source["code"], "pk", None),
                     "inviter": getattr(source["inviter"], "pk", None)})  # fmt: skip
    elif learned:
        record("source_learned", community=community.pk, member=member.pk, actor=member.actor)
    return member


def _is_source_known(member: Member) -> bool:
    """Whether a touch tells anything of where they came from."""
    first, _last = find_source(member)
    return first is not None and bool(first.code or first.inviter or first.page or first.utm)


def _make_identity(
    community: Community, *, channel: str, external_id: str, name: str, union_id: str
) -> tuple[Identity, bool]:
    """The account with its member, and whether the member is new. Whoever comes second in a
    race finds the first one's."""
    try:
        with transaction.atomic():
            known = _find_union(community, union_id)
            member = known or Member.objects.create(
                community=community, name=name, made_at=clock.now()
            )
            identity = Identity.objects.create(
                community=community, member=member, channel=channel, name=name,
                external_id=external_id, union_id=union_id, made_at=clock.now(),
            )  # fmt: skip
    except IntegrityError:
        row = find_identity(community, channel, external_id)
        if row is None:
            raise
        return row, False
    do_index(member)
    return identity, known is None


def _find_union(community: Community, union_id: str) -> Member | None:
    rows = Identity.objects.filter(community=community, union_id=union_id)
    first = rows.select_related("member").first() if union_id else None
    return find_survivor(first.member) if first else None


def _find_code(community: Community, code: ChannelCode | str | None) -> ChannelCode | None:
    if not isinstance(code, str):
        return code if code and code.community_id == community.pk else None
    return ChannelCode.objects.filter(community=community, code=code).first() if code else None


def _known(inviter: Member | None, member: Member) -> Member | None:
    """The inviter, unless it is the member or of another community."""
    if inviter is None or inviter.community_id != member.community_id:
        return None
    found = find_survivor(inviter)
    return None if found.pk == member.pk else found


def _lock(member: Member) -> Member:
    """The member's row, held until the transaction ends; raises `ErasedError`."""
    row = Member.objects.select_for_update().get(pk=member.pk)
    if row.erased_at is not None:
        raise ErasedError
    return row


def _write(member: Member, **values: Any) -> None:
    for name, value in values.items():
        setattr(member, name, value)
    member.save(update_fields=list(values))


def _record(kind: str, member: Member, by: str, **data: Any) -> None:
    record(kind, community=member.community_id, member=member.pk, actor=by, data=data)


@transaction.atomic
def do_rename(member: Member, name: str, *, by: str) -> Member:
    """Raises `NoNameError` where nothing of the name can be shown."""
    shown = clean_name(name)
    if not shown:
        raise NoNameError
    _lock(member)
    _write(member, name=shown)
    do_index(member)
    _record("member_renamed", member, by)
    return member


@transaction.atomic
def do_tag(
    member: Member, tag: Tag, *, by: str, why: str, expires_at: datetime | None = None
) -> Tagging:
    """Sets a tag; in a group of single choice it takes the place of the others. A tag that is
    set keeps its provenance and takes the new expiry."""
    if tag.group.community_id != member.community_id:
        raise OtherCommunityError
    _lock(member)
    if tag.group.single:
        rivals = member.taggings.filter(tag__group=tag.group).exclude(tag=tag)
        for other in rivals.select_related("tag"):
            _take_off(other, by=by, why=why)
    values = {"by": by, "why": plain(why), "at": clock.now(), "expires_at": expires_at}
    row, new = Tagging.objects.get_or_create(member=member, tag=tag, defaults=values)
    if new:
        _record("member_tagged", member, by, tag=tag.pk, why=plain(why))
    elif row.expires_at != expires_at:
        row.expires_at = expires_at
        row.save(update_fields=["expires_at"])
    return row


@transaction.atomic
def do_untag(member: Member, tag: Tag, *, by: str, why: str) -> bool:
    """Takes a tag off; whether it was on."""
    row = member.taggings.filter(tag=tag).first()
    return row is not None and _take_off(row, by=by, why=why)


def _take_off(row: Tagging, *, by: str, why: str) -> bool:
    """One statement decides who took it off: only that one writes the event."""
    if not Tagging.objects.filter(pk=row.pk).delete()[0]:
        return False
    _record("member_untagged", row.member, by, tag=row.tag_id, why=plain(why))
    return True


def do_expire_tags(limit: int = 500) -> int:
    """Takes off the tags whose time is over; how many. A worker's step."""
    due = Tagging.objects.filter(expires_at__lte=clock.now()).select_related("member")
    taken = 0
    for row in due.order_by("expires_at")[:limit]:
        with transaction.atomic():
            taken += _take_off(row, by=SYSTEM, why="expired")
    return taken


@transaction.atomic
def do_set_fields(member: Member, values: Mapping[str, Any], *, by: str, why: str) -> Member:
    """Sets typed profile fields by their keys, an empty value clears one.
    Raises `NoFieldError` or `WrongValueError`; then nothing is set."""
    known = {field.key: field for field in Field.objects.filter(community=member.community_id)}
    stored = dict(_lock(member).fields)
    for key, value in values.items():
        if key not in known:
            raise NoFieldError(key=key)
        field = known[key]
        stored[key] = read_value(field.kind, field.choices, value, label=field.label)
    stored = {key: value for key, value in stored.items() if value is not None}
    _write(member, fields=stored)
    do_index(member)
    _record("fields_set", member, by, keys=sorted(values), why=plain(why))
    return member


@transaction.atomic
def do_set_contact(
    member: Member, *, phone: str | None = None, email: str | None = None,
    verified: bool = False, by: str,
) -> Member:  # fmt: skip
    """Seals phone or e-mail; an empty one is removed, None stays as it is. `verified`: shown to
    be the member's (a code was answered), so that it may prove who they are."""
    row = _lock(member)
    proven, claimed = set(row.verified), set(row.claimed)
    values: dict[str, Any] = {}
    for kind, text, sealer in (("phone", phone, seal_phone), ("email", email, seal_email)):
        if text is None:
            continue
        values[f"{kind}_sealed"], values[f"{kind}_hash"] = sealer(text)
        (proven.add if verified and text.strip() else proven.discard)(kind)
        said_only = bool(text.strip()) and not verified and by == member.actor
        (claimed.add if said_only else claimed.discard)(kind)
    kinds = sorted({name.partition("_")[0] for name in values})
    _write(member, verified=sorted(proven), claimed=sorted(claimed), **values)
    _record("contact_set", member, by, kinds=kinds, verified=verified)
    return member


@transaction.atomic
def do_reveal_contact(member: Member, *, by: str, why: str) -> dict[str, str]:
    """Phone and e-mail in clear, for a reason that goes on record; raises `WhyMissingError`."""
    if not why.strip():
        raise WhyMissingError
    _record("contact_revealed", member, by, why=plain(why.strip()))
    return open_contact(member)


@transaction.atomic
def do_set_consent(
    member: Member, purpose: str, channel: str, granted: bool, *, words: str, by: str
) -> Consent:
    """Writes down what the member allowed or refused, with the words they were shown.
    The channel "all" stands for every one."""
    if purpose not in Consent.PURPOSES:
        raise WrongPurposeError(purpose=purpose)
    _lock(member)
    row = Consent.objects.create(
        member=member, purpose=purpose, channel=channel, granted=granted, words=plain(words, 4000),
        at=clock.now(),
    )  # fmt: skip
    _record("consent_set", member, by, purpose=purpose, channel=channel, granted=granted)
    return row


@transaction.atomic
def do_set_place(member: Member, lat: float, lon: float, *, words: str, by: str) -> None:
    """Keeps where a member is, to about a hundred metres, with their consent to it.
    Raises `WrongPlaceError`."""
    if not (-90 <= lat <= 90 and -180 <= lon <= 180):  # false for NaN, too
        raise WrongPlaceError
    do_set_consent(member, "location", ALL, True, words=words, by=by)
    member.lat, member.lon = round(lat, PLACE_DIGITS), round(lon, PLACE_DIGITS)
    member.save(update_fields=["lat", "lon"])


@transaction.atomic
def do_forget_place(member: Member, *, words: str, by: str) -> None:
    """Takes the consent to it back, and the place away."""
    do_set_consent(member, "location", ALL, False, words=words, by=by)
    member.lat = member.lon = None
    member.save(update_fields=["lat", "lon"])

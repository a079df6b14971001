"""One batch of rows on their way in: who they are, and what is to be written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet

from qunluo.community.models import Community
from qunluo.kit import clock
from qunluo.kit.grams import grams
from qunluo.members.models import Identity, Member, Tag, Tagging, TagGroup
from qunluo.members.queries import find_survivor, live_members
from qunluo.members.rules import fill, words_to_search
from qunluo.members.sealing import hash_contact, seal_email, seal_phone
from qunluo.members.sheets import Row

TAG_GROUP = "Import"  # of tags that the community does not know yet
_WHY = "import"
_COLUMNS = ("region", "birthday", "note")
_WRITTEN = (
    *_COLUMNS, "fields", "search", "phone_sealed", "phone_hash", "email_sealed", "email_hash",
)  # fmt: skip


class Batch:
    """Rows with the members they belong to; `made` and `met` say how many are new."""

    def __init__(
        self, community: Community, channel: str, rows: Sequence[Row], *, lock: bool = False
    ) -> None:
        self.community, self.channel, self.lock = community, channel, lock
        self.hashes = {id(row): (_hash(row.phone), _hash(row.email)) for row in rows}
        self._known = self._find_known(rows)
        self.new: list[Member] = []
        self.changed: dict[int, Member] = {}
        self.torn: set[int] = set()  # rows whose account and contacts are of different members
        self.pairs = [(row, self._member_of(row)) for row in rows]
        self.made = len(self.new)
        self.met = len(rows) - self.made

    def _find_known(self, rows: Sequence[Row]) -> dict[tuple[str, str], Member]:
        """Members by account, phone and e-mail; a contact that only the member claims is none."""
        phones = {phone for phone, _ in self.hashes.values() if phone}
        emails = {email for _, email in self.hashes.values() if email}
        live = live_members(self.community)
        live = live.select_for_update() if self.lock else live
        pairs = [*_by_contact(live, "email", emails), *_by_contact(live, "phone", phones)]
        pairs += self._by_account({row.external_id for row in rows if row.external_id})
        once: dict[int, Member] = {}  # each member as one object, however it was found
        return {key: once.setdefault(member.pk, member) for key, member in pairs}

    def _by_account(self, accounts: set[str]) -> list[tuple[tuple[str, str], Member]]:
        rows = Identity.objects.filter(
            community=self.community, channel=self.channel, external_id__in=accounts
        ).select_related("member")
        members = ((row, row.member) for row in rows)
        return [
            (("id", row.external_id), find_survivor(m) if m.merged_into_id else m)
            for row, m in members
        ]

    def _member_of(self, row: Row) -> Member:
        phone, email = self.hashes[id(row)]
        keys = [
            k for k in (("id", row.external_id), ("phone", phone), ("email", email)) if k[1]
        ]
        found = [self._known[key] for key in keys if key in self._known]
        member = found[0] if found else self._make(row)
        if any(other is not member for other in found):
            self.torn.add(id(row))  # whose it is can't be told: nothing of it is taken
            return member
        if found:
            self._complete(member, row)
        holds = {"id": row.external_id, "phone": member.phone_hash, "email": member.email_hash}
        for kind, value in keys:
            if value == holds[kind]:  # a second number of somebody is nobody's
                self._known.setdefault((kind, value), member)
        return member

    def _make(self, row: Row) -> Member:
        member = Member(
            community_id=self.community.pk, name=row.name, region=row.region, birthday=row.birthday,
            note=row.note, fields=row.fields, made_at=clock.now(),
            search=_words(row.name, row.region, row.fields),
        )  # fmt: skip
        self._set_contact(member, row)
        self.new.append(member)
        return member

    def _complete(self, member: Member, row: Row) -> None:
        """Gives what is missing; nothing that is there changes."""
        values = fill(vars(member), {name: getattr(row, name) for name in _COLUMNS})
        fields = fill(member.fields, row.fields)
        if fields:
            values["fields"] = {**member.fields, **fields}
        for name, value in values.items():
            setattr(member, name, value)
        contact = self._set_contact(member, row)
        if not values and not contact:
            return
        if fields or "region" in values:
            more = grams(words_to_search([row.region, *fields.values()]))
            member.search = " ".join(dict.fromkeys(f"{member.search} {more}".split()))
        if member.pk:
            self.changed[member.pk] = member

    def _set_contact(self, member: Member, row: Row) -> bool:
        """Seals what the member has not and nobody else has; whether there was any."""
        phone, email = self.hashes[id(row)]
        changed = False
        if phone and not member.phone_hash and ("phone", phone) not in self._known:
            member.phone_sealed, member.phone_hash = seal_phone(row.phone)
            changed = True
        if email and not member.email_hash and ("email", email) not in self._known:
            member.email_sealed, member.email_hash = seal_email(row.email)
            changed = True
        return changed

    def store(self, *, by: str) -> None:
        """Writes it all; call it in a transaction."""
        Member.objects.bulk_create(self.new)
        Member.objects.bulk_update(self.changed.values(), _WRITTEN, batch_size=200)
        self._store_accounts()
        self._store_tags(by)

    def _store_accounts(self) -> None:
        wanted = {row.external_id: member for row, member in reversed(self._sure())}
        wanted.pop("", None)
        there = Identity.objects.filter(
            community=self.community, channel=self.channel, external_id__in=list(wanted)
        )
        for account in there.values_list("external_id", flat=True):
            del wanted[account]
        Identity.objects.bulk_create(
            Identity(community_id=self.community.pk, member=member, channel=self.channel,
                     external_id=account, name=member.name, made_at=clock.now())
            for account, member in wanted.items()
        )  # fmt: skip

    def _sure(self) -> list[tuple[Row, Member]]:
        return [(row, member) for row, member in self.pairs if id(row) not in self.torn]

    def _store_tags(self, by: str) -> None:
        named = [(member, name) for row, member in self._sure() for name in row.tags]
        if not named:
            return
        tags = self._find_tags({name for _, name in named})
        members = {member.pk for member, _ in named}
        taken = set(
            Tagging.objects.filter(member__in=members, tag__group__single=True)
            .values_list("member", "tag__group")
        )  # fmt: skip
        rows: list[Tagging] = []
        for member, name in named:
            tag = tags[name.casefold()]
            if (member.pk, tag.group_id) in taken:
                continue  # a single choice that is made stays
            if tag.group.single:
                taken.add((member.pk, tag.group_id))
            rows.append(Tagging(member=member, tag=tag, by=by, why=_WHY, at=clock.now()))
        Tagging.objects.bulk_create(rows, ignore_conflicts=True)

    def _find_tags(self, names: set[str]) -> dict[str, Tag]:
        """The community's tags by name; those that it does not have are made."""
        rows = Tag.objects.filter(group__community=self.community).select_related("group")
        found = {tag.name.casefold(): tag for tag in rows.order_by("-id")}
        for name in sorted(names):
            if name.casefold() not in found:
                group, _ = TagGroup.objects.get_or_create(
                    community=self.community, name=TAG_GROUP, defaults={"single": False}
                )
                found[name.casefold()] = Tag.objects.create(group=group, name=name)
        return found


def _by_contact(
    live: QuerySet[Member], kind: str, hashes: set[str]
) -> list[tuple[tuple[str, str], Member]]:
    """The oldest member counts where two have the same."""
    rows = live.filter(**{f"{kind}_hash__in": hashes}) if hashes else live.none()
    return [((kind, getattr(m, f"{kind}_hash")), m) for m in rows if kind not in m.claimed]


def _hash(value: str) -> str:
    return hash_contact(value) if value else ""


def _words(name: str, region: str, fields: dict[str, Any]) -> str:
    return grams(words_to_search([name, region, *fields.values()]))

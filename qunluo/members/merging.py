"""Two members who are one: everything goes over to one of them, and can go back.

What points to a member is found by walking Django's relations, so that rooms above need not be
known here. Rows that both have (a unique key forbids the second) are kept aside in full and put
back when the merge is undone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core import serializers, signing
from django.db import IntegrityError, models, transaction

from qunluo.events.actions import record
from qunluo.kit import clock
from qunluo.kit.text import Text
from qunluo.members.errors import (
    AlreadyMergedError,
    MergeByHandError,
    MergeCoveredError,
    NoEvidenceError,
    OtherCommunityError,
    WrongLinkError,
)
from qunluo.members.models import Member, Merge
from qunluo.members.queries import find_survivor, person_of
from qunluo.members.rules import fill, list_evidence
from qunluo.members.searching import do_index

FILLED = (
    "avatar", "region", "birthday", "lat", "lon", "phone_sealed", "phone_hash", "email_sealed",
    "email_hash", "note",
)  # fmt: skip
_BY_WORD = ("hand", "invite")  # evidence that is not in the data: a person's, a signed link's
_LINK = "qunluo.members.link"
LINK_DAYS = 7

Caution = Callable[[Member, Member], Text | None]
_cautions: list[Caution] = []


def register(caution: Caution) -> Caution:
    """Adds a reason (or none) why two members may be merged by hand only, such as orders."""
    if caution not in _cautions:
        _cautions.append(caution)
    return caution


@dataclass(frozen=True)
class Relation:
    """A column of some model that points to a member."""

    model: type[models.Model]
    field: str

    @property
    def name(self) -> str:
        return f"{self.model._meta.label_lower}.{self.field}"

    def rows(self, members: Sequence[int]) -> models.QuerySet[Any]:
        return self.model._base_manager.filter(**{f"{self.field}__in": members})

    @property
    def is_unique(self) -> bool:
        """Whether moving a row can break a unique key."""
        meta = self.model._meta
        keys = [_columns(c) for c in meta.constraints if isinstance(c, models.UniqueConstraint)]
        keys += [set(names) for names in meta.unique_together]
        column: Any = meta.get_field(self.field)
        return column.unique or any(self.field in key for key in keys)


def _columns(key: models.UniqueConstraint) -> set[str]:
    """The columns that a unique key is made of, by name or inside of an expression."""
    trees: Sequence[Any] = key.expressions
    parts = [part for tree in trees for part in tree.flatten()]
    named: list[Any] = [part for part in parts if isinstance(part, models.F)]
    return {*key.fields, *(part.name for part in named)}


def list_relations() -> list[Relation]:
    """Everything that points to members, but the merges themselves."""
    found = (
        Relation(field.related_model, field.field.name)
        for field in Member._meta.get_fields(include_hidden=True)
        if isinstance(field, models.ManyToOneRel)
    )
    return sorted((r for r in found if r.model not in (Member, Merge)), key=lambda r: r.name)


@transaction.atomic
def do_merge(kept: Member, gone: Member, *, evidence: dict[str, Any], by: str) -> Merge:
    """Makes one member of two. Evidence of kind phone, email or union_id must hold in the data;
    "hand" and "invite" are somebody's word. Raises what `errors` says of merges."""
    kept, gone = _lock_both(kept, gone)
    _check(kept, gone, evidence)
    moved = _move_rows(gone, kept)
    moved["filled"] = _fill(kept, gone)
    Member.objects.filter(pk=gone.pk).update(merged_into=kept)
    do_index(kept)
    merge = Merge.objects.create(
        kept=kept, gone=gone, evidence=evidence, moved=moved, by=by, at=clock.now()
    )
    _record("member_merged", merge, by)
    return merge


def _lock_both(one: Member, other: Member) -> tuple[Member, Member]:
    """Both rows, always locked in the same order, so that two merges can't block each other."""
    rows = Member.objects.select_for_update().filter(pk__in=[one.pk, other.pk]).order_by("pk")
    found = {row.pk: row for row in rows}
    return found[one.pk], found[other.pk]


def _check(kept: Member, gone: Member, evidence: dict[str, Any]) -> None:
    if kept.community_id != gone.community_id:
        raise OtherCommunityError
    if kept.pk == gone.pk or any(m.merged_into_id or m.erased_at for m in (kept, gone)):
        raise AlreadyMergedError
    kind = evidence.get("kind")
    shown = [found["kind"] for found in list_evidence(person_of(kept), person_of(gone))]
    if kind not in shown and kind not in _BY_WORD:
        raise NoEvidenceError
    reason = next(filter(None, (caution(kept, gone) for caution in _cautions)), None)
    if reason is not None and kind != "hand":
        raise MergeByHandError(reason=reason)


def _move_rows(gone: Member, kept: Member) -> dict[str, Any]:
    """What went over: ids by relation, and rows kept aside in full."""
    ids: dict[str, list[int]] = {}
    aside: list[Any] = []
    for relation in list_relations():
        rows = relation.rows([gone.pk]).order_by("pk")
        if relation.is_unique:
            found = [row.pk for row in rows if _moved_one(relation, row, kept, aside)]
        else:
            found = list(rows.values_list("pk", flat=True))
            rows.order_by().update(**{relation.field: kept.pk})
        if found:
            ids[relation.name] = found
    return {"rows": ids, "aside": aside}


def _moved_one(relation: Relation, row: models.Model, kept: Member, aside: list[Any]) -> bool:
    """Whether the row could go over. One that the kept member has too is set aside, unless
    others point to it: then it stays where it is, and nothing is lost."""
    rows = relation.model._base_manager.filter(pk=row.pk)
    try:
        with transaction.atomic():
            rows.update(**{relation.field: kept.pk})
        return True
    except IntegrityError:
        if not _is_pointed_to(relation.model):
            aside.append(_in_full(row))
            rows.delete()
        return False


def _in_full(row: models.Model) -> dict[str, Any]:
    """The row as JSON keeps it, times to the microsecond."""
    kept: dict[str, Any] = serializers.serialize("python", [row])[0]
    whole = {k: v.isoformat() if isinstance(v, date) else v for k, v in kept["fields"].items()}
    return {**kept, "fields": whole}


def _is_pointed_to(model: type[models.Model]) -> bool:
    return any(f.is_relation and f.auto_created for f in model._meta.get_fields(True, True))


def _fill(kept: Member, gone: Member) -> dict[str, Any]:
    """Fills what the kept one has not; {column: [before, after]} as text-safe JSON."""
    before = {name: getattr(kept, name) for name in FILLED}
    values = fill(before, {name: getattr(gone, name) for name in FILLED})
    if ("lat" in values) != ("lon" in values):  # half a place is none
        values = {k: v for k, v in values.items() if k not in ("lat", "lon")}
    values |= _fill_lists(kept, gone, values)
    changes = {name: [getattr(kept, name), value] for name, value in values.items()}
    for name, value in values.items():
        setattr(kept, name, value)
    kept.save(update_fields=list(values) or None)
    return _plain(changes)


def _fill_lists(kept: Member, gone: Member, values: dict[str, Any]) -> dict[str, Any]:
    """Profile fields and the standing of contact data that came along."""
    came = {kind for kind in ("phone", "email") if f"{kind}_hash" in values}
    wanted = {
        "fields": kept.fields | fill(kept.fields, gone.fields),
        "verified": sorted({*kept.verified, *(came & set(gone.verified))}),
        "claimed": sorted({*kept.claimed, *(came & set(gone.claimed))}),
    }
    return {name: value for name, value in wanted.items() if value != getattr(kept, name)}


def _plain(changes: dict[str, Any]) -> dict[str, Any]:
    """Dates as text: they come back by the column's own reading."""
    return {
        name: [v.isoformat() if v else None for v in pair] if name == "birthday" else pair
        for name, pair in changes.items()
    }


@transaction.atomic
def do_undo_merge(merge: Merge, *, by: str) -> Merge:
    """Gives back exactly what went over; what the kept member got since stays with them.
    Raises `MergeCoveredError`."""
    undone = Merge.objects.filter(pk=merge.pk, undone_at=None).update(undone_at=clock.now())
    kept, gone = _lock_both(merge.kept, merge.gone)
    if not undone or kept.merged_into_id or kept.erased_at or gone.merged_into_id != kept.pk:
        raise MergeCoveredError
    merge.refresh_from_db()
    _give_back(merge, kept, gone)
    Member.objects.filter(pk=gone.pk).update(merged_into=None)
    _empty(kept, merge.moved["filled"])
    for member in (kept, gone):
        do_index(Member.objects.get(pk=member.pk))
    _record("merge_undone", merge, by)
    return merge


def _give_back(merge: Merge, kept: Member, gone: Member) -> None:
    """Rows that were removed or moved on since stay so."""
    for relation in list_relations():
        for ids in _in_parts(merge.moved["rows"].get(relation.name, [])):
            rows = relation.rows([kept.pk]).filter(pk__in=ids)
            rows.update(**{relation.field: gone.pk})
    for row in serializers.deserialize("python", merge.moved["aside"]):
        row.save()


def _in_parts(ids: list[int], size: int = 500) -> Iterator[list[int]]:
    for start in range(0, len(ids), size):
        yield ids[start : start + size]


def _empty(kept: Member, filled: dict[str, Any]) -> None:
    """Takes back what was filled, unless somebody has changed it since."""
    back: dict[str, Any] = {}
    for name, (before, after) in filled.items():
        column = Member._meta.get_field(name)
        if getattr(kept, name) == _read(column, after):
            back[name] = _read(column, before)
    for name, value in back.items():
        setattr(kept, name, value)
    kept.save(update_fields=list(back) or None)


def _read(column: Any, value: Any) -> Any:
    return None if value is None else column.to_python(value)


def _record(kind: str, merge: Merge, by: str) -> None:
    record(kind, community=merge.kept.community_id, member=merge.kept_id, actor=by,
           data={"gone": merge.gone_id, "merge": merge.pk,
                 "evidence": merge.evidence.get("kind")})  # fmt: skip


def make_link(member: Member) -> str:
    """The signed part of a personal link: whoever opens it from another account is the member."""
    return signing.dumps(member.pk, salt=_LINK, compress=True)


def do_claim_link(visitor: Member, token: str, *, by: str) -> Member:
    """Makes the visitor and the member that the link was made for one; the member.
    Raises `WrongLinkError`."""
    try:
        pk = signing.loads(token, salt=_LINK, max_age=LINK_DAYS * 86_400)
    except signing.BadSignature:
        raise WrongLinkError from None
    found = Member.objects.filter(pk=pk, community=visitor.community_id, erased_at=None).first()
    if found is None:
        raise WrongLinkError
    kept, gone = find_survivor(found), find_survivor(visitor)
    if kept.pk != gone.pk:
        do_merge(kept, gone, evidence={"kind": "invite"}, by=by)
    return kept

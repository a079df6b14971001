"""What segments are there, what their names stand for, who is in them, who uses them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import QuerySet

from qunluo.community.models import Community
from qunluo.kit.text import Text
from qunluo.members.models import ChannelCode, Field, Member, Tag
from qunluo.members.queries import live_members
from qunluo.segments.asking import as_query, scope_of
from qunluo.segments.errors import WrongTreeError
from qunluo.segments.models import Segment
from qunluo.segments.rules import (
    NOBODY,
    FieldName,
    InSegment,
    Node,
    Vocabulary,
    check,
    resolve,
    walk,
)
from qunluo.segments.sentences import sentence


@dataclass(frozen=True)
class Use:
    """Something that chooses people by a segment."""

    what: Text
    name: str
    id: int


_finders: list[Callable[[Segment], list[Use]]] = []


def register_uses(finder: Callable[[Segment], list[Use]]) -> None:
    """Rooms above say where they use a segment; it can't be deleted as long as they do."""
    if finder not in _finders:
        _finders.append(finder)


def list_segments(community: Community) -> QuerySet[Segment]:
    return Segment.objects.filter(community=community).order_by("name", "pk")


def load_vocabulary(community: Community) -> Vocabulary:
    """Every name that a tree of the community may hold."""
    fields = Field.objects.filter(community=community).order_by("pk")
    tags = Tag.objects.filter(group__community=community).select_related("group")
    groups: Any = Member._meta.get_field("memberships").related_model._meta.get_field("group")
    named = groups.related_model.objects.filter(community=community)
    codes = ChannelCode.objects.filter(community=community)
    plain = Vocabulary(
        fields={f.key: FieldName(f.label, f.kind, tuple(f.choices)) for f in fields},
        tags={t.pk: f"{t.group.name} · {t.name}" for t in tags.order_by("group__name", "name")},
        groups=dict(named.order_by("name").values_list("pk", "name")),
        codes=dict(codes.order_by("name", "pk").values_list("pk", "name")),
    )
    return replace(plain, segments=_segments(community, plain))


def _segments(community: Community, plain: Vocabulary) -> dict[int, tuple[str, Node]]:
    """Trees by id. They were checked when they were kept; a name that is gone since is nobody's."""
    rows = list(list_segments(community))
    named = {row.pk: (row.name, NOBODY) for row in rows}
    there = _open(replace(plain, segments=named))
    return {row.pk: (row.name, _read(row.tree, there)) for row in rows}


class _Anything(dict[int, str]):
    """Has every key: names that are gone are told from those that are there later."""

    def __contains__(self, key: object) -> bool:
        return True


def _read(tree: Any, vocabulary: Vocabulary) -> Node:
    try:
        return check(tree, vocabulary)
    except WrongTreeError:
        return NOBODY


def read_tree(raw: Any, vocabulary: Vocabulary) -> Node:
    """A stored tree, typed; what can't be read any more is nobody."""
    return _read(raw, _open(vocabulary))


def _open(vocabulary: Vocabulary) -> Vocabulary:
    """Knows every tag, group and code that a tree may name."""
    return replace(vocabulary, tags=_Anything(), groups=_Anything(), codes=_Anything())


def list_members(
    community: Community, node: Node, vocabulary: Vocabulary | None = None
) -> QuerySet[Member]:
    """Who is meant, exactly and now; the newest first."""
    words = vocabulary or load_vocabulary(community)
    scope = scope_of(community, words)
    return live_members(community).filter(as_query(resolve(node, words), scope))


def find_in(
    community: Community, node: Node, ids: list[int], vocabulary: Vocabulary | None = None
) -> set[int]:
    """Which of a few members are meant; reads of these members only."""
    words = vocabulary or load_vocabulary(community)
    where = as_query(resolve(node, words), scope_of(community, words, ids))
    rows = live_members(community).filter(where, pk__in=ids).order_by()
    return set(rows.values_list("pk", flat=True))


def is_in(member: Member, node: Node, vocabulary: Vocabulary | None = None) -> bool:
    return member.pk in find_in(member.community, node, [member.pk], vocabulary)


def list_segments_of(member: Member) -> list[Segment]:
    """The segments that a member is in, by name."""
    words = load_vocabulary(member.community)
    rows = list_segments(member.community)
    return [row for row in rows if is_in(member, InSegment(row.pk), words)]


def sample(
    community: Community, node: Node, n: int = 5, vocabulary: Vocabulary | None = None
) -> list[Member]:
    """Some of those who are meant: the newest."""
    return list(list_members(community, node, vocabulary)[:n])


def count_now(community: Community, node: Node, vocabulary: Vocabulary | None = None) -> int:
    """How many are meant, by the database alone."""
    return list_members(community, node, vocabulary).order_by().count()


def describe(segment: Segment, vocabulary: Vocabulary) -> Text:
    """A segment as a sentence."""
    found = vocabulary.segments.get(segment.pk)
    return sentence(found[1] if found else NOBODY, vocabulary)


def list_uses(segment: Segment, vocabulary: Vocabulary | None = None) -> list[Use]:
    """What chooses people by it: other segments, and what rooms above said."""
    words = vocabulary or load_vocabulary(segment.community)
    inside = Text("segment", "人群")
    found = [
        Use(inside, name, pk)
        for pk, (name, tree) in words.segments.items()
        if any(part == InSegment(segment.pk) for part in walk(tree))
    ]
    return [*found, *(use for finder in _finders for use in finder(segment))]

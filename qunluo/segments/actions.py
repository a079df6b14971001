"""Making and changing segments; each in one transaction, with its event."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction

from qunluo.community.models import Community
from qunluo.events.actions import record
from qunluo.kit import clock
from qunluo.kit.text import Text
from qunluo.members.rules import clean_name
from qunluo.segments.errors import SegmentInUseError, SegmentNameError, SegmentTakenError
from qunluo.segments.models import Segment
from qunluo.segments.queries import list_uses, load_vocabulary
from qunluo.segments.rules import as_json, check


@transaction.atomic
def do_make(community: Community, *, name: str, tree: Any, by: str) -> Segment:
    """A new segment. Raises `SegmentNameError`, `SegmentTakenError`, `WrongTreeError`."""
    found = check(tree, load_vocabulary(community))
    now = clock.now()
    row = Segment(community=community, name=_name(name), tree=as_json(found), by=by, made_at=now,
                  changed_at=now)  # fmt: skip
    _keep(row)
    _record("segment_made", row, by)
    return row


@transaction.atomic
def do_change(segment: Segment, *, name: str, tree: Any, by: str) -> Segment:
    """Another name or other conditions; raises as `do_make` does, and where the tree would lead
    back to the segment itself."""
    # one change at a time: two at once could each lead to the other
    Community.objects.select_for_update().get(pk=segment.community_id)
    vocabulary = load_vocabulary(segment.community)
    segment.tree = as_json(check(tree, vocabulary, own=segment.pk))
    segment.name, segment.by, segment.changed_at = _name(name), by, clock.now()
    _keep(segment)
    _record("segment_changed", segment, by)
    return segment


@transaction.atomic
def do_delete(segment: Segment, *, by: str) -> None:
    """Raises `SegmentInUseError` while something chooses people by it."""
    Community.objects.select_for_update().get(pk=segment.community_id)
    uses = list_uses(segment)
    if uses:
        said = [Text(f"{u.what.en} “{u.name}”", f"{u.what.zh}“{u.name}”") for u in uses[:3]]
        users = Text(", ".join(t.en for t in said), "、".join(t.zh for t in said))
        raise SegmentInUseError(name=segment.name, users=users)
    _record("segment_deleted", segment, by)
    segment.delete()


def _name(name: str) -> str:
    shown = clean_name(name)
    if not shown:
        raise SegmentNameError
    return shown


def _keep(row: Segment) -> None:
    """Raises `SegmentTakenError`, whoever of two comes second."""
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        raise SegmentTakenError(name=row.name) from None


def _record(kind: str, segment: Segment, by: str) -> None:
    record(kind, community=segment.community_id, actor=by,
           data={"segment": segment.pk, "name": segment.name})  # fmt: skip

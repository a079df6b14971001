"""How many are meant: by columns for all who have not changed since, by the database for the
others. The answer is exact, as of now, whichever way it comes."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Iterator
from datetime import datetime

import pyarrow as pa

from qunluo.archive.engines.base import Inputs, Plan
from qunluo.archive.engines.duckdb import DuckDB
from qunluo.community.models import Community
from qunluo.events.models import Event
from qunluo.kit import clock
from qunluo.members.models import Member, Tagging
from qunluo.segments.asking import scope_of
from qunluo.segments.columns import TOUCHED, plan_count
from qunluo.segments.held import Held
from qunluo.segments.queries import count_now, find_in, load_vocabulary
from qunluo.segments.rules import Node, Vocabulary, resolve
from qunluo.segments.snapshots import Snapshot, count_imported, find_snapshot
from qunluo.standing.models import Reckoning, Standing

MOST_TOUCHED = 2_000  # more are counted by the database alone, until the columns are new
AT_ONCE = 500
TALK = ("message_posted", "message_reacted", "message_recalled", "standing_changed")
"""Events that move sums and standings only, which rounds of standing tell."""
CODE_GONE = "channel_code_removed"
MERGES = ("member_merged", "merge_undone")


class TooMuchNewError(Exception):
    """So much changed since that the columns are worth nothing."""


def count(community: Community, node: Node, vocabulary: Vocabulary | None = None) -> int:
    """How many members are meant, exactly and now."""
    words = vocabulary or load_vocabulary(community)
    snapshot = find_snapshot(community)
    if snapshot is None:
        return count_now(community, node, words)
    try:
        touched = find_touched(community, snapshot)
        return _by_columns(community, node, words, snapshot, touched)
    except (TooMuchNewError, OSError):
        return count_now(community, node, words)


def _by_columns(
    community: Community, node: Node, words: Vocabulary, snapshot: Snapshot, touched: set[int]
) -> int:
    scope = scope_of(community, words)
    meant, layout = resolve(node, words), snapshot.layout
    plan = plan_count(meant, layout, scope.today, scope.zone, touched=bool(touched))
    ids = pa.table({"id": sorted(touched)}, TOUCHED)
    with _lock:
        held = _held.tables(snapshot.inputs(), meant, layout)
    found = _run(plan, {**held, "touched": ids})
    counted = int(found.column("n")[0].as_py())
    few = sorted(touched)
    for start in range(0, len(few), AT_ONCE):
        counted += len(find_in(community, node, few[start : start + AT_ONCE], words))
    return counted


def find_touched(community: Community, snapshot: Snapshot) -> set[int]:
    """Members of whom something may have changed since; raises `TooMuchNewError`."""
    row = Reckoning.objects.filter(community=community).first()
    recounted = row is not None and (
        row.behind is not None or row.recounted > snapshot.revision
    )
    new = Event.objects.filter(community_id=community.pk, id__gt=snapshot.position)
    if new.filter(kind=CODE_GONE).exists():  # who came by it came another way now
        raise TooMuchNewError
    if recounted or count_imported(community) != snapshot.imported:
        raise TooMuchNewError
    found = set(snapshot.unsettled)
    for some in _touched(community, snapshot):
        found |= set(some)
        if len(found) > MOST_TOUCHED:
            raise TooMuchNewError
    return found


def _touched(community: Community, snapshot: Snapshot) -> Iterator[list[int]]:
    most = MOST_TOUCHED + 1
    new = Event.objects.filter(community_id=community.pk, id__gt=snapshot.position)
    named = new.exclude(kind__in=TALK).exclude(member_id=None).order_by()
    yield [pk for pk in named.values_list("member_id", flat=True).distinct()[:most] if pk]
    gone = new.filter(kind__in=MERGES).values_list("data", flat=True)[:most]
    yield [int(data.get("gone") or 0) for data in gone]
    later = Member.objects.filter(community=community, pk__gt=snapshot.last_member)
    yield list(later.values_list("pk", flat=True)[:most])
    judged = Standing.objects.filter(community=community, revision__gt=snapshot.revision)
    yield list(judged.values_list("pk", flat=True)[:most])
    now: datetime = clock.now()
    lapsed = Tagging.objects.filter(expires_at__lte=now, member__community=community)
    yield list(lapsed.values_list("member_id", flat=True)[:most])


# one session of the engine: opening it takes longer than most counts

_lock = threading.Lock()
_session: list[DuckDB] = []
_held = Held()


def _run(plan: Plan, inputs: Inputs) -> pa.Table:
    with _lock:
        if not _session:
            _session.append(DuckDB())
        return _session[0].run([plan], inputs)[plan.name]


@atexit.register
def close() -> None:
    """Ends the session; the next count opens another."""
    with _lock:
        while _session:
            _session.pop().__exit__(None, None, None)

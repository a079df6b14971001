"""What the worker does for standing: adds up what happened, counts anew, judges each night."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Sequence
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.db.models import F

from qunluo.community.models import Community
from qunluo.events.actions import follow
from qunluo.events.models import Event
from qunluo.kit import clock
from qunluo.members.models import Member
from qunluo.members.queries import find_survivor, list_ids
from qunluo.standing.judging import do_judge, open_court
from qunluo.standing.loading import list_inviters
from qunluo.standing.models import STAFF, Contact, Reckoning, Standing, Tally
from qunluo.standing.night import FOLLOWER, do_judge_all, find_due, hold_sums
from qunluo.standing.sums import COUNTED, MOVES, add_up, do_add, find_survivors
from qunluo.standing.ties import do_tie_all

MERGES = ("member_merged", "merge_undone")
OURS = COUNTED | {*MERGES, "member_erased", "settings_changed", "members_imported"}
AT_ONCE = 500
NIGHT_LOOK_S = 20.0  # of the world, between looks whether a day began
log = logging.getLogger(__name__)


def do_follow(limit: int = AT_ONCE) -> bool:
    """Adds the next events to the sums and judges whom they touch; whether there were any. The
    sums and the position stand or fall together, so each event counts once."""
    return bool(follow(FOLLOWER, do_count, limit=limit))


def do_count(events: Sequence[Event]) -> None:
    """Counts events in the caller's transaction, but for communities that are counted anew."""
    ours = [event for event in events if event.kind in OURS]
    waiting = set(
        Reckoning.objects.filter(behind__isnull=False).values_list("community_id", flat=True)
    )
    for community in sorted({event.community_id for event in ours} - waiting):
        found = Community.objects.filter(pk=community).first()
        if found is not None:
            _count(found, [event for event in ours if event.community_id == community])


def _count(community: Community, events: Sequence[Event]) -> None:
    sums = add_up(events, {community.pk: ZoneInfo(community.zone)})
    do_add(sums)
    touched = sums.members()
    for event in events:
        touched |= _follow_other(community, event)
    moved = {event.member_id for event in events if event.kind in MOVES and event.member_id}
    now = find_survivors(touched | moved)
    moved = {now.get(pk, pk) for pk in moved}
    ids = {now.get(pk, pk) for pk in touched} | moved | list_inviters(moved)
    ids -= {STAFF}
    do_judge(open_court(community), sorted(ids))


def _follow_other(community: Community, event: Event) -> set[int]:
    """What adds to no sum but changes whose they are, or the days; whom it touches."""
    if event.kind in MERGES:
        return do_rehome({event.member_id or 0, int(event.data.get("gone", 0))})
    if event.kind == "member_erased" and event.member_id:
        Standing.objects.filter(member_id=event.member_id).delete()
    elif event.kind == "member_met" and event.member_id:
        return {event.member_id}
    elif event.kind == "settings_changed" and "zone" in event.data:
        do_recount(community)
    elif event.kind == "members_imported" or "standing" in event.data:
        Reckoning.objects.filter(community=community).update(judged_on=None)
    return set()


def do_rehome(ids: set[int]) -> set[int]:
    """After a merge, or its undoing: each row is of who its member is by now. Those it touches,
    partners too."""
    tree: set[int] = set()
    for member in Member.objects.filter(pk__in=ids):
        tree |= set(list_ids(find_survivor(member)))
    now = find_survivors(tree)
    partners = set(
        Contact.objects.filter(other_id__in=tree).values_list("member_id", flat=True)
    )
    partners |= set(
        Contact.objects.filter(member_id__in=tree).values_list("other_id", flat=True)
    )
    for origin in sorted(tree):
        one = now.get(origin, origin)
        Tally.objects.filter(member_id__in=tree, origin_id=origin).update(member_id=one)
        Contact.objects.filter(member_id__in=tree, origin_id=origin).update(member_id=one)
        Contact.objects.filter(other_id__in=tree, other_origin_id=origin).update(other_id=one)
    Standing.objects.filter(member_id__in=list(now)).delete()
    return tree | (partners - {STAFF})


# counting anew


def do_recount(community: Community) -> None:
    """Drops all sums of a community; the worker counts them again from the record, event by
    event, while what happens meanwhile waits for its turn."""
    with transaction.atomic():
        hold_sums()
        for model in (Tally, Contact):
            model._base_manager.filter(community=community).delete()
        Reckoning.objects.update_or_create(
            community=community, defaults={"behind": 0, "behind_transaction": 0}
        )
        _tell_recounted(community.pk)


def step_recount(limit: int = AT_ONCE) -> bool:
    """Counts the next events of a community that is counted anew; whether there is one. Killed
    anywhere, it goes on where it was."""
    waiting = Reckoning.objects.exclude(behind=None)
    if not waiting.exists():
        return False
    with transaction.atomic():
        read = hold_sums().place
        row = waiting.select_related("community").select_for_update(of=("self",)).first()
        if row is None:
            return False
        mine = Event.objects.filter(row.place.after, read.until, community_id=row.community_id)
        events = list(mine.order_by("transaction", "id")[:limit])
        counted = (event for event in events if event.kind in COUNTED)
        do_add(add_up(counted, {row.community_id: ZoneInfo(row.community.zone)}))
        over = len(events) < limit
        row.behind_transaction, row.behind = (0, None) if over else events[-1].place
        row.judged_on = None if over else row.judged_on
        row.save(update_fields=["behind", "behind_transaction", "judged_on"])
        if over:
            _tell_recounted(row.pk)
    return True


def _tell_recounted(community: int) -> None:
    """Sums may have moved that belong to nobody's judging: what was read before is worth
    nothing."""
    mine = Reckoning.objects.filter(pk=community)
    mine.update(revision=F("revision") + 1, recounted=F("revision") + 1)


# nights


def do_judge_due() -> int | None:
    """Judges a community whose day began; how many members. None where there is none."""
    community = find_due(clock.now())
    if community is None:
        return None
    do_tie_all(community)  # first: the night is over when all are judged
    return do_judge_all(community)


def run_nights(stop: threading.Event) -> None:
    """Judges each community when its day begins, beside the worker's rounds: it takes minutes
    where there are a million members, and joiners wait for none."""
    while not stop.is_set():
        try:
            while not stop.is_set() and do_judge_due() is not None:
                pass
        except Exception as error:
            log.warning("standing: %s", type(error).__name__)
        connection.close()
        stop.wait(NIGHT_LOOK_S)


def judge_now(community: Community, ids: Iterable[int]) -> None:
    """Judges these members at once, in the caller's transaction."""
    do_judge(open_court(community), sorted(ids))

"""What the worker does for segments: columns that are old are written anew."""

from __future__ import annotations

import logging
import threading

from django.db import connection

from qunluo.community.models import Community
from qunluo.members.models import Member
from qunluo.segments.counting import MOST_TOUCHED, TooMuchNewError, find_touched
from qunluo.segments.snapshots import do_snapshot, find_snapshot

LEAST = 20_000  # members, below which the database alone is fast enough
RENEW_AT = MOST_TOUCHED // 2
LOOK_S = 30.0  # of the world, between looks
log = logging.getLogger(__name__)


def is_due(community: Community) -> bool:
    """Whether new columns are worth their work."""
    members = Member.objects.filter(community=community).order_by()
    if members[:LEAST].count() < LEAST:
        return False
    snapshot = find_snapshot(community)
    if snapshot is None:
        return True
    try:
        return len(find_touched(community, snapshot)) > RENEW_AT
    except TooMuchNewError:
        return True


def renew_due() -> int:
    """Writes the columns of every community where they are due; of how many."""
    due = [c for c in Community.objects.order_by("pk") if is_due(c)]
    return sum(do_snapshot(community) is not None for community in due)


def run_renewals(stop: threading.Event) -> None:
    """Looks again and again, beside the worker's rounds: a million members take a minute."""
    while not stop.is_set():
        try:
            renew_due()
        except Exception as error:
            log.warning("segments: %s", type(error).__name__)
        connection.close()
        stop.wait(LOOK_S)

"""The same talk has the same ties, read from the living sums or from the archive it was fed to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qunluo.archive.schema import EVENTS, MESSAGES
from qunluo.community.actions import do_found
from qunluo.community.models import Community
from qunluo.kit import clock
from qunluo.messaging.actions import do_post
from qunluo.messaging.feeding import message_row
from qunluo.messaging.models import Message
from qunluo.standing.archive import Archive
from qunluo.standing.models import Tie
from qunluo.standing.tasks import do_follow
from qunluo.standing.tie_archive import find_archive_ties
from qunluo.standing.ties import do_tie_all
from tests.cast import NOON, make_group, make_member, make_user

pytestmark = pytest.mark.django_db(transaction=True)
ORDERS = pa.schema(
    [("member_id", pa.string()), ("paid_at", pa.timestamp("us")), ("amount_minor", pa.int64())]
)


@dataclass(frozen=True)
class Said:
    """A message: by whom, how many messages before it answers (0: none), whom it names."""

    who: int
    back: int
    named: tuple[int, ...]
    later: int  # hours after the one before


TALK = st.lists(
    st.builds(
        Said, st.integers(0, 4), st.integers(0, 3),
        st.lists(st.integers(0, 4), max_size=2).map(tuple), st.integers(0, 60),
    ),
    max_size=25,
)  # fmt: skip


def archive_of(community: Community) -> Archive:
    rows = Message.objects.filter(group__community=community).order_by("pk")
    told = [message_row(row) for row in rows.select_related("group", "member")]
    joins = [  # who never wrote and was only named is known by having joined
        {"kind": "join", "at": NOON, "subject_id": f"m{member.pk}", "platform": "qunluo",
         "group_id": "g", "zone_known": "utc"}
        for member in community.members.all()
    ]  # fmt: skip
    return Archive(
        pa.Table.from_pylist(told, MESSAGES), pa.Table.from_pylist(joins, EVENTS), ORDERS.empty_table(),
        ZoneInfo(community.zone),
    )  # fmt: skip


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(TALK)
def test_the_archives_ties_are_those_of_the_living(talk: list[Said]) -> None:
    owner = make_user(f"owner-{clock.time.time_ns()}")
    community = do_found("Tea", owner)
    group = make_group(community)
    people = [make_member(community, f"M{n}") for n in range(5)]
    at, posted = NOON, list[Message]()
    for said in talk:
        at += timedelta(hours=said.later)
        with clock.use(clock.faster(0, at)):
            message = do_post(
                group, text="Hello", member=people[said.who], label="member",
                reply_to=posted[-said.back] if 0 < said.back <= len(posted) else None,
                mentions=[people[n].pk for n in said.named],
            )  # fmt: skip
        posted.append(message)
    with clock.use(clock.faster(0, at)):
        while do_follow():
            pass
        do_tie_all(community)
    found = find_archive_ties(
        archive_of(community), at.astimezone(ZoneInfo(community.zone)).date()
    )
    live = {
        tuple(sorted((f"m{row.one_id}", f"m{row.other_id}"))): (
            row.kinds, row.since.toordinal(), row.last_on.toordinal(), row.strong
        )
        for row in Tie.objects.filter(community=community)
    }  # fmt: skip
    assert {
        pair: (dict(bond.kinds), bond.since, bond.last, strong)
        for pair, (bond, strong) in found.items()
    } == live

"""What to do next: always something, the urgent first, and never for a group that is over."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qunluo.community.models import Community
from qunluo.events.models import Event
from qunluo.groups.actions import do_join
from qunluo.groups.models import Group
from qunluo.groups.rules import NEXT
from qunluo.groups.stages import STAGES, Facts, list_steps
from qunluo.groups.tasks import step
from qunluo.members.models import Member
from tests.cast import make_group

numbers = st.integers(0, 300)
facts = st.builds(
    Facts, state=st.sampled_from(Group.STATES), taken=numbers, capacity=st.integers(1, 300),
    moderators=numbers, pinned=numbers, drafts=numbers, requests=numbers, late_tasks=numbers,
    open_tasks=numbers, quiet_days=numbers, hours_left=st.none() | numbers,
    successor=st.booleans(),
)  # fmt: skip


def test_every_state_is_a_stage_with_a_next_step() -> None:
    assert tuple(STAGES) == Group.STATES == tuple(NEXT)


@given(facts)
def test_there_is_always_a_step_with_its_reason_and_the_stages_own_is_last(
    found: Facts,
) -> None:
    steps = list_steps(found)
    assert steps[-1].words == NEXT[found.state]
    assert all(s.words.zh and s.why.zh and s.to for s in steps)
    assert len({s.words.en for s in steps}) == len(steps)
    if found.state == "dissolved":
        assert len(steps) == 1
    if found.requests and found.state != "dissolved":
        assert steps[0].to == "requests"


@pytest.mark.parametrize(
    ("found", "to"),
    [
        (Facts("setup", drafts=3), "replies"), (Facts("growing", taken=30), "members"),
        (Facts("growing", late_tasks=1), "tasks"), (Facts("mature", hours_left=47), "group"),
    ],
)  # fmt: skip
def test_what_is_missing_is_asked_for(found: Facts, to: str) -> None:
    assert to in [s.to for s in list_steps(found)]


@pytest.mark.django_db
def test_a_change_of_stage_is_in_the_record_with_its_counts(
    tea: Community, bob: Member, noon: datetime
) -> None:
    group = make_group(tea)
    do_join(group, bob, by=bob.actor)
    step(noon + timedelta(days=15))
    changed = Event.objects.get(kind="group_stage_changed")
    assert (changed.data["before"], changed.data["after"]) == ("growing", "silent")
    assert changed.data["quiet_days"] == 15
    step(noon + timedelta(days=15))
    assert Event.objects.filter(kind="group_stage_changed").count() == 1

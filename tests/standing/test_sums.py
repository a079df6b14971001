"""What is added event by event is what a count from scratch finds, whatever came in which order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qunluo.community.actions import do_found
from qunluo.community.models import Community
from qunluo.events.actions import record
from qunluo.events.models import Consumer
from qunluo.kit import clock
from qunluo.members.actions import do_erase, do_merge, do_undo_merge
from qunluo.members.models import Member, Merge
from qunluo.standing.models import Contact, Standing, StandingChange, Tally
from qunluo.standing.night import FOLLOWER, do_judge_all
from qunluo.standing.tasks import do_follow, do_recount, step_recount
from tests.cast import NOON, make_member, make_user

pytestmark = pytest.mark.django_db(transaction=True)
MEMBERS = 5


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.use(clock.faster(0, NOON)):
        yield


# histories


@dataclass(frozen=True)
class Step:
    """One thing that happens: `who` and `whom` are places among the members."""

    kind: str
    who: int
    whom: int
    ago: int
    label: str
    on: bool


HAPPENS = (
    "message_posted", "message_reacted", "member_joined", "member_left", "member_removed",
    "member_restored", "nickname_set", "item_read", "gathering_attended", "checked_in",
    "order_paid", "order_refunded", "member_met", "testimony_posted", "contact_set", "staff",
    "merge", "undo", "follow", "noise",
)  # fmt: skip
STEPS = st.lists(
    st.builds(
        Step, st.sampled_from(HAPPENS), st.integers(0, MEMBERS - 1), st.integers(0, MEMBERS - 1),
        st.integers(0, 100), st.sampled_from(["member", "staff", "auto", ""]), st.booleans(),
    ),
    max_size=40,
)  # fmt: skip


@dataclass
class Play:
    community: Community
    members: list[Member]

    def act(self, step: Step) -> None:
        one, other = self.members[step.who], self.members[step.whom]
        if step.kind == "merge":
            self._merge(one, other)
        elif step.kind == "undo":
            self._undo()
        elif step.kind == "follow":
            do_follow(limit=1 + step.ago % 7)
        else:
            self._record(step, one, other)

    def _merge(self, one: Member, other: Member) -> None:
        rows = {m.pk: m for m in Member.objects.filter(pk__in=[one.pk, other.pk])}
        if len(rows) == 2 and not any(m.merged_into_id or m.erased_at for m in rows.values()):
            do_merge(rows[one.pk], rows[other.pk], evidence={"kind": "hand"}, by="staff:1")

    def _undo(self) -> None:
        mine = Merge.objects.filter(kept__community=self.community, undone_at=None)
        for merge in mine.filter(kept__merged_into=None).order_by("-pk")[:1]:
            do_undo_merge(merge, by="staff:1")

    def _record(self, step: Step, one: Member, other: Member) -> None:
        kind = "message_posted" if step.kind == "staff" else step.kind
        who = None if step.kind == "staff" else one.pk
        record(
            kind, community=self.community.pk, member=who, actor=one.actor,
            data=_data(step, other.pk), at=NOON - timedelta(days=step.ago, hours=step.ago),
            cause=f"order:{self.community.pk}:{step.whom}" if kind == "order_paid" else None,
        )  # fmt: skip


def _data(step: Step, other: int) -> dict[str, Any]:
    return {
        "message_posted": {
            "label": "staff" if step.kind == "staff" else "member", "to_label": step.label,
            "to_member": other if step.label == "member" or step.kind == "staff" else None,
            "mentions": [other] if step.on else [],
        },
        "message_reacted": {"on": step.on, "to_member": other, "label": step.label},
        "member_met": {"inviter": other if step.on and step.who != step.whom else None},
        "nickname_set": {"compliant": step.on},
        "order_paid": {"order": str(step.whom), "amount_minor": 100 * step.ago},
        "order_refunded": {"order": "x", "amount_minor": 10 * step.ago, "whole": step.on},
        "member_left": {"why": "left" if step.on else "closed"},
        "gathering_attended": {"with": [other]},
    }.get("message_posted" if step.kind == "staff" else step.kind, {})  # fmt: skip


def play(steps: list[Step]) -> Play:
    owner = make_user(f"owner-{Community.objects.count()}-{clock.time.time_ns()}")
    community = do_found("Tea", owner)
    found = Play(community, [make_member(community, f"M{n}") for n in range(MEMBERS)])
    for step in steps:
        found.act(step)
    return found


def follow_all(limit: int = 500) -> None:
    while do_follow(limit):
        pass


def sums(community: Community) -> tuple[list[Any], list[Any]]:
    tallies = Tally.objects.filter(community=community).exclude(n=0, amount_minor=0)
    contacts = Contact.objects.filter(community=community).exclude(n=0)
    return (
        sorted(
            tallies.values_list("member_id", "origin_id", "kind", "day", "n", "amount_minor")
        ),
        sorted(contacts.values_list("member_id", "other_id", "origin_id", "kind", "day", "n")),
    )


def standings(community: Community) -> list[dict[str, Any]]:
    rows = Standing.objects.filter(community=community).order_by("pk").values()
    return [{k: v for k, v in row.items() if k != "revision"} for row in rows]


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(STEPS, st.integers(1, 9))
def test_counted_event_by_event_is_counted_from_scratch(steps: list[Step], limit: int) -> None:
    """Any history, in any batches, with merges and their undoing in between; then a night: the
    same sums, the same standings, to the last number."""
    played = play(steps)
    follow_all(limit)
    kept, early = sums(played.community), standings(played.community)
    do_judge_all(played.community)
    late = standings(played.community)
    Standing.objects.filter(community=played.community).delete()
    do_recount(played.community)
    assert sums(played.community) == ([], [])
    while step_recount(limit):
        pass
    assert sums(played.community) == kept
    do_judge_all(played.community)
    assert standings(played.community) == late
    beside = {"recency", "frequency", "monetary", "influence", "weeks", "placed", "circle",
              "lower_since", "lifecycle", "phase", "churn"}  # fmt: skip
    same = {row["member_id"]: row for row in late}
    for row in early:  # what needs no comparing with others was right before the night
        late_row = same[row["member_id"]]
        assert {k: v for k, v in row.items() if k not in beside} == {
            k: v for k, v in late_row.items() if k not in beside
        }


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(STEPS, st.randoms(use_true_random=False))
def test_the_order_of_the_record_makes_no_difference(steps: list[Step], random: Any) -> None:
    plain = [s for s in steps if s.kind not in ("merge", "undo", "order_paid")]
    one = play(plain)
    random.shuffle(plain)
    other = play(plain)
    follow_all()
    first = {m.pk: n for n, m in enumerate(one.members)} | {0: 0}
    second = {m.pk: n for n, m in enumerate(other.members)} | {0: 0}
    mine, theirs = sums(one.community), sums(other.community)
    for a, b in zip(mine, theirs, strict=True):
        assert len(a) == len(b)
    assert sorted((first[r[0]], *r[2:]) for r in mine[0]) == sorted(
        (second[r[0]], *r[2:]) for r in theirs[0]
    )


def test_an_order_told_twice_counts_once(tea: Community, bob: Member) -> None:
    for _ in range(2):
        record("order_paid", community=tea.pk, member=bob.pk, cause=f"order:{tea.pk}:7",
               data={"order": "7", "amount_minor": 990})  # fmt: skip
    follow_all()
    row = Standing.objects.get(member=bob)
    assert (row.orders, row.spent_minor, row.trust) == (1, 990, 5)


def test_what_dies_while_counting_counts_nothing(
    tea: Community, bob: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sums and position stand or fall together: after the next start each event counts once."""
    record("checked_in", community=tea.pk, member=bob.pk)

    def die(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("qunluo.standing.tasks.do_judge", die)
        with pytest.raises(KeyboardInterrupt):
            do_follow()
    assert not Tally.objects.exists()
    follow_all()
    follow_all()
    assert Tally.objects.get(kind="checked_in").n == 1


def test_a_change_is_an_event_with_its_reason(tea: Community, bob: Member) -> None:
    record("member_met", community=tea.pk, member=bob.pk)
    follow_all()
    record("member_joined", community=tea.pk, member=bob.pk)
    follow_all()
    change = StandingChange.objects.get(member=bob, name="trust")
    assert (change.before, change.after) == ("0", "1")
    assert "2026-03-02" in change.why["zh"]


def test_a_day_is_the_communitys_own_and_moves_with_its_zone(
    tea: Community, bob: Member
) -> None:
    late = NOON.replace(hour=17)  # 1 in the morning of the next day in Shanghai
    record("checked_in", community=tea.pk, member=bob.pk, at=late - timedelta(days=1))
    follow_all()
    assert Tally.objects.get().day.isoformat() == "2026-03-02"
    tea.zone = "America/Lima"
    tea.save()
    record("settings_changed", community=tea.pk, data={"zone": tea.zone})
    record("checked_in", community=tea.pk, member=bob.pk)
    follow_all()
    record("checked_in", community=tea.pk, member=bob.pk)
    follow_all()
    while step_recount():
        pass
    days = {str(t.day): t.n for t in Tally.objects.all()}
    assert days == {"2026-03-01": 3}


def test_who_stays_makes_an_advocate_of_who_brought_them(tea: Community, bob: Member) -> None:
    guest = make_member(tea, "Guest")
    ago = NOON - timedelta(days=7)
    record("member_met", community=tea.pk, member=guest.pk, data={"inviter": bob.pk}, at=ago)
    follow_all()
    assert Standing.objects.get(member=bob).trust == 0
    record("member_joined", community=tea.pk, member=guest.pk, at=ago)
    follow_all()
    assert Standing.objects.get(member=bob).trust == 6


def test_who_is_erased_stands_nowhere(tea: Community, bob: Member) -> None:
    record("checked_in", community=tea.pk, member=bob.pk)
    follow_all()
    do_erase(bob, by="staff:1")
    assert not Standing.objects.exists()
    follow_all()
    do_judge_all(tea)
    assert not Standing.objects.exists()


def test_the_night_judges_again_when_days_have_passed(tea: Community, bob: Member) -> None:
    record("member_joined", community=tea.pk, member=bob.pk)
    record("checked_in", community=tea.pk, member=bob.pk)
    follow_all()
    assert Standing.objects.get(member=bob).lifecycle == "new"
    with clock.use(clock.faster(0, NOON + timedelta(days=31))):
        do_judge_all(tea)
    row = Standing.objects.get(member=bob)
    assert (row.lifecycle, row.phase) == ("silent", "win_back")
    changes = StandingChange.objects.filter(member=bob, name="lifecycle")
    assert [(c.before, c.after) for c in changes] == [("new", "silent")]


def test_the_follower_starts_where_it_was(tea: Community) -> None:
    follow_all()
    assert Consumer.objects.filter(name=FOLLOWER).count() <= 1

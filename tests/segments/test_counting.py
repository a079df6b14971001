"""Columns answer as the database does: at once, and after whatever happened since."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qunluo.community.models import Community
from qunluo.events.actions import record
from qunluo.events.models import Event
from qunluo.groups.actions import do_join, do_leave
from qunluo.groups.models import Group, Membership
from qunluo.kit import clock
from qunluo.members.actions import (
    do_erase,
    do_meet,
    do_merge,
    do_set_consent,
    do_set_fields,
    do_tag,
    do_undo_merge,
    do_untag,
)
from qunluo.members.defining import do_remove_code
from qunluo.members.models import ChannelCode, Identity, Member, MemberImport, Merge, Tag, Touch
from qunluo.segments import counting
from qunluo.segments.asking import scope_of
from qunluo.segments.columns import plan_ids
from qunluo.segments.counting import TooMuchNewError, count, find_touched
from qunluo.segments.queries import count_now, load_vocabulary
from qunluo.segments.rules import (
    PURPOSES,
    Allows,
    Came,
    Did,
    Flagged,
    Node,
    OfField,
    Seated,
    Spent,
    StandsAt,
    StandsIn,
    Tagged,
    resolve,
)
from qunluo.segments.snapshots import Snapshot, do_snapshot, find_snapshot, folder_of
from qunluo.standing.actions import do_note_order, do_note_refund
from qunluo.standing.models import Reckoning
from qunluo.standing.night import do_judge_all
from qunluo.standing.tasks import do_follow, do_recount, step_recount
from tests.cast import NOON, make_member
from tests.segments.strategies import CHANNELS, World, make_world, trees

pytestmark = pytest.mark.django_db(transaction=True)
MANY = settings(max_examples=30, suppress_health_check=list(HealthCheck), derandomize=True)


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.use(clock.faster(0, NOON)):
        yield


@pytest.fixture
def world(tea: Community) -> Iterator[World]:
    yield make_world(tea, 3)
    shutil.rmtree(folder_of(tea), ignore_errors=True)


def ids_by_columns(world: World, tree: Node, snapshot: Snapshot) -> set[int]:
    words = load_vocabulary(world.community)
    scope = scope_of(world.community, words)
    plan = plan_ids(resolve(tree, words), snapshot.layout, scope.today, scope.zone)
    return set(counting._run(plan, snapshot.inputs()).column("id").to_pylist())


@MANY
@given(data=st.data())
def test_columns_find_who_is_meant(world: World, data: st.DataObject) -> None:
    words = load_vocabulary(world.community)
    tree = data.draw(trees(words))
    snapshot = find_snapshot(world.community) or do_snapshot(world.community)
    assert snapshot is not None
    assert ids_by_columns(world, tree, snapshot) == world.who(tree, words)


# what may happen


def _tag(world: World, draw: random.Random, who: Member) -> None:
    until = draw.choice((None, clock.now() + timedelta(hours=1), clock.now() - timedelta(1)))
    do_tag(who, draw.choice(world.tags), by="system", why="", expires_at=until)


def _untag(world: World, draw: random.Random, who: Member) -> None:
    do_untag(who, draw.choice(world.tags), by="system", why="")


def _fields(world: World, draw: random.Random, who: Member) -> None:
    values = {"age": draw.choice((3, 30, "")), "skin": draw.choice(("dry", "oily", ""))}
    do_set_fields(who, values, by="system", why="")


def _move(world: World, draw: random.Random, who: Member) -> None:
    group = Group.objects.get(pk=draw.choice(world.groups).pk)
    seat = Membership.objects.filter(group=group, member=who, left_at=None).first()
    if seat is None:
        do_join(group, who, by="staff:1")
    else:
        do_leave(seat, why="left", by="system")


def _act(world: World, draw: random.Random, who: Member) -> None:
    kind, more = draw.choice((
        ("message_posted", {"label": "member"}), ("checked_in", {}),
        ("order_paid", {"order": str(draw.random()), "amount_minor": 200}),
    ))  # fmt: skip
    record(kind, community=world.community.pk, actor=who.actor, member=who.pk, data=more)


def _merge(world: World, draw: random.Random, who: Member) -> None:
    other = draw.choice(_live(world))
    if other.pk != who.pk:
        do_merge(who, other, evidence={"kind": "hand"}, by="staff:1")


def _undo(world: World, draw: random.Random, who: Member) -> None:
    merge = Merge.objects.filter(undone_at=None).order_by("-pk").first()
    if merge is not None:
        do_undo_merge(merge, by="staff:1")


def _new(world: World, draw: random.Random, who: Member) -> None:
    fresh = make_member(world.community, "New")
    do_tag(fresh, world.tags[0], by="system", why="")


def _erase(world: World, draw: random.Random, who: Member) -> None:
    do_erase(who, by="staff:1")


def _follow(world: World, draw: random.Random, who: Member) -> None:
    while do_follow():
        pass


def _night(world: World, draw: random.Random, who: Member) -> None:
    do_judge_all(world.community)


def _recount(world: World, draw: random.Random, who: Member) -> None:
    do_recount(world.community)
    if draw.random() < 0.7:
        while step_recount():
            pass


def _allow(world: World, draw: random.Random, who: Member) -> None:
    channel, granted = draw.choice(CHANNELS[:3]), draw.random() < 0.5
    do_set_consent(who, draw.choice(PURPOSES), channel, granted, words="", by="staff:1")


def _meet(world: World, draw: random.Random, who: Member) -> None:
    """Comes again, by whatever way; for some it is the first way that is known."""
    code = ChannelCode.objects.filter(community=world.community).first()
    for account in Identity.objects.filter(member=who, channel="web")[:1]:
        do_meet(world.community, channel="web", external_id=account.external_id, name="M",
                code=draw.choice((None, code)), inviter=draw.choice((None, *_live(world))),
                utm=draw.choice(({}, {"utm_campaign": "spring"})))  # fmt: skip


def _close(world: World, draw: random.Random, who: Member) -> None:
    """A code goes: who came by it is found by another way, or by none."""
    code = ChannelCode.objects.filter(community=world.community).first()
    if code is not None and draw.random() < 0.3:
        do_remove_code(code, by="staff:1")


def _pay_back(world: World, draw: random.Random, who: Member) -> None:
    order = str(draw.random())
    do_note_order(
        world.community, order=order, member=who, amount_minor=100, paid_at=clock.now()
    )
    do_note_refund(world.community, order=order, amount_minor=100, refunded_at=clock.now())


def _snapshot(world: World, draw: random.Random, who: Member) -> None:
    do_snapshot(world.community)


HAPPEN = (_tag, _untag, _fields, _move, _act, _merge, _undo, _new, _erase, _follow, _night,
          _recount, _snapshot, _allow, _meet, _close, _pay_back)  # fmt: skip


def _live(world: World) -> list[Member]:
    mine = Member.objects.filter(community=world.community, merged_into=None, erased_at=None)
    return list(mine.order_by("pk"))


@pytest.mark.parametrize("seed", range(4))
def test_whatever_happened_since_the_count_is_that_of_now(world: World, seed: int) -> None:
    draw = random.Random(seed)
    later = 0
    do_snapshot(world.community)
    for number in range(20):
        later += draw.choice((0, 0, 0, 30, 24 * 60))
        with clock.use(clock.faster(0, NOON + timedelta(minutes=later))):
            draw.choice(HAPPEN)(world, draw, draw.choice(_live(world)))
            words = load_vocabulary(world.community)
            some = _some_trees(world)
            for tree in some if number % 5 == 4 else some[number % 2 :: 2]:
                found = count(world.community, tree, words)
                assert found == count_now(world.community, tree, words), tree


def _some_trees(world: World) -> list[Node]:
    """One that asks for all that may change, in its parts."""
    return [
        *(Tagged(tag.pk) for tag in world.tags), *(Seated(g.pk) for g in world.groups),
        Did("said", at_least=1, days=7), Spent(100, None, 30), OfField("skin", "is", "dry"),
        StandsIn("lifecycle", ("new", "growing")), StandsAt("trust", ">=", 3),
        Did("checked_in", at_most=0), Flagged(("refunded",)), Came("inviter"), Came("nothing"),
        Came("utm", "spring", "campaign"), *(Came("code", code.pk) for code in world.codes if code.pk),
        Allows("marketing", "web"), Allows("service", "wecom"), Allows("analysis", "fax"),
    ]  # fmt: skip


def test_a_file_that_is_read_in_makes_columns_worth_nothing(world: World) -> None:
    snapshot = do_snapshot(world.community)
    assert snapshot is not None
    MemberImport.objects.create(
        community=world.community, by="staff:1", file="x", title="x", read=1, at=clock.now()
    )
    with pytest.raises(TooMuchNewError):
        find_touched(world.community, snapshot)


def test_while_sums_are_counted_anew_nothing_is_written(world: World) -> None:
    Reckoning.objects.update_or_create(community=world.community, defaults={"behind": 0})
    assert do_snapshot(world.community) is None
    assert find_snapshot(world.community) is None


def test_a_tag_made_later_is_counted(world: World) -> None:
    do_snapshot(world.community)
    fresh = Tag.objects.create(group=world.tags[0].group, name="matcha")
    do_tag(_live(world)[0], fresh, by="system", why="")
    assert count(world.community, Tagged(fresh.pk)) == 1


def test_only_the_newest_and_the_one_before_are_kept(world: World) -> None:
    for _ in range(4):
        do_snapshot(world.community)
    kept = sorted(path.name for path in folder_of(world.community).iterdir())
    assert kept == ["3", "4"]


def test_members_of_many_tags_are_told_apart(world: World) -> None:
    """More tags than a column has bits."""
    group = world.tags[0].group
    many = [Tag.objects.create(group=group, name=f"t{n}") for n in range(130)]
    first, second = _live(world)[:2]
    for tag in many[::2]:
        do_tag(first, tag, by="system", why="")
    for tag in many[1::2]:
        do_tag(second, tag, by="system", why="")
    snapshot = do_snapshot(world.community)
    assert snapshot is not None
    for n, tag in enumerate(many):
        if n % 32 not in (0, 1, 30, 31) and n < len(many) - 2:
            continue  # what could go wrong is at the ends of words
        found: Any = ids_by_columns(world, Tagged(tag.pk), snapshot)
        assert found == {(second if n % 2 else first).pk}


def test_a_way_that_becomes_known_later_is_counted(world: World) -> None:
    """The first touch told nothing; the second one does, and no other event names the member."""
    who = make_member(world.community, "Quiet")
    Touch.objects.create(member=who, at=clock.now())
    do_snapshot(world.community)
    before = count(world.community, Came("code", world.codes[0].pk))
    account = Identity.objects.get(member=who).external_id
    for _ in range(2):
        do_meet(world.community, channel="web", external_id=account, name="Quiet",
                code=world.codes[0])  # fmt: skip
    assert count(world.community, Came("code", world.codes[0].pk)) == before + 1
    assert Event.objects.filter(kind="source_learned", member_id=who.pk).count() == 1


def test_columns_of_another_version_are_not_read(world: World) -> None:
    do_snapshot(world.community)
    [kept] = folder_of(world.community).glob("*/manifest.json")
    said = json.loads(kept.read_text("utf-8"))
    kept.write_text(json.dumps({**said, "version": 1}), "utf-8")
    assert find_snapshot(world.community) is None
    assert do_snapshot(world.community) is not None

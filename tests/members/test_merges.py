"""Two members become one on evidence, and become two again exactly as they were."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qunluo.community.actions import do_found
from qunluo.community.models import Community
from qunluo.events.models import Event
from qunluo.groups.models import Ban, Membership
from qunluo.kit import clock
from qunluo.kit.text import Text
from qunluo.members import erasing, merging
from qunluo.members.actions import (
    do_claim_link,
    do_erase,
    do_export,
    do_index,
    do_meet,
    do_merge,
    do_set_consent,
    do_set_contact,
    do_set_fields,
    do_tag,
    do_undo_merge,
)
from qunluo.members.errors import (
    AlreadyMergedError,
    ErasedError,
    MergeByHandError,
    MergeCoveredError,
    NoEvidenceError,
    OtherCommunityError,
    WrongLinkError,
)
from qunluo.members.merging import list_relations, make_link
from qunluo.members.models import Field, Member, Merge, Tag, TagGroup, Touch
from qunluo.members.queries import list_ids, list_same, may_send, search_members
from qunluo.messaging.models import Delivery, Message, Question
from tests.cast import make_group, make_member, make_user

pytestmark = pytest.mark.django_db
HAND = {"kind": "hand"}


@contextmanager
def tried() -> Iterator[None]:
    """What happens inside is undone: one example of many."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def everything() -> dict[str, Any]:
    """Each row that is a member or points to one."""
    models = {relation.model for relation in list_relations()} | {Member}
    return {m._meta.label: list(m._base_manager.order_by("pk").values()) for m in models}


class Stage:
    """Two members and what may happen to them."""

    def __init__(self, tea: Community) -> None:
        self.tea = tea
        self.people = [self._meet("Bob"), self._meet("Robert")]
        choice = TagGroup.objects.create(community=tea, name="Level", single=True)
        self.tags = [Tag.objects.create(group=choice, name=name) for name in ("gold", "iron")]
        self.groups = [make_group(tea, name) for name in ("One", "Two")]
        Field.objects.create(community=tea, key="city", label="City", kind="text")
        self.acts: list[Callable[[Member, int], object]] = [
            self.tag, self.join, self.leave, self.say, self.consent, self.touch, self.city,
            self.contact, self.profile, self.ban,
        ]  # fmt: skip

    def _meet(self, name: str) -> Member:
        return do_meet(self.tea, channel="web", external_id=name, name=name)

    def tag(self, member: Member, n: int) -> object:
        return do_tag(member, self.tags[n % 2], by="staff:1", why=f"reason {n}")

    def join(self, member: Member, n: int) -> object:
        return Membership.objects.get_or_create(
            group=self.groups[n % 2], member=member, left_at=None,
            defaults={"joined_at": clock.now(), "nickname": f"nick {n}", "why": [n]},
        )  # fmt: skip

    def leave(self, member: Member, n: int) -> object:
        rows = Membership.objects.filter(member=member, group=self.groups[n % 2], left_at=None)
        return rows.update(left_at=clock.now(), left_why="left")

    def say(self, member: Member, n: int) -> object:
        row = Message.objects.create(
            group=self.groups[0], member=member, name="x", text=str(n), at=clock.now()
        )
        return Question.objects.create(
            community=self.tea, message=row, member=member, due_at=clock.now(), at=clock.now()
        )

    def consent(self, member: Member, n: int) -> object:
        return do_set_consent(member, "marketing", "web", n % 2 == 0, words="", by=member.actor)

    def touch(self, member: Member, n: int) -> object:
        inviter = self.people[n % 2]
        return Touch.objects.create(member=member, inviter=inviter, at=clock.now())

    def city(self, member: Member, n: int) -> object:
        return do_set_fields(member, {"city": ["", "Suzhou", "杭州"][n]}, by="x", why="")

    def contact(self, member: Member, n: int) -> object:
        numbers = ["", "13800138000", "13800138001"]
        return do_set_contact(member, phone=numbers[n], verified=True, by="staff:1")

    def profile(self, member: Member, n: int) -> object:
        member.refresh_from_db()
        member.birthday = [None, date(1990, 1, 2), date(1991, 1, 2)][n]
        member.lat, member.lon, member.note = (
            [None, 31.2, 30.0][n],
            [None, 121.4, 0.0][n],
            "n" * n,
        )
        return member.save()

    def ban(self, member: Member, n: int) -> object:
        return Ban.objects.get_or_create(
            community=self.tea, member=member, lifted_at=None,
            defaults={"why": f"ban {n}", "by": "x", "at": clock.now()},
        )  # fmt: skip


@given(
    history=st.lists(
        st.tuples(st.integers(0, 9), st.integers(0, 1), st.integers(0, 2)), max_size=14
    )
)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_merge_undone_leaves_everything_as_it_was(
    tea: Community, history: list[tuple[int, int, int]]
) -> None:
    with tried():
        stage = Stage(tea)
        for act, who, n in history:
            stage.acts[act](stage.people[who], n)
        kept, gone = stage.people
        before = everything()
        merge = do_merge(kept, gone, evidence=HAND, by="staff:1")
        assert not any(
            relation.rows([gone.pk]).exists()
            for relation in list_relations()
        )  # fmt: skip
        do_undo_merge(merge, by="staff:1")
        assert everything() == before


def test_both_in_one_group_are_there_once(tea: Community) -> None:
    stage = Stage(tea)
    for member in stage.people:
        stage.join(member, 0)
    do_merge(*stage.people, evidence=HAND, by="staff:1")
    assert Membership.objects.get(group=stage.groups[0], left_at=None).member == stage.people[0]


def test_what_came_after_the_merge_stays_with_the_kept_one(tea: Community) -> None:
    stage = Stage(tea)
    kept, gone = stage.people
    stage.city(gone, 1)
    merge = do_merge(kept, gone, evidence=HAND, by="staff:1")
    kept.refresh_from_db()
    assert kept.fields == {"city": "Suzhou"}
    stage.city(kept, 2)
    stage.say(kept, 7)
    do_undo_merge(merge, by="staff:1")
    kept.refresh_from_db()
    assert kept.fields == {"city": "杭州"}
    assert kept.messages.count() == 1


def test_a_merged_member_is_met_and_found_as_the_kept_one(tea: Community) -> None:
    kept, gone = Stage(tea).people
    do_merge(kept, gone, evidence=HAND, by="staff:1")
    assert do_meet(tea, channel="web", external_id="Robert", name="Robert") == kept
    assert search_members(tea, "robert") == [kept]
    assert set(list_ids(kept)) == {kept.pk, gone.pk}
    assert not may_send(gone, "service", "web")
    with pytest.raises(AlreadyMergedError):
        do_merge(make_member(tea, "Dora"), gone, evidence=HAND, by="staff:1")


def test_evidence_must_hold(tea: Community) -> None:
    kept, gone = Stage(tea).people
    for member in (kept, gone):
        do_set_contact(member, phone="13800138000", by=member.actor)
    assert list_same(kept) == []
    with pytest.raises(NoEvidenceError):
        do_merge(kept, gone, evidence={"kind": "phone"}, by="staff:1")
    for member in (kept, gone):
        do_set_contact(member, phone="13800138000", verified=True, by=member.actor)
    assert list_same(kept) == [(gone, {"kind": "phone"})]
    do_merge(kept, gone, evidence={"kind": "phone"}, by="staff:1")


def test_a_personal_link_shows_who_one_is(tea: Community) -> None:
    kept, gone = Stage(tea).people
    assert do_claim_link(gone, make_link(kept), by=gone.actor) == kept
    assert Merge.objects.get().evidence == {"kind": "invite"}
    assert do_claim_link(gone, make_link(kept), by=gone.actor) == kept
    stranger = make_member(do_found("Coffee", make_user("dave")))
    for token in (make_link(stranger), make_link(kept)[:-2], ""):
        with pytest.raises(WrongLinkError):
            do_claim_link(make_member(tea, "Eve"), token, by="member:1")


def test_members_of_two_communities_are_never_one(tea: Community, bob: Member) -> None:
    other = make_member(do_found("Coffee", make_user("dave")))
    with pytest.raises(OtherCommunityError):
        do_merge(bob, other, evidence=HAND, by="staff:1")


def test_two_with_orders_are_merged_by_hand_only(
    tea: Community, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merging, "_cautions", [])
    merging.register(lambda kept, gone: Text("orders", "订单"))
    kept, gone = Stage(tea).people
    with pytest.raises(MergeByHandError, match="orders"):
        do_claim_link(gone, make_link(kept), by=gone.actor)
    do_merge(kept, gone, evidence=HAND, by="staff:1")


def test_a_merge_under_a_later_one_waits_for_it(tea: Community) -> None:
    kept, gone = Stage(tea).people
    last = make_member(tea, "Dora")
    do_index(last)
    before = everything()
    first = do_merge(kept, gone, evidence=HAND, by="staff:1")
    second = do_merge(last, kept, evidence=HAND, by="staff:1")
    with pytest.raises(MergeCoveredError):
        do_undo_merge(first, by="staff:1")
    do_undo_merge(second, by="staff:1")
    do_undo_merge(first, by="staff:1")
    assert everything() == before
    with pytest.raises(MergeCoveredError):
        do_undo_merge(first, by="staff:1")


def test_erasure_keeps_the_counts_and_nothing_of_the_person(
    tea: Community, monkeypatch: pytest.MonkeyPatch
) -> None:
    blanked: list[int] = []
    monkeypatch.setattr(erasing, "_above", [*erasing._above, blanked.extend])
    stage = Stage(tea)
    kept, gone = stage.people
    for act in stage.acts:
        for member in stage.people:
            act(member, 1)
    merge = do_merge(kept, gone, evidence=HAND, by="staff:1")
    counted = Membership.objects.count(), Message.objects.count(), Touch.objects.count()
    do_erase(gone, by=gone.actor)
    do_erase(kept, by=kept.actor)
    assert sorted(blanked) == sorted([kept.pk, gone.pk])
    assert (
        Membership.objects.count(),
        Message.objects.count(),
        Touch.objects.count(),
    ) == counted
    assert set(Member.objects.values_list("name", "phone_hash", "search")) == {
        ("erased", "", "")
    }
    left = json.dumps([everything(), list(Merge.objects.values("moved"))], default=str)
    for word in ("Bob", "Robert", "Suzhou", "reason 1"):
        assert word not in left
    assert not Event.objects.filter(data__icontains="reason 1").exists()
    assert Event.objects.filter(kind="member_erased").count() == 1
    assert not may_send(kept, "service", "web")
    for refused in (lambda: do_undo_merge(merge, by="x"), lambda: stage.tag(kept, 0)):
        with pytest.raises((MergeCoveredError, ErasedError)):
            refused()
    assert do_meet(tea, channel="web", external_id="Bob", name="Bob").pk not in (
        kept.pk,
        gone.pk,
    )


def test_the_archive_holds_all_that_points_to_the_member(tea: Community) -> None:
    stage = Stage(tea)
    bob, robert = stage.people
    do_merge(bob, robert, evidence=HAND, by="staff:1")
    for act in stage.acts:
        act(bob, 1)
    Delivery.objects.create(
        community=tea, channel="web", kind="direct", member=bob, body={"text": "hi"}, cause="c",
        due_at=clock.now(), made_at=clock.now(),
    )  # fmt: skip
    packed = zipfile.ZipFile(io.BytesIO(do_export(bob, by=bob.actor)))
    names = set(packed.namelist())
    read: dict[str, Any] = {n: json.loads(packed.read(n)) for n in names if n.endswith(".json")}
    assert {"README.md", "message.json", "membership.json", "consent.json", "identity.json",
            "tagging.json", "delivery.json", "ban.json", "touch.json"} <= names  # fmt: skip
    assert read["member.json"]["phone"] == "+8613800138000"
    assert not any("hash" in key or "sealed" in key for key in read["member.json"])
    assert {row["external_id"] for row in read["identity.json"]} == {"Bob", "Robert"}
    readme = packed.read("README.md").decode()
    assert "This archive holds everything" in readme
    assert "全部数据" in readme
    assert Event.objects.filter(kind="member_exported", actor=bob.actor).count() == 1

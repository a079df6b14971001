"""Standing on the member's page: each chip says why, and a wrong one is set right by hand."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.urls import reverse

from qunluo.community.models import Community, User
from qunluo.events.actions import record
from qunluo.events.models import Event
from qunluo.members.actions import do_erase, do_merge, do_undo_merge
from qunluo.members.models import Member
from qunluo.standing.actions import (
    do_judge_all,
    do_note_order,
    do_note_refund,
    do_set_thresholds,
)
from qunluo.standing.models import Contact, Correction, Standing, StandingChange, Tally
from qunluo.standing.queries import chips_of, standing_of
from qunluo.standing.sums import add_up, do_add
from qunluo.standing.tasks import do_rehome
from qunluo.standing.thresholds import Thresholds
from tests.cast import NOON, client_of, make_member, make_staff

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]


def judged(community: Community, member: Member) -> Standing:
    """Counts all of the record, and judges."""
    Tally.objects.all().delete()
    Contact.objects.all().delete()
    zones = {community.pk: ZoneInfo(community.zone)}
    do_add(add_up(Event.objects.filter(community_id=community.pk), zones))
    do_judge_all(community)
    return Standing.objects.get(member=member)


def at(name: str, *args: object) -> str:
    return reverse(f"people:{name}", args=args)


@pytest.fixture
def buyer(tea: Community, bob: Member) -> Member:
    record("member_joined", community=tea.pk, member=bob.pk)
    do_note_order(tea, order="A-1", member=bob, amount_minor=9900, paid_at=NOON)
    judged(tea, bob)
    return bob


@pytest.mark.parametrize(("lang", "words"), [
    ("en", ("Standing", "customer", "Paid an order on 2026-03-02", "growing", "A-1 · CN¥99.00")),
    ("zh-hans", ("客户", "2026-03-02 支付了订单", "成长", "A-1 · ¥99.00")),
])  # fmt: skip
def test_each_chip_says_why_in_both_languages(
    alice: User, buyer: Member, lang: str, words: tuple[str, ...]
) -> None:
    page = client_of(alice, lang).get(at("member", buyer.pk)).content.decode()
    for said in words:
        assert said in page
    for chip in chips_of(buyer):
        assert chip.why(lang)


def test_who_was_never_judged_has_a_page_too(alice: User, bob: Member) -> None:
    assert "Not judged yet" in client_of(alice).get(at("member", bob.pk)).content.decode()


def test_a_wrong_standing_is_set_right_with_an_audit_entry_and_lifted(
    alice: User, buyer: Member
) -> None:
    desk = client_of(alice)
    form = {"lifecycle-value": "mature", "lifecycle-why": "buys at the <b>shop</b>"}
    answer = desk.post(at("correct", buyer.pk, "lifecycle"), form, follow=True)
    page = answer.content.decode()
    assert "by hand" in page
    assert "buys at the &lt;b&gt;shop&lt;/b&gt;" in page
    row = Standing.objects.get(member=buyer)
    assert (row.lifecycle, row.phase) == ("mature", "extend")
    audit = Event.objects.get(kind="standing_corrected")
    assert audit.actor.startswith("staff:")
    assert audit.data == {"name": "lifecycle", "before": "growing", "after": "mature",
                          "why": "buys at the <b>shop</b>"}  # fmt: skip
    do_judge_all(buyer.community)
    assert Standing.objects.get(member=buyer).lifecycle == "mature"
    desk.post(at("lift", buyer.pk, "lifecycle"))
    assert Standing.objects.get(member=buyer).lifecycle == "growing"
    assert Event.objects.filter(kind="correction_lifted").count() == 1


@pytest.mark.parametrize(("name", "form"), [
    ("lifecycle", {"lifecycle-value": "mature", "lifecycle-why": " "}),
    ("lifecycle", {"lifecycle-value": "none", "lifecycle-why": "x"}),
    ("trust", {"trust-value": "7", "trust-why": "x"}),
])  # fmt: skip
def test_what_makes_no_sense_is_refused(
    alice: User, buyer: Member, name: str, form: dict[str, str]
) -> None:
    assert client_of(alice).post(at("correct", buyer.pk, name), form).status_code == 400
    assert not Correction.objects.exists()


def test_what_may_not_be_set_by_hand_is_not(alice: User, buyer: Member) -> None:
    form = {"revenue-value": "100", "revenue-why": "x"}
    assert client_of(alice).post(at("correct", buyer.pk, "revenue"), form).status_code == 400


def test_only_who_may_edit_members_sets_standings(tea: Community, buyer: Member) -> None:
    analyst = make_staff(tea, "analyst")
    desk: Client = client_of(analyst.user)
    assert "set it right" not in desk.get(at("member", buyer.pk)).content.decode()
    form = {"trust-value": "6", "trust-why": "x"}
    assert desk.post(at("correct", buyer.pk, "trust"), form).status_code == 403


def test_carol_sees_and_sets_nothing(carol: User, buyer: Member) -> None:
    form = {"trust-value": "6", "trust-why": "x"}
    assert client_of(carol).post(at("correct", buyer.pk, "trust"), form).status_code == 404


def test_a_merge_brings_the_sums_together_and_its_undoing_apart(
    tea: Community, buyer: Member
) -> None:
    twin = make_member(tea, "Twin")
    do_note_order(tea, order="A-2", member=twin, amount_minor=100, paid_at=NOON)
    judged(tea, twin)
    merge = do_merge(buyer, twin, evidence={"kind": "hand"}, by="staff:1")
    do_rehome({buyer.pk, twin.pk})
    do_judge_all(tea)
    assert Standing.objects.get().orders == 2
    do_undo_merge(merge, by="staff:1")
    do_rehome({buyer.pk, twin.pk})
    do_judge_all(tea)
    assert [row.orders for row in Standing.objects.order_by("pk")] == [1, 1]


def test_the_erased_stand_nowhere(tea: Community, buyer: Member) -> None:
    do_erase(buyer, by="staff:1")
    assert standing_of(buyer) is None


def test_a_community_moves_its_own_borders(tea: Community, buyer: Member) -> None:
    do_set_thresholds(tea, Thresholds(mature_orders=1), by="staff:1")
    do_judge_all(tea)
    assert Standing.objects.get(member=buyer).lifecycle == "mature"


def test_all_risks_at_once_are_one_change(tea: Community, buyer: Member) -> None:
    do_note_refund(tea, order="A-1", amount_minor=9900, refunded_at=NOON)
    for kind in ("member_joined", "member_left", "member_removed"):
        record(kind, community=tea.pk, member=buyer.pk)
    judged(tea, buyer)
    change = StandingChange.objects.get(name="flags")
    assert change.after == "refunded,left,removed"

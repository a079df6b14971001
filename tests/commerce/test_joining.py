"""Two members who are one: their points come together, and apart again."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from qunluo.commerce.joining import follow_merges
from qunluo.community.models import Community
from qunluo.ledger.auditing import do_audit
from qunluo.ledger.models import Account, Lot
from qunluo.ledger.queries import balance_of
from qunluo.members.actions import do_merge, do_undo_merge
from qunluo.members.errors import MergeByHandError
from qunluo.members.models import Identity, Member
from tests.cast import NOON, make_member
from tests.commerce.shop import STAFF, buy, give_points, sell

pytestmark = pytest.mark.django_db
BY_HAND = {"kind": "hand", "why": "the same voice"}


@pytest.fixture(autouse=True)
def stopped(noon: datetime) -> datetime:
    return noon


def points_of(member: Member) -> int:
    return balance_of(member.community_id, "member", member.pk, "points")


def follow_all() -> None:
    while follow_merges():
        pass


@pytest.mark.django_db(transaction=True)  # events are followed once they are settled
def test_points_come_together_with_their_expiry_and_apart_again(
    tea: Community, bob: Member
) -> None:
    other = make_member(tea, "Bobby")
    give_points(bob, 10)
    give_points(other, 100, expires_at=NOON + timedelta(days=1))
    give_points(other, 50)
    merge = do_merge(bob, other, evidence=BY_HAND, by=STAFF)
    for _ in range(2):
        follow_all()
    assert (points_of(bob), points_of(other)) == (160, 0)
    mine = Account.objects.get(kind="member", owner=str(bob.pk), unit="points")
    lots = Lot.objects.filter(account=mine, expires_at=NOON + timedelta(days=1))
    assert lots.get().left == 100
    do_undo_merge(merge, by=STAFF)
    follow_all()
    assert (points_of(bob), points_of(other)) == (10, 150)
    assert [v.check.name for v in do_audit(tea.pk) if not v.holds] == []


def test_who_both_bought_are_joined_by_a_person_only(tea: Community, bob: Member) -> None:
    pot, other = sell(tea), make_member(tea, "Bobby")
    Identity.objects.filter(member__in=[bob, other]).update(union_id="u-1")
    buy(bob, pot)
    buy(other, pot)
    with pytest.raises(MergeByHandError):
        do_merge(bob, other, evidence={"kind": "union_id"}, by=STAFF)
    do_merge(bob, other, evidence=BY_HAND, by=STAFF)
    assert bob.orders.count() == 2

"""What an operator reads of a campaign: every figure twice, and a mismatch is seen at once."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.db import connection

from qunluo.campaigns.alarm import do_look, find_broken
from qunluo.campaigns.lifecycle import do_stop, do_take_back_budget
from qunluo.campaigns.models import Campaign, Play, Purchase
from qunluo.campaigns.results import COUNT, results_of
from qunluo.campaigns.stopping import plan_stop
from qunluo.care.models import Incident
from qunluo.commerce.models import Order, Variant
from qunluo.commerce.refunding import do_refund
from qunluo.community.models import Community
from qunluo.events.models import Event
from qunluo.ledger.auditing import do_audit
from qunluo.ledger.models import Account
from qunluo.ledger.moments import one_moment
from qunluo.members.models import Member
from tests.campaigns.running import BARGAIN, STAFF, act, done, holds, run, work
from tests.cast import make_member
from tests.commerce.shop import pay, sell

pytestmark = pytest.mark.django_db(transaction=True)  # what is followed must be settled


@pytest.fixture(autouse=True)
def stopped(noon: datetime) -> datetime:
    return noon


@pytest.fixture
def variant(tea: Community) -> Variant:
    return sell(tea, "tea", price_minor=5_000, stock=20)


@pytest.fixture
def bargain(tea: Community, variant: Variant) -> Campaign:
    return run(tea, "bargain", BARGAIN)


def figures(campaign: Campaign) -> dict[tuple[str, str], int]:
    results = results_of(campaign)
    assert results.broken == []
    return {(figure.name, figure.unit): figure.here for figure in results.all}


def bargained(campaign: Campaign, owner: Member, helpers: int = 3) -> str:
    done(act(campaign, owner))
    play = Play.objects.filter(campaign=campaign, starter=owner).latest("pk").key
    for number in range(helpers):
        done(act(campaign, make_member(owner.community, f"F{number}"), "help", play))
    return play


def bought(campaign: Campaign, owner: Member) -> Order:
    play = bargained(campaign, owner)
    done(act(campaign, owner, "buy", play))
    order = Purchase.objects.get(play=play).order
    pay(order)
    work()
    order.refresh_from_db()
    return order


def test_figures_of_a_sale_agree_with_the_books(bargain: Campaign, bob: Member) -> None:
    bought(bargain, bob)
    bargained(bargain, make_member(bob.community, "Ann"), helpers=1)
    found = figures(bargain)
    assert found["plays", COUNT] == 2
    assert found["participants", COUNT] == 6
    assert found["helps", COUNT] == 4
    assert (found["orders", COUNT], found["pieces", COUNT]) == (1, 1)
    assert (found["paid", "CNY"], found["refunds", "CNY"]) == (2_000, 0)
    assert found["funded", "cent"] == 30_000
    assert (found["reserved", "cent"], found["spent", "cent"]) == (3_000, 3_000)
    assert found["left", "cent"] == 24_000
    assert found["in_all", "cent"] == 30_000


def test_a_refund_shows_and_the_books_still_agree(bargain: Campaign, bob: Member) -> None:
    order = bought(bargain, bob)
    do_refund(order, why="changed my mind", by=bob.actor, key="r1")
    work()
    found = figures(bargain)
    assert (found["paid", "CNY"], found["refunds", "CNY"]) == (2_000, 2_000)
    assert (found["pieces", COUNT], found["spent", "cent"]) == (0, 0)
    assert found["left", "cent"] == 30_000


def test_what_is_taken_back_at_the_end_is_no_mismatch(bargain: Campaign, bob: Member) -> None:
    bought(bargain, bob)
    do_stop(bargain, why="enough", by=STAFF)
    work()
    do_take_back_budget(bargain, by=STAFF)
    found = figures(bargain)
    assert (found["funded", "cent"], found["left", "cent"]) == (30_000, 0)
    assert found["in_all", "cent"] == 3_000
    holds(bob.community)


def test_a_figure_that_the_books_don_t_agree_with_is_told(
    bargain: Campaign, bob: Member
) -> None:
    order = bought(bargain, bob)
    Order.objects.filter(pk=order.pk).update(paid_minor=1)
    names = [figure.name for figure in results_of(bargain).broken]
    assert names == ["paid"]
    broken = {v.check.name: v.broken for v in do_audit(bob.community.pk) if not v.holds}
    assert broken["figures"] == ("A bargain · paid CNY: 1, 2000",)


def test_stopping_is_counted_before_it_is_done_and_nothing_changes(
    bargain: Campaign, bob: Member
) -> None:
    bargained(bargain, bob, helpers=1)
    won = bargained(bargain, make_member(bob.community, "Ann"))
    before = list(Play.objects.order_by("pk").values("key", "state", "revision"))
    found = plan_stop(bargain)
    assert (found.closes, found.keeps, found.refunds) == (1, 1, 0)
    assert dict(found.free) == {"cent": 3_000}
    assert list(Play.objects.order_by("pk").values("key", "state", "revision")) == before
    do_stop(bargain, why="enough", by=STAFF)
    work()
    still = Play.objects.filter(deadline__isnull=False)
    assert [play.key for play in still] == [won]


# the alarm


def spoil(community: Community) -> None:
    account = Account.objects.filter(community_id=community.pk, owner__endswith=":budget")
    account.update(balance=1)


def test_what_breaks_is_told_once_and_so_is_that_it_is_well_again(
    bargain: Campaign, tea: Community
) -> None:
    assert not do_look(tea)
    assert not Event.objects.filter(kind__startswith="audit_").exists()
    budget = Account.objects.get(community_id=tea.pk, owner=f"{bargain.pk}:budget")
    spoil(tea)
    for _ in range(2):
        assert do_look(tea)
    told = Event.objects.get(kind="audit_broken")
    assert told.data["checks"] == find_broken(tea) == ["balances", "figures"]
    incident = Incident.objects.get(kind="audit")
    assert "agree" in incident.why["en"]
    budget.save()
    assert not do_look(tea)
    assert find_broken(tea) == []
    assert Event.objects.filter(kind="audit_holds").count() == 1


def test_an_open_incident_is_not_opened_twice(bargain: Campaign, tea: Community) -> None:
    spoil(tea)
    do_look(tea)
    Account.objects.filter(owner=f"{bargain.pk}:budget").update(held=1)
    do_look(tea)
    assert Event.objects.filter(kind="audit_broken").count() == 2
    assert Incident.objects.filter(kind="audit").count() == 1


def test_one_moment_is_left_as_it_was_found(tea: Community) -> None:
    with one_moment():
        assert Community.objects.count() == 1
    assert not connection.in_atomic_block
    Community.objects.filter(pk=tea.pk).update(name="Tea")
    assert Community.objects.get(pk=tea.pk).name == "Tea"

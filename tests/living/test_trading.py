"""The sample's shop and campaigns: there from the first minute, played, and true on the books."""

from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest

from qunluo.campaigns.lifecycle import do_end, do_stop
from qunluo.campaigns.models import Campaign, Deed, Play
from qunluo.commerce.catalogue import list_stock
from qunluo.commerce.models import Order, Payment, Product, Refund, Variant
from qunluo.commerce.sending import send_refunds
from qunluo.community.models import Community
from qunluo.events.models import Event
from qunluo.groups.models import Group, Membership
from qunluo.h5.campaigning import list_in_group
from qunluo.kit import clock
from qunluo.living import trade_acts
from qunluo.living import trade_script as script
from qunluo.living.acts import Act, Stage
from qunluo.living.holding import hold_again
from qunluo.living.trading import found_trade
from qunluo.members.models import Member
from qunluo.payments.tasks import tell_of_sandbox
from tests.campaigns.running import BARGAIN, act, done, holds, run


def _later(minutes: float) -> clock.Clock:
    return clock.faster(0, clock.now() + timedelta(minutes=minutes))


def _until(what: Act, stage: Stage, tries: int = 12) -> bool:
    """Chance may choose somebody who has done it already."""
    return any(what(stage) for _ in range(tries))


@pytest.fixture
def stage(sample: Community) -> Stage:
    return Stage(sample, Random(6))


def test_a_newcomer_finds_a_shop_campaigns_and_what_was_done_in_them(
    sample: Community,
) -> None:
    stock = list_stock(Variant.objects.filter(community=sample))
    assert len(stock) == 9
    assert all(one.available > script.LOW for one in stock.values())
    roles = set(Product.objects.values_list("role", flat=True))
    assert roles == {"hit", "traffic", "high_margin", "regular", "seeding"}
    assert sorted(Campaign.objects.values_list("mechanic", "state")) == [
        ("assist", "running"), ("check_in", "running"), ("coupon", "ended"),
        ("coupon", "running"), ("group_buy", "running"),
    ]  # fmt: skip
    friends = Group.objects.get(community=sample, code__startswith=script.FRIENDS)
    assert len(list_in_group(friends, None)) == 4
    for row in Campaign.objects.filter(state="running"):
        assert row.ends_at
        assert row.ends_at > clock.now() + timedelta(days=4)
        assert row.plays.exists()
    assert Payment.objects.filter(provider="sandbox", verdict="taken").count() > 10
    holds(sample)
    _check_founded_once(sample)


def _check_founded_once(sample: Community) -> None:
    """All of it happened before now, by simulated members, and happens once."""
    now = clock.now()
    assert not Event.objects.filter(at__gt=now).exists()
    assert not Order.objects.filter(at__gt=now).exists()
    assert not Deed.objects.filter(at__gt=now).exists()
    assert not Order.objects.filter(member__simulated=False).exists()
    counts = [model.objects.count() for model in (Product, Campaign, Order, Deed)]
    found_trade(sample, Random(1))
    assert counts == [model.objects.count() for model in (Product, Campaign, Order, Deed)]


def test_members_play_buy_and_think_better_of_it_and_the_books_agree(stage: Stage) -> None:
    plays: tuple[Act, ...] = (
        trade_acts.check_in, trade_acts.take_coupon, trade_acts.help_friend,
        trade_acts.begin_task, trade_acts.begin_group, trade_acts.shop,
    )  # fmt: skip
    for each in plays:
        assert _until(each, stage), each.__name__
    asks = trade_acts.choose_asks(stage)
    member = Member.objects.filter(community=stage.community).earliest("pk")
    trade_acts.do_order_and_pay(stage, member, asks, now=False)
    assert trade_acts.settle_up(stage)
    assert not trade_acts.settle_up(stage)
    assert _until(trade_acts.ask_back, stage)
    send_refunds()
    tell_of_sandbox()
    assert Refund.objects.filter(state="done").exists()
    with clock.use(_later(90)):
        assert trade_acts.hand_over(stage)
    assert Order.objects.filter(state="fulfilled").exists()
    assert not Order.objects.filter(member__simulated=False).exists()
    holds(stage.community)


def test_a_visitor_who_asks_is_helped_and_their_order_is_left_to_the_owner(
    stage: Stage,
) -> None:
    seat = Membership.objects.filter(group__community=stage.community, left_at=None).latest(
        "pk"
    )
    Member.objects.filter(pk=seat.member_id).update(simulated=False)
    visitor = Member.objects.get(pk=seat.member_id)
    campaign = run(stage.community, "bargain", BARGAIN | {"sku": "DRIP-10"})
    play = done(act(campaign, visitor)).state
    assert play.owner == visitor.pk
    for _ in range(20):  # others have asked, too
        trade_acts.help_friend(stage)
    assert Play.objects.get(campaign=campaign, starter=visitor).state["cuts"]
    trade_acts.do_order_and_pay(stage, visitor, trade_acts.choose_asks(stage))
    with clock.use(_later(90)):
        for _ in range(25):
            trade_acts.hand_over(stage)
    assert Order.objects.get(member=visitor).state == "paid"


def test_what_is_over_begins_anew_once_unless_somebody_stopped_it(stage: Stage) -> None:
    assist = Campaign.objects.get(mechanic="assist")
    check_in = Campaign.objects.get(mechanic="check_in")
    do_end(assist, by="system")
    do_stop(check_in, why="enough", by="staff:1")
    for _ in range(6):
        hold_again(stage)
    rows = Campaign.objects.filter(mechanic="assist").order_by("pk")
    assert [row.state for row in rows] == ["ended", "running"]
    assert rows[1].name.endswith("（第 2 期）")
    assert Campaign.objects.filter(mechanic="check_in").count() == 1
    assert Campaign.objects.filter(mechanic="coupon").count() == 2
    holds(stage.community)

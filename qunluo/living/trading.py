"""The sample's shop and campaigns, as they are when a newcomer comes: goods on the shelf, some
campaigns that run, one that is over, and what members did in them so far. By the doors that
people use, each at the time when it happened; what follows is the worker's, as ever."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from random import Random

from qunluo.campaigns.invites import facts_of_all
from qunluo.campaigns.lifecycle import do_end
from qunluo.campaigns.mechanics.assist import HELP
from qunluo.campaigns.mechanics.check_in import CHECK_IN
from qunluo.campaigns.mechanics.coupon import CLAIM
from qunluo.campaigns.mechanics.kernel import OPEN
from qunluo.campaigns.models import Campaign, Play
from qunluo.campaigns.playing import Tap, do_taps
from qunluo.commerce.catalogue import (
    ProductForm,
    VariantForm,
    do_add_variant,
    do_change_stock,
    do_make_product,
)
from qunluo.commerce.models import Product
from qunluo.community.models import Community
from qunluo.kit import clock
from qunluo.living import trade_script as script
from qunluo.living.acts import Stage
from qunluo.living.caring import Past, at_the_time
from qunluo.living.holding import publish
from qunluo.living.trade_acts import choose_asks, do_order_and_pay, pay_for
from qunluo.members.models import Member

OPENED_DAYS = 14  # ago
REGULARS, KEEPS = 12, 0.8  # who check in, and how surely on a day
HOURS = (8, 20)
TAKERS, BUYERS = 6, 2  # of coupons, on each of three days; of these, who buys with it
TASKS, HELPS = 3, 3
LEADERS = 2


def found_trade(community: Community, random: Random) -> None:
    """Once for a community; nothing where there is something to sell or to play already."""
    past = Past(community, random)
    known = (
        Product.objects.filter(community=community).exists()
        or Campaign.objects.filter(community=community).exists()
    )
    if known or not past.members or not past.posts():
        return
    for member in past.members.values():
        member.community = community
    with at_the_time(past.ago(OPENED_DAYS, 9)):
        _open_shop(past)
    for planned in script.CAMPAIGNS:
        _hold(past, planned)


def _open_shop(past: Past) -> None:
    by = past.posts()[0].actor
    for goods in script.SHOP:
        form = ProductForm(goods.title, goods.text, goods.role)
        product = do_make_product(past.community, form, by=by)
        for size in goods.sizes:
            values = VariantForm(size.sku, size.list_minor, size.title, size.cost_minor)
            variant = do_add_variant(product, values, by=by)
            do_change_stock(variant, size.stock, why=script.DELIVERY, by=by, key="first")


# campaigns


def _hold(past: Past, planned: script.Planned) -> None:
    by = past.posts()[-1].actor
    with at_the_time(past.ago(planned.ago, 7)):
        campaign = publish(past.community, planned, by=by)
    {"check_in": _check_in, "coupon": _take, "assist": _assist, "group_buy": _group}[
        planned.mechanic
    ](past, campaign)
    over = campaign.ends_at
    if over is not None and over <= past.now:
        with at_the_time(over):
            do_end(campaign, by=by)


def _days(past: Past, campaign: Campaign, hours: Sequence[int]) -> Iterator[datetime]:
    """Moments within its window and before now."""
    began, over = campaign.starts_at or past.now, campaign.ends_at or past.now
    for day in range((past.now - began).days + 1, -1, -1):
        for hour in hours:
            at = past.ago(day, hour)
            if began < at < min(over, past.now):
                yield at


def _tap(campaign: Campaign, members: Sequence[Member], kind: str, play: str = "") -> None:
    """All at once, as a crowd does."""
    facts, key = facts_of_all(campaign, members), f"past:{clock.now():%m%d%H}"
    do_taps(campaign, [Tap(m, kind, key, play, {}, facts.get(m.pk, {})) for m in members])


def _check_in(past: Past, campaign: Campaign) -> None:
    regulars = past.some(REGULARS, campaign.made_at)
    for number, at in enumerate(_days(past, campaign, HOURS)):
        mine = regulars[number % len(HOURS) :: len(HOURS)]  # each has an hour of their own
        with at_the_time(at):
            _tap(campaign, [m for m in mine if past.random.random() < KEEPS], CHECK_IN)


def _take(past: Past, campaign: Campaign) -> None:
    stage = Stage(past.community, past.random)
    for at in [*_days(past, campaign, (10,))][:3]:
        takers = past.some(TAKERS, at)
        with at_the_time(at):
            _tap(campaign, takers, CLAIM)
        for number, member in enumerate(takers[:BUYERS]):
            later = at + timedelta(minutes=17 * (number + 1))
            if later < past.now:
                with at_the_time(later):
                    do_order_and_pay(stage, member, choose_asks(stage))


def _assist(past: Past, campaign: Campaign) -> None:
    at = past.ago(1, 19)
    with at_the_time(at):
        _tap(campaign, past.some(TASKS, at), OPEN)
    for number, play in enumerate(Play.objects.filter(campaign=campaign).order_by("pk")):
        with at_the_time(at + timedelta(hours=number + 1)):
            _tap(campaign, past.some(HELPS, at), HELP, play.key)


def _group(past: Past, campaign: Campaign) -> None:
    """Groups that wait for more, since an hour or less."""
    stage = Stage(past.community, past.random)
    for number, member in enumerate(past.some(LEADERS, campaign.made_at)):
        with at_the_time(past.now - timedelta(minutes=50 - 30 * number)):
            _tap(campaign, [member], OPEN)
            pay_for(stage, member)

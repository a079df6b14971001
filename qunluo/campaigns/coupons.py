"""Coupons as they are on the books: given with a reward, in one order at a time, used, back, over.

Each coupon is a row and one piece of its owner's account. Whoever moves one takes the account
first and the row second, so nobody waits for whom they hold up; the row moves by one conditional
update, and what it may become is said by `mechanics.coupon_life` alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet, Sum

from qunluo.campaigns.errors import CouponTakenError
from qunluo.campaigns.live import address
from qunluo.campaigns.mechanics import coupon as model
from qunluo.campaigns.mechanics.coupon_life import NOT_VALID, Event, step
from qunluo.campaigns.mechanics.coupon_life import Coupon as Life
from qunluo.campaigns.mechanics.kernel import SPENT, Refused
from qunluo.campaigns.models import CampaignVersion, Coupon, Reward
from qunluo.commerce.models import Order, OrderLine, RefundLine, Variant
from qunluo.commerce.moving import lock
from qunluo.commerce.pricing import WHOLE, Offer
from qunluo.events.turns import Turns
from qunluo.kit import clock
from qunluo.kit.text import Text
from qunluo.ledger.actions import (
    Leg,
    do_capture,
    do_hold,
    do_open,
    do_release,
    do_reverse,
    do_transfer,
)
from qunluo.ledger.errors import ShortError
from qunluo.ledger.models import Account, Entry, Hold, Transfer
from qunluo.members.models import Member

UNIT = "coupon:"
LEAD = "coupon:"  # of the offers of coupons, as orders name them
NEVER = datetime(9999, 1, 1, tzinfo=UTC)
NO_ARTICLE = ("-",)  # the articles that it was for are not there any more
AT_ONCE = 200
_turns = Turns()


# what one takes off


def rules_of(row: Coupon) -> model.Rules | None:
    """The rules it was given under; None where the shop does not know it."""
    return model.Rules.model_validate(row.template.rules) if row.template else None


def offer_id(row: Coupon) -> str:
    return f"{LEAD}{row.pk}"


def list_offers(rows: Sequence[Coupon]) -> dict[int, Offer]:
    """What each takes off, by its id, as the shop's reckoning of prices understands it; whether
    it counts is decided there."""
    rules = {row.pk: found for row in rows if (found := rules_of(row)) is not None}
    skus = {sku for found in rules.values() for sku in found.scope}
    communities = {row.member.community_id for row in rows}
    variants = Variant.objects.filter(community__in=communities, sku__in=skus) if skus else ()
    named = {variant.sku: str(variant.pk) for variant in variants}
    return {
        row.pk: offer(rules[row.pk], row, offer_id(row), named)
        for row in rows
        if row.pk in rules
    }


def offer(
    rules: model.Rules, coupon: Life | Coupon, id_: str, named: Mapping[str, str]
) -> Offer:
    """The offer of one coupon; `named` says by which key an order knows an article."""
    scope = tuple(named[sku] for sku in rules.scope if sku in named)
    return Offer(
        id=id_, phase="coupon", kind="percent" if rules.percent else "amount",
        value=rules.percent * WHOLE // 100 if rules.percent else rules.off_minor,
        words=Text(rules.name, rules.name), group=rules.group,
        scope=scope or (NO_ARTICLE if rules.scope else ()),
        threshold_minor=rules.threshold_minor, cap_minor=rules.cap_minor or None,
        starts_at=coupon.valid_from, ends_at=coupon.valid_until,
    )  # fmt: skip


def list_coupons(member: Member) -> QuerySet[Coupon]:
    """All of a member's, those that end first first."""
    rows = Coupon.objects.filter(member=member)
    return rows.select_related("template", "order", "member").order_by("valid_until", "pk")


# given and taken back, with the reward it came by


def do_match(rewards: Iterable[Reward]) -> None:
    """Makes the coupons of rewards follow them, in the transaction that moved their value: who
    is paid has them, from whom it is taken back has none that is not in an order."""
    for reward in rewards:
        if reward.unit.startswith(UNIT):
            _match(reward)


def _match(reward: Reward) -> None:
    rows = Coupon.objects.filter(reward=reward)
    if reward.state == "clawed_back":
        free = rows.filter(state__in=Coupon.FREE).update(state="revoked")
        _owe(reward, free)
    elif reward.state == "paid" and rows.exists():
        rows.filter(state="revoked").update(state="returned")
        owed = _find(reward, _owing(reward))
        if owed is not None:
            do_reverse(owed, cause=f"{owed.cause}:back", by=_actor(reward), owe=True)
    elif reward.state == "paid":
        Coupon.objects.bulk_create(_make(reward))


def _make(reward: Reward) -> list[Coupon]:
    now, template = clock.now(), _template(reward)
    rules = model.Rules.model_validate(template.rules) if template else None
    until = now + timedelta(days=rules.valid_days) if rules else None
    return [
        Coupon(reward=reward, number=number, member_id=reward.member_id, unit=reward.unit,
               template=template, valid_from=now, valid_until=until)
        for number in range(1, reward.amount + 1)
    ]  # fmt: skip


def _template(reward: Reward) -> CampaignVersion | None:
    """The rules a coupon is of: those in force where it comes from, or of the coupons of that
    name that were published last."""
    campaign = reward.campaign
    if campaign.mechanic == model.MECHANIC.name:
        return campaign.version
    rows = CampaignVersion.objects.filter(
        campaign__community=campaign.community_id, campaign__mechanic=model.MECHANIC.name,
        campaign__version__isnull=False, rules__name=reward.unit.removeprefix(UNIT),
    )  # fmt: skip
    return rows.order_by("-pk").first()


def _owe(reward: Reward, free: int) -> None:
    """The books took back what lay on the account. What of it were other coupons of the same
    name stays, and this one, which is in an order, is owed."""
    taken = _find(reward, f"revoke:{reward.name}")
    entries = Entry.objects.filter(
        transfer=taken, account__kind="member", account__unit=reward.unit
    )
    took = -(entries.aggregate(n=Sum("amount"))["n"] or 0) if taken else 0
    if took > free:
        mine, owed = _account(reward.campaign.community_id, reward.member_id, reward.unit)
        _transfer(reward, _owing(reward), [Leg(owed, free - took), Leg(mine, took - free)])


def _owing(reward: Reward) -> str:
    return f"coupons:{reward.pk}:owed"


def _find(reward: Reward, leg: str) -> Transfer | None:
    cause = f"campaign:{reward.campaign_id}:{leg}"
    return Transfer.objects.filter(
        community_id=reward.campaign.community_id, cause=cause
    ).first()


def _transfer(reward: Reward, leg: str, legs: Sequence[Leg]) -> None:
    do_transfer(
        reward.campaign.community_id, cause=f"campaign:{reward.campaign_id}:{leg}", legs=legs,
        by=_actor(reward), note=reward.campaign.name,
    )  # fmt: skip


def _actor(reward: Reward) -> str:
    return f"campaign:{reward.campaign_id}"


def _account(community: int, member: int, unit: str) -> tuple[Account, Account]:
    """A member's coupons, and those that they owe."""
    owed = do_open(community, "owed", f"member:{member}", unit, floor=None)
    return do_open(community, "member", member, unit), owed


# in an order


def list_won(order: Order) -> list[int]:
    """The coupons that its price counts on."""
    lines = OrderLine.objects.filter(order=order).values_list("reasons", flat=True)
    offers = {why["offer"] for reasons in lines for why in reasons}
    return sorted(int(one.removeprefix(LEAD)) for one in offers if one.startswith(LEAD))


def do_lock(order: Order, *, by: str) -> None:
    """Holds the coupons of an order that was just made, in its transaction; the same order
    again changes nothing. Raises `CouponTakenError`."""
    rows = list_coupons(order.member).filter(pk__in=list_won(order))
    found = sorted(rows, key=lambda row: (row.unit, row.pk))
    if len(found) != len(list_won(order)):
        raise CouponTakenError(why=NOT_VALID.why)
    for row in found:
        _lock(row, order, by)


def _lock(row: Coupon, order: Order, by: str) -> None:
    after = step(_life(row), "lock", at=order.at, order=str(order.pk))
    if isinstance(after, Refused):
        raise CouponTakenError(why=after.why)
    if row.order_id == order.pk:
        return
    account = do_open(order.community_id, "member", row.member_id, row.unit)
    try:
        hold = do_hold(account, 1, cause=f"coupon:{row.pk}:{order.pk}", by=by)
    except ShortError:
        raise CouponTakenError(why=IN_ORDER_NOW) from None
    free = Coupon.objects.filter(pk=row.pk, member=order.member, state__in=Coupon.FREE)
    in_time = Q(valid_until=None) | Q(valid_until__gt=order.at)
    if not free.filter(in_time).update(state="locked", order=order, hold_id=hold.pk):
        raise CouponTakenError(why=IN_ORDER_NOW)


IN_ORDER_NOW = Text(
    "It went into another order just now: pay that, or cancel it to use the coupon here.",
    "该券刚刚已用于另一笔订单，付款或取消那笔订单后再试。",
)


def _life(row: Coupon) -> Life:
    state: Any = row.state
    return Life(state=state, valid_from=row.valid_from, valid_until=row.valid_until or NEVER,
                order=str(row.order_id or ""))  # fmt: skip


@transaction.atomic
def do_settle(order: Order) -> list[Coupon]:
    """Makes the coupons of an order what the order is by now: held, used, or back. Says nothing
    twice, whichever event it is told by, and how often; answers those that were used just
    now."""
    order = lock(order)
    used = []
    for seen in Coupon.objects.filter(order=order).order_by("unit", "pk"):
        list(_lock_account(order, seen))
        row = Coupon.objects.select_related("reward__campaign", "member").get(pk=seen.pk)
        if order.paid_at is not None and row.state == "locked":
            _use(row, order)
            used.append(row)
        if order.state in ("cancelled", "expired"):
            _free(row, order, "release")
        elif order.state == "refunded" and is_back(order):
            _free(row, order, "refund")
    return used


def _lock_account(order: Order, row: Coupon) -> QuerySet[Account]:
    rows = Account.objects.filter(community_id=order.community_id, kind="member",
                                  owner=str(row.member_id), unit=row.unit)  # fmt: skip
    return rows.select_for_update()


def is_back(order: Order) -> bool:
    """Whether all its goods came back onto the shelf: money alone frees no coupon."""
    bought = OrderLine.objects.filter(order=order).aggregate(n=Sum("quantity"))["n"] or 0
    back = RefundLine.objects.filter(refund__order=order, refund__restocked=True)
    return bool(bought) and bought == (back.aggregate(n=Sum("quantity"))["n"] or 0)


def _use(row: Coupon, order: Order) -> None:
    spent = do_open(order.community_id, *address(row.reward.campaign_id, SPENT), row.unit)
    do_capture(_hold(row), spent, by=_actor(row.reward))
    _move(row, "use", order)


def _hold(row: Coupon) -> Hold:
    return Hold.objects.select_related("account").get(pk=row.hold_id or 0)


def _free(row: Coupon, order: Order, event: Event) -> None:
    """It is its owner's again; whoever had to give the reward back pays with it."""
    community, actor = order.community_id, _actor(row.reward)
    mine, owed = _account(community, row.member_id, row.unit)
    if event == "release":
        hold = _hold(row)
        do_release(hold, by=actor)
        source = hold.account  # of a member who is another one by now, perhaps
    else:
        source = do_open(community, *address(row.reward.campaign_id, SPENT), row.unit)
    _move(row, event, order)
    if row.reward.state == "clawed_back":
        Coupon.objects.filter(pk=row.pk).update(state="revoked")
        mine = owed
    if source.pk != mine.pk:
        _transfer(row.reward, f"unused:{row.pk}:{order.pk}", [Leg(source, -1), Leg(mine, 1)])


def _move(row: Coupon, event: Event, order: Order) -> None:
    """By one conditional update. What its time is over for ends with the next round."""
    after = step(_life(row), event, at=clock.now(), order=str(order.pk))
    if isinstance(after, Refused):
        raise CouponTakenError(why=after.why)
    back = event in ("release", "refund")
    values = {"state": "returned", "order": None, "hold_id": None} if back else {}
    rows = Coupon.objects.filter(pk=row.pk, state=row.state, order=order)
    if not rows.update(**({"state": after.state} | values)):
        raise CouponTakenError(why=IN_ORDER_NOW)
    row.refresh_from_db(fields=["state", "order", "hold_id"])


# ended


def do_expire(now: datetime) -> int:
    """Ends those whose time is over, each by itself; how many."""
    rows = Coupon.objects.filter(state__in=Coupon.FREE, valid_until__lte=now)
    due = rows.select_related("reward__campaign").order_by("valid_until", "pk")
    return _turns.go(due, lambda row: _expire(row, now), at_once=AT_ONCE)


@transaction.atomic
def _expire(row: Coupon, now: datetime) -> bool:
    community = row.reward.campaign.community_id
    mine, _ = _account(community, row.member_id, row.unit)
    list(Account.objects.select_for_update().filter(pk=mine.pk))
    rows = Coupon.objects.filter(pk=row.pk, state__in=Coupon.FREE, valid_until__lte=now)
    if not rows.update(state="expired"):
        return False
    spent = do_open(community, *address(row.reward.campaign_id, SPENT), row.unit)
    _transfer(row.reward, f"ended:{row.pk}", [Leg(mine, -1), Leg(spent, 1)])
    return True

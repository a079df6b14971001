"""Gifts that come with orders of the shop: promised at the till, set aside with the order, and
settled in the same transaction as a refund."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import Q

from qunluo.campaigns.errors import GiftGoneError
from qunluo.campaigns.live import address
from qunluo.campaigns.mechanics import gift as model
from qunluo.campaigns.mechanics.kernel import OPEN, PAID, REFUNDED, Refused, pool
from qunluo.campaigns.models import Campaign, Play, Slot
from qunluo.campaigns.playing import Answer, Asked, do_act_for, is_running, rules_of
from qunluo.commerce.models import Order, Variant
from qunluo.commerce.ordering import Ask
from qunluo.commerce.pricing import Offer, Priced
from qunluo.commerce.refunding import register_settler
from qunluo.commerce.rules import RefundPlan
from qunluo.community.models import Community
from qunluo.kit.text import Text
from qunluo.ledger.models import Account
from qunluo.members.models import Member
from qunluo.segments.queries import find_in
from qunluo.segments.rules import InSegment


@dataclass(frozen=True)
class Promise:
    """What a campaign gives with an order: so many of a gift, or pieces that cost nothing; or
    how much more the next step takes."""

    campaign: Campaign
    lines: model.Lines
    gift: str = ""
    quantity: int = 0
    offer: Offer | None = None
    missing_minor: int | None = None


def play_of(order: Order) -> str:
    return f"o{order.number}"


def number_of(play: Play) -> str:
    return play.key[1:]


def list_promises(
    member: Member, asks: Sequence[Ask], priced: Priced, at: datetime
) -> list[Promise]:
    """Of the campaigns that run for a member, for an order that would cost so much without
    coupons. Each gives what it has left, as long as the member has some to get."""
    skus = {str(ask.variant.pk): ask.variant.sku for ask in asks}
    lines = tuple(
        model.Line(sku=skus[one.line.key], quantity=one.line.quantity,
                   amount_minor=one.amount_minor)
        for one in priced.lines
    )  # fmt: skip
    found = [_promise(row, member, lines, asks) for row in _list_for(member, at)]
    return [one for one in found if one.gift or one.missing_minor]


def _list_for(member: Member, at: datetime) -> list[Campaign]:
    rows = Campaign.objects.filter(
        community=member.community_id, mechanic=model.MECHANIC.name, state="running"
    )
    running = [r for r in rows.select_related("version").order_by("pk") if is_running(r, at)]
    return [row for row in running if is_for(row, member)]


def is_for(row: Campaign, member: Member) -> bool:
    """Whether a campaign is for a member."""
    if row.segment_id is None:
        return True
    return member.pk in find_in(member.community, InSegment(row.segment_id), [member.pk])


def _promise(row: Campaign, member: Member, lines: model.Lines, asks: Sequence[Ask]) -> Promise:
    rules: model.Rules = rules_of(row)
    had = Slot.objects.filter(campaign=row, name=f"member:{member.pk}").first()
    if had is not None and had.taken >= rules.per_member:
        return Promise(row, lines)
    won = model.best(lines, rules, _left(row, rules))
    missing = model.missing_minor(lines, rules)
    if won is model.NOTHING:
        return Promise(row, lines, missing_minor=missing)
    offer = _offer(row, won, asks) if won.free else None
    return Promise(row, lines, won.gift, won.quantity, offer, missing)


def _left(row: Campaign, rules: model.Rules) -> dict[str, int]:
    """What there is of each gift."""
    found = {pool(gift): (gift, *address(row.pk, pool(gift))) for gift in model.stocks(rules)}
    wanted = Q(pk=None)
    for gift, kind, owner in found.values():
        wanted |= Q(kind=kind, owner=owner, unit=f"gift:{gift}")
    accounts = Account.objects.filter(wanted, community_id=row.community_id)
    there = {account.owner: account.available for account in accounts}
    return {place: there.get(owner, 0) for place, (_, _, owner) in found.items()}


def _offer(row: Campaign, won: model.Deserved, asks: Iterable[Ask]) -> Offer:
    """The cheapest pieces cost nothing: taken off their own lines."""
    scope = tuple(str(ask.variant.pk) for ask in asks if ask.variant.sku in won.free)
    return Offer(f"gift:{row.pk}", "campaign", "amount", won.worth_minor,
                 Text(row.name, row.name), group=f"gift:{row.pk}", scope=scope)  # fmt: skip


def titled(community: Community, gift: str) -> str:
    """A gift as people call it, where the shop knows it."""
    rows = Variant.objects.filter(community=community, sku=gift).select_related("product")
    found = rows.first()
    return found.shown if found else gift


# with the order


def do_open(order: Order, promises: Iterable[Promise], *, by: str) -> None:
    """Sets aside what was promised, in the transaction of the order; the same order again finds
    it. Raises `GiftGoneError` where somebody else was quicker: then there is no order at a
    promise that isn't kept."""
    for one in promises:
        if one.gift:
            lines = [line.model_dump() for line in one.lines]
            answer = _act(one.campaign, order, OPEN, f"open:{order.number}", by, lines=lines)
            if isinstance(answer, Refused) or answer.answer.get("gift") != one.gift:
                raise GiftGoneError(name=one.campaign.name)


def _act(
    row: Campaign, order: Order, kind: str, key: str, by: str = "", **data: object
) -> Answer:  # fmt: skip
    asked = Asked(kind, key, play_of(order), order.member_id, {"ref": order.number, **data})
    return do_act_for(row, asked, by=by)


def list_plays(order: Order) -> list[Play]:
    """The gifts of an order."""
    return list_plays_of([order])


def list_plays_of(orders: Collection[Order]) -> list[Play]:
    """The gifts of some orders."""
    rows = Play.objects.filter(
        campaign__community__in={order.community_id for order in orders},
        campaign__mechanic=model.MECHANIC.name, key__in=[play_of(order) for order in orders],
    )  # fmt: skip
    found = rows.select_related("campaign__community", "campaign__version", "version")
    return list(found.order_by("pk")) if orders else []


def state_of(play: Play) -> model.State:
    return model.State.model_validate(play.state)


# when it goes back


@register_settler
def settle(order: Order, plan: RefundPlan, back: bool, *, sure: bool) -> RefundPlan:
    """What a refund of pieces gives back where the gift is kept, or deserved no more. `back`:
    the goods come back, and the gift with them. Unless it is `sure`, nothing is written."""
    for play in list_plays(order):
        plan = _settle(play, order, plan, back, sure)
    return plan


def _settle(play: Play, order: Order, plan: RefundPlan, back: bool, sure: bool) -> RefundPlan:
    state = state_of(play)
    if state.stage == "cancelled":
        return plan
    if state.stage == "reserved":  # the worker has not told it yet that the order is paid
        state = state.model_copy(update={"stage": "given"})
        if sure:
            _act(play.campaign, order, PAID, f"{PAID}:{order.number}")
    rules: model.Rules = model.Rules.model_validate(play.version.rules)
    left = _left_of(state.lines, order, plan)
    charge, refund = model.settle(state, left, gift_back=back, rules=rules)
    if sure:
        lines = [line.model_dump() for line in left]
        key = f"{REFUNDED}:{order.number}:{order.refunds.count() + 1}"
        _act(play.campaign, order, REFUNDED, key, lines=lines, gift_back=back)
    most = refund if state.gift == model.FREE else plan.amount_minor - charge
    keeps = state.charged_minor + charge  # what was taken off before stays so
    amount = max(0, min(plan.amount_minor, most, order.left_minor - keeps))
    return replace(plan, amount_minor=amount, whole=plan.whole and amount == plan.amount_minor)


def _left_of(lines: model.Lines, order: Order, plan: RefundPlan) -> model.Lines:
    """The lines of an order as its gift knows them, without the pieces that come back."""
    skus = dict(order.lines.values_list("pk", "sku"))
    gone: Mapping[str, int] = {skus[line.id]: line.quantity for line in plan.lines}
    return tuple(
        line.model_copy(update={
            "quantity": line.quantity - gone.get(line.sku, 0),
            "amount_minor": line.amount_minor
            - line.amount_minor * gone.get(line.sku, 0) // line.quantity,
        })
        for line in lines if line.quantity > gone.get(line.sku, 0)
    )  # fmt: skip

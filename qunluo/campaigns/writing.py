"""Writes what changed in a live world, in few statements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from qunluo.campaigns.coupons import UNIT, do_match
from qunluo.campaigns.live import SKU, Live, address
from qunluo.campaigns.mechanics.kernel import OPEN, POINTS, Act, Done
from qunluo.campaigns.mechanics.world import STOCK, Granted, Order, Posting
from qunluo.campaigns.models import Deed, Following, Purchase, Reward, Slot
from qunluo.campaigns.models import Play as PlayRow
from qunluo.care.telling import do_tell
from qunluo.commerce.actions import Ask, do_cancel, do_refund
from qunluo.commerce.ordering import Wish, do_order_all
from qunluo.commerce.pricing import Offer
from qunluo.community.queries import settings_of
from qunluo.events.actions import record_all
from qunluo.events.models import Event
from qunluo.events.rows import do_insert, do_replace, new_row
from qunluo.kit import clock
from qunluo.kit.text import Text
from qunluo.ledger.actions import Booking, Leg, do_transfer_all
from qunluo.ledger.models import Account
from qunluo.members.models import Member

HELPS = frozenset({"help", "cut"})
CALLED_OFF = Text("Called off by the rules of “{name}”", "按“{name}”的活动规则取消")
PAID_BACK = Text("Paid back by the rules of “{name}”", "按“{name}”的活动规则退款")


def do_write(live: Live, *, by: str = "") -> None:
    """All of it, in the caller's transaction; `by` whom, where it is not whoever acts. Value is
    moved by the campaign itself."""
    _write_plays(live)
    _write_slots(live)
    _write_rewards(live)
    _write_postings(live)
    do_match(_moved(live))
    _write_orders(live, by)
    _write_deeds(live)
    _write_following(live)
    _write_events(live, by)
    _write_notices(live)


def _write_plays(live: Live) -> None:
    """Those that begin must be new; those that go on are locked."""
    touched = sorted({play for play, _, _ in live.fresh})
    new = [_play_row(live, key) for key in touched if key not in live.began]
    known = [_play_row(live, key) for key in touched if key in live.began]
    do_insert(new)
    do_replace(known, unique=["campaign", "key"], fields=["state", "revision", "deadline"])


def _play_row(live: Live, key: str) -> PlayRow:
    play = live.plays[key]
    return new_row(
        PlayRow, campaign_id=live.campaign.pk, version_id=live.began.get(key, live.current), key=key,
        revision=play.revision, state=play.state.model_dump(mode="json"),
        deadline=play.deadline, starter_id=play.starter,
    )  # fmt: skip


def _write_slots(live: Live) -> None:
    rows = {
        name: new_row(Slot, campaign_id=live.campaign.pk, name=name, taken=taken)
        for name, taken in sorted(live.slots.items())
        if taken != live.known_slots.get(name, 0)
    }
    known = [row for name, row in rows.items() if name in live.known_slots]
    do_insert(row for name, row in rows.items() if name not in live.known_slots)
    do_replace(known, unique=["campaign", "name"], fields=["taken"])


# value


def _write_rewards(live: Live) -> None:
    do_insert(_reward_row(live, g) for n, g in live.grants.items() if n not in live.rewards)
    for name, row in live.rewards.items():
        state = live.grants[name].state
        if row.state != state:
            Reward.objects.filter(pk=row.pk).update(state=state, why=live.whys.get(name, ""))


def _moved(live: Live) -> list[Reward]:
    """Rewards in coupons that were given or taken back just now, as they are."""
    names = [n for n, g in live.grants.items() if g.grant.unit.startswith(UNIT) and (
        n not in live.rewards or live.rewards[n].state != g.state)]  # fmt: skip
    rows = Reward.objects.filter(campaign=live.campaign, name__in=names)
    return list(rows.select_related("campaign__version").order_by("pk")) if names else []


def _reward_row(live: Live, found: Granted) -> Reward:
    grant = found.grant
    return new_row(
        Reward, campaign_id=live.campaign.pk, play=found.play, name=grant.id, rule=grant.rule,
        member_id=grant.member, cause=grant.cause, unit=grant.unit, amount=grant.amount,
        source=grant.source, vests=grant.vests, vests_at=grant.vests_at, state=found.state,
        at=clock.now(), why=live.whys.get(grant.id, ""),
    )  # fmt: skip


def _write_postings(live: Live) -> None:
    """Goods are moved by their orders."""
    postings = [p for p in live.postings if not p.unit.startswith(SKU)]
    if not postings:
        return
    accounts = _open_accounts(live, postings)
    bookings = [
        Booking(
            f"campaign:{live.campaign.pk}:{p.leg}",
            [Leg(accounts[p.unit, p.source], -p.amount),
             Leg(accounts[p.unit, p.target], p.amount, expires_at=_expiry(live, p))],
            live.actor, note=live.campaign.name,
        )
        for p in postings
        if accounts[p.unit, p.source].pk != accounts[p.unit, p.target].pk
    ]  # fmt: skip
    do_transfer_all(live.campaign.community_id, bookings)


def _expiry(live: Live, posting: Posting) -> datetime | None:
    """Points that a member gets expire after the days that the community sets."""
    days = settings_of(live.campaign.community).points_days
    gets = posting.unit == POINTS and posting.target.startswith("member:")
    return clock.now() + timedelta(days=days) if gets and days else None


def _open_accounts(live: Live, postings: Iterable[Posting]) -> dict[tuple[str, str], Account]:
    """The accounts of all places, made where they are missing."""
    places = sorted({(p.unit, side) for p in postings for side in (p.source, p.target)})
    named = {place: (*address(live.campaign.pk, place[1]), place[0]) for place in places}
    found = _find(live, named.values())
    missing = sorted(set(named.values()) - found.keys())
    if missing:
        do_insert([_account(live, *key) for key in missing], ignore=True)
        found |= _find(live, missing)
    return {place: found[key] for place, key in named.items()}


def _find(
    live: Live, keys: Iterable[tuple[str, str, str]]
) -> dict[tuple[str, str, str], Account]:
    kinds, owners, units = (set(part) for part in zip(("", "", ""), *keys, strict=True))
    rows = Account.objects.filter(
        community_id=live.campaign.community_id, kind__in=kinds, owner__in=owners,
        unit__in=units,
    )  # fmt: skip
    return {(row.kind, row.owner, row.unit): row for row in rows}


def _account(live: Live, kind: str, owner: str, unit: str) -> Account:
    return new_row(
        Account, community_id=live.campaign.community_id, kind=kind, owner=owner, unit=unit,
        floor=None if owner == "campaigns" or kind == "owed" else 0,
        lots=kind == "member" and unit == POINTS,
    )  # fmt: skip


# orders


def _write_orders(live: Live, by: str) -> None:
    fresh = {ref: o for ref, o in sorted(live.orders.items()) if ref not in live.order_rows}
    if fresh:
        _order_all(live, fresh, by)
    for ref, order in sorted(live.orders.items()):
        if ref in live.order_rows and order != live.known_orders[ref]:
            _settle(live, ref, order, by)


def _order_all(live: Live, fresh: Mapping[str, Order], by: str) -> None:
    members = live.list_members(order.buy.member for order in fresh.values())
    wishes = [_wish(live, members, ref, order, by) for ref, order in fresh.items()]
    made = do_order_all(live.campaign.community, wishes, _shelves(live, fresh))
    do_insert(
        new_row(
            Purchase, campaign_id=live.campaign.pk, play=order.play, ref=ref, order_id=row.pk
        )
        for (ref, order), row in zip(fresh.items(), made, strict=True)
    )
    for order, row in zip(fresh.values(), made, strict=True):
        if order.state == "cancelled":
            do_cancel(row, _said(live, CALLED_OFF), by or live.actor)


def _shelves(live: Live, fresh: Mapping[str, Order]) -> dict[int, Account]:
    """Locked since the act asked what is left."""
    skus = {order.buy.sku for order in fresh.values()}
    return {live.skus[sku].pk: live.accounts[f"{SKU}{sku}", STOCK] for sku in skus}


def _wish(live: Live, members: Mapping[int, Member], ref: str, order: Order, by: str) -> Wish:
    campaign, buy = live.campaign, order.buy
    words = Text(campaign.name, campaign.name)
    quoted = Offer(f"campaign:{campaign.pk}", "campaign", "fixed", buy.amount_minor, words)
    return Wish(
        members[buy.member], [Ask(live.skus[buy.sku], buy.quantity)], live.source(ref),
        by or members[buy.member].actor,
        offers=[quoted], pay_by=buy.pay_by, source=live.source(ref),
    )  # fmt: skip


def _settle(live: Live, ref: str, order: Order, by: str) -> None:
    row, known = live.order_rows[ref], live.known_orders[ref]
    back = order.refunded_minor - known.refunded_minor
    if back > 0:
        key = f"campaign:{live.campaign.pk}:{ref}:{order.refunded_minor}"
        part = None if order.state == "refunded" else back  # all of it: the goods come back too
        do_refund(row, amount_minor=part, why=_said(live, PAID_BACK), by=by or live.actor,
                  key=key)  # fmt: skip
    elif order.state == "cancelled" and known.state == "open":
        do_cancel(row, _said(live, CALLED_OFF), by or live.actor)


def _said(live: Live, words: Text) -> str:
    campaign = live.campaign
    return words.format(name=campaign.name)(campaign.community.lang)


# what happened


def _write_deeds(live: Live) -> None:
    do_insert(
        new_row(
            Deed, campaign_id=live.campaign.pk, key=act.key, play=play, kind=act.kind,
            member_id=act.member, revision=live.plays[play].revision, at=act.at,
            answer=dict(done.answer),
        )
        for play, act, done in live.fresh
    )  # fmt: skip


def _write_following(live: Live) -> None:
    do_insert(
        (
            new_row(Following, campaign_id=live.campaign.pk, play=then.play, kind=then.kind, key=then.key,
                      member_id=then.member, data=dict(then.data), at=at)
            for then, at in live.waiting
        ),
        ignore=True,
    )  # fmt: skip


def _write_events(live: Live, by: str) -> None:
    acts = [_event(live, play, act, done, by) for play, act, done in live.fresh]
    won = [
        _row(live, "campaign_won", found.grant.member, by or live.actor,
             {"play": found.play, "unit": found.grant.unit, "amount": found.grant.amount})
        for name, found in live.grants.items() if name not in live.rewards
    ]  # fmt: skip
    back = [
        _row(live, "reward_taken_back", row.member_id, by or live.actor,
             {"unit": row.unit, "amount": row.amount, "why": live.whys.get(name, "")})
        for name, row in live.rewards.items()
        if live.grants[name].state == "clawed_back" != row.state
    ]  # fmt: skip
    record_all([*acts, *won, *back])


def _event(live: Live, play: str, act: Act, done: Done[Any], by: str) -> Event:
    kind = "campaign_helped" if act.kind in HELPS else "campaign_acted"
    kind = "campaign_joined" if act.kind == OPEN and act.member else kind
    actor = by or (f"member:{act.member}" if act.member else live.actor)
    return _row(live, kind, act.member, actor, {"play": play, "act": act.kind})


def _row(live: Live, kind: str, member: int | None, by: str, data: dict[str, Any]) -> Event:
    campaign = live.campaign
    return new_row(
        Event, community_id=campaign.community_id, kind=kind, at=clock.now(), member_id=member,
        group_id=campaign.group_id, actor=by, data={"campaign": campaign.pk, **data},
    )  # fmt: skip


def _write_notices(live: Live) -> None:
    if not live.notices:
        return
    lang, keys = live.campaign.community.lang, "+".join(act.key for _, act, _ in live.fresh)
    members = live.list_members(notice.member for notice in live.notices)
    for number, notice in enumerate(live.notices):
        if notice.member in members:
            cause = f"campaign:{live.campaign.pk}:{keys[:80]}:{number}"
            do_tell(members[notice.member], notice.text(lang), cause=cause)

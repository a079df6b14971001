"""What a member has: points with where they came from, coupons, rewards and what became of them."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from qunluo.campaigns.coupons import list_coupons, rules_of
from qunluo.campaigns.mechanics.kernel import POINTS
from qunluo.campaigns.models import Campaign, Coupon, Reward
from qunluo.community.queries import settings_of
from qunluo.h5.own import find_own
from qunluo.h5.pages import lang, page
from qunluo.h5.scenes.scene import say, worth
from qunluo.kit import clock
from qunluo.kit.money import format_money
from qunluo.kit.text import Text
from qunluo.ledger.models import Account, Lot
from qunluo.ledger.queries import Line, list_accounts, list_statement
from qunluo.members.models import Member

SHOWN = 100
AT_ONCE = 50


@require_safe
def points(request: HttpRequest, member_id: int) -> HttpResponse:
    """What there is, what of it ends when, and each change in words."""
    member = find_own(request, member_id)
    account = _account(member)
    context = {
        "member": member, "available": account.available if account else 0,
        "held": account.held if account else 0,
        "lines": [(one, say_why(one)) for one in _lines(request, account)],
        "lots": _lots(account), "calendars": _calendars(member),
    }  # fmt: skip
    return page(request, "points.html", context)


def _account(member: Member) -> Account | None:
    return list_accounts(member.community_id, "member", member.pk).filter(unit=POINTS).first()


def _lines(request: HttpRequest, account: Account | None) -> list[Line]:
    given = request.GET.get("before", "")
    before = int(given) if given.isascii() and given.isdecimal() and len(given) < 18 else 0
    return list_statement(account, limit=AT_ONCE, before=before) if account else []


def _lots(account: Account | None) -> Sequence[Lot]:
    """What expires first is spent first."""
    rows = Lot.objects.filter(account=account, left__gt=0, expires_at__isnull=False)
    return list(rows.order_by("expires_at")[:12]) if account else []


def _calendars(member: Member) -> list[Campaign]:
    rows = Campaign.objects.filter(community=member.community_id, mechanic="check_in")
    return list(rows.filter(state="running").order_by("-pk")[:3])


def say_why(line: Line) -> str:
    """A line of the statement, as its owner reads it."""
    kind = line.cause.partition(":")[0]
    if kind == "campaign":
        name = line.note
        if line.amount > 0:
            return say("From “{name}”", "来自“{name}”", name=name)
        return say("For “{name}”", "用于“{name}”", name=name)
    if kind == "capture" and line.note.startswith("order:"):
        return say("Spent on an order", "下单抵扣")
    if kind == "refund":
        return say("Back, with refund {number}", "退款返还（{number}）", number=line.note)
    if kind == "expired":
        return say("Their time was over", "积分到期")
    return line.note or say("A change by the team", "团队调整")


@require_safe
def rewards(request: HttpRequest, member_id: int) -> HttpResponse:
    """Everything a member was given, and what became of it."""
    member = find_own(request, member_id)
    rows = _rewards(member)
    total = rows.filter(state="paid").count()
    context = {
        "member": member,
        "total": total,
        "rows": [_told(member, row) for row in rows[:SHOWN]],
    }
    return page(request, "rewards.html", context)


@require_safe
def coupons(request: HttpRequest, member_id: int) -> HttpResponse:
    """The coupons: those that can be used first, then where each came from."""
    member = find_own(request, member_id)
    rows = _rewards(member).filter(unit__startswith="coupon:")
    mine = sorted(list_coupons(member)[:SHOWN], key=lambda one: one.state not in Coupon.FREE)
    context = {
        "member": member, "rows": [_told(member, row) for row in rows[:SHOWN]],
        "mine": [_coupon(member, one) for one in mine],
    }  # fmt: skip
    return page(request, "coupons.html", context)


def _coupon(member: Member, row: Coupon) -> dict[str, Any]:
    over = row.state in Coupon.FREE and row.valid_until and row.valid_until <= clock.now()
    state = "expired" if over else row.state
    return {"row": row, "state": COUPONS[state](lang()), "open": state in Coupon.FREE,
            "what": _takes_off(member, row)}  # fmt: skip


def _takes_off(member: Member, row: Coupon) -> str:
    """What it takes off, and from when on."""
    rules, currency = rules_of(row), settings_of(member.community).currency
    if rules is None:
        return say("The team redeems it.", "由群内工作人员兑换。")
    money = functools.partial(format_money, currency=currency, lang=lang())
    off = say("{n}% off", "减 {n}%", n=rules.percent) if rules.percent else \
        say("{n} off", "减 {n}", n=money(rules.off_minor))  # fmt: skip
    if not rules.threshold_minor:
        return off
    return say("{what} from {n} on", "满 {n} {what}", what=off, n=money(rules.threshold_minor))


COUPONS = {
    "issued": Text("yours", "可使用"), "returned": Text("yours again", "已退回，可使用"),
    "locked": Text("in an order", "待付款订单占用"), "used": Text("used", "已使用"),
    "expired": Text("over", "已过期"), "revoked": Text("taken back", "已收回"),
}  # fmt: skip


def _rewards(member: Member) -> Any:
    return Reward.objects.filter(member=member).select_related("campaign").order_by("-pk")


def _told(member: Member, row: Reward) -> dict[str, Any]:
    currency = settings_of(member.community).currency
    return {"row": row, "what": worth(row.unit, row.amount, currency), "state": _state(row)}


def _state(row: Reward) -> str:
    if row.state == "paid":
        return say("yours", "已到账")
    if row.state == "clawed_back":
        return say("taken back", "已收回")
    if row.vests == "at" and row.vests_at and row.vests_at > clock.now():
        return say("waits until its day", "待到期发放")
    return say("waits until it is certain", "待确认后发放")

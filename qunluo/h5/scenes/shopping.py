"""What is bought or taken alone: flash sale, rising price, coupon, gift with an order."""

from __future__ import annotations

from qunluo.campaigns.live import address
from qunluo.campaigns.mechanics import coupon, rising_price
from qunluo.campaigns.mechanics.coupon import CLAIM
from qunluo.campaigns.mechanics.flash_sale import BUY, CANCEL
from qunluo.h5.scenes.scene import (
    Button,
    Choice,
    Look,
    Pair,
    Scene,
    friends,
    pieces,
    say,
    span,
)
from qunluo.ledger.queries import balance_of

Told = dict[str, object]
OFFERED = 3  # quantities at once

# flash sale


def draw_flash(look: Look) -> Scene:
    s, r = look.shown, look.rules
    rest = max(0, r.pieces - look.taken.get("sold", 0))
    unlocked = s["unlocked"] and s["mine"]
    low = look.money(r.unlocked_minor if unlocked else r.price_minor)
    return Scene(
        _flash_lead(look, rest), low, look.money(r.price_minor) if unlocked else "",
        r.pieces - rest, r.pieces,
        say("{n} left of {of}", "剩余 {n}/{of}", n=rest, of=r.pieces),
        minor=r.unlocked_minor if unlocked else r.price_minor,
        buttons=_flash_buttons(look, rest), facts=_unlock(look), share=bool(r.invites),
    )  # fmt: skip


def _flash_lead(look: Look, rest: int) -> str:
    if look.shown.get("held", 0) >= look.rules.per_member:
        return had_all(look)
    if not rest:
        return say("It is sold out. What is not paid in time is free again.",
                   "已抢光；未付款的名额超时会释放。")  # fmt: skip
    return say("First come, first served.", "先到先得。")


def had_all(look: Look) -> str:
    """That a member has as much as one may have."""
    return say("You have {n}: that is as many as one member may have.",
               "你已有 {n}，达到每人限购数量。", n=pieces(look.rules.per_member))  # fmt: skip


def _unlock(look: Look) -> list[Pair]:
    s, r = look.shown, look.rules
    if not r.invites:
        return []
    return [(say("Friends you brought, for {price}", "已邀好友（解锁价 {price}）",
                 price=look.money(r.unlocked_minor)), f"{s['invited']} / {r.invites}")]  # fmt: skip


def _flash_buttons(look: Look, rest: int) -> list[Button]:
    s, r = look.shown, look.rules
    may = min(rest, r.per_member - s.get("held", 0))
    found = []
    if look.runs and may > 0:
        how_many = Choice("quantity", say("How many", "件数"), value="1", most=may)
        found.append(Button(BUY, say("Buy", "立即抢购"), choices=[how_many] if may > 1 else []))
    open_ = [one for one in s.get("orders", ()) if one["state"] == "open"]
    words = say("Call the order off", "取消订单")
    return found + [
        Button(CANCEL, words, main=False, data={"ref": one["ref"]}) for one in open_
    ]


def flash_terms(look: Look) -> list[str]:
    r = look.rules
    found = [
        say("{n} at {price}; {each} for a member at most.", "共 {n}，每件 {price}，每人最多 {each}。",
            n=pieces(r.pieces), price=look.money(r.price_minor), each=pieces(r.per_member)),
        say("An order that is not paid within {span} is called off.", "{span} 内未付款自动取消。",
            span=span(r.pay_minutes)),
    ]  # fmt: skip
    if r.invites:
        found.append(say("Who brings {n} gets {m} for {price}.", "邀请 {n} 可按 {price} 购买 {m}。",
                         n=friends(r.invites), m=pieces(r.unlocked_pieces),
                         price=look.money(r.unlocked_minor)))  # fmt: skip
    return found


def order_answer(look: Look, kind: str, told: Told) -> str:
    if kind == CANCEL:
        return say(
            "The order is called off. Its pieces are free for others.",
            "订单已取消，名额已释放。",
        )
    return say("Ordered. Pay in time to keep it.", "已下单，请及时付款。")


# rising price


def draw_rising(look: Look) -> Scene:
    r, s = look.rules, look.shown
    taken, closed = s.get("taken", 0), s.get("closed", False)
    rest = r.pieces - taken
    sells = rest > 0 and not closed
    may = max(0, r.per_member - look.taken_by_me("buyer"))
    now = rising_price.price_of(taken + 1, r) if sells else 0
    return Scene(
        _rising_lead(look, sells, may), look.money(now) if sells else "", minor=now, done=taken, of=r.pieces,
        progress=say("{n} of {of} sold or ordered", "已售 {n}/{of}", n=taken, of=r.pieces),
        buttons=_rising_buttons(look, taken, min(may, rest) if sells else 0),
    )  # fmt: skip


def _rising_lead(look: Look, sells: bool, may: int) -> str:
    if not may:
        return had_all(look)
    if not sells:
        return say("It is sold out.", "已售罄。")
    return say("The price rises with what is sold.", "卖得越多，价格越高。")


def _rising_buttons(look: Look, taken: int, most: int) -> list[Button]:
    """A button for each quantity: what it says is what is charged, or it is refused."""
    found = []
    for n in range(1, min(most, OFFERED) + 1 if look.runs else 1):
        total = rising_price.quote(taken, n, look.rules)
        words = say(
            "Buy {n} for {price}", "购买 {n}，共 {price}", n=pieces(n), price=look.money(total)
        )
        found.append(Button(rising_price.BUY, words, main=n == 1,
                            data={"quantity": n, "quoted_minor": total}))  # fmt: skip
    words = say("Call the order off", "取消订单")
    refs = look.shown.get("refs", ())
    return found + [
        Button(rising_price.CANCEL, words, main=False, data={"ref": ref}) for ref in refs
    ]


def rising_terms(look: Look) -> list[str]:
    r, first, found = look.rules, 1, []
    for step in r.steps:
        found.append(say("Pieces {a} to {b}: {price} each.", "第 {a}–{b} 件：每件 {price}。", a=first,
                         b=first + step.pieces - 1, price=look.money(step.price_minor)))  # fmt: skip
        first += step.pieces
    found.append(say("{n} for a member at most; pay within {span}.", "每人最多 {n}，{span} 内付款。",
                     n=pieces(r.per_member), span=span(r.pay_minutes)))  # fmt: skip
    return found


# coupon


def draw_coupon(look: Look) -> Scene:
    s = look.shown
    rest = _coupons_left(look)
    may = s["may_claim"] > 0 and look.runs and rest > 0
    return Scene(
        _coupon_lead(look, rest), _worth(look),
        buttons=[Button(CLAIM, say("Take the coupon", "领取优惠券"))] if may else [],
        facts=[(say("Taken by you", "你已领取"), f"{s['claimed']} / {look.rules.per_member}")],
        share=s["invites"],
    )  # fmt: skip


def _coupon_lead(look: Look, rest: int) -> str:
    if look.shown["claimed"]:
        return say(
            "It is yours: find it under “My coupons”.", "已领取，可在“我的优惠券”中查看。"
        )
    if not rest and look.campaign.state == "running":
        return say("All of them are given out.", "优惠券已领完。")
    return say("Take it, and use it in an order.", "领取后下单可用。")


def _coupons_left(look: Look) -> int:
    kind, owner = address(look.campaign.pk, coupon.COUPONS)
    return balance_of(look.campaign.community_id, kind, owner, coupon.unit(look.rules))


def _worth(look: Look) -> str:
    r = look.rules
    if r.percent:
        return say("{n}% off", "减 {n}%", n=r.percent)
    return say("{n} off", "减 {n}", n=look.money(r.off_minor))


def coupon_terms(look: Look) -> list[str]:
    r = look.rules
    found = [say("{what} from {n} on.", "满 {n}：{what}。", what=_worth(look),
                 n=look.money(r.threshold_minor)) if r.threshold_minor else
             say("{what}, without a threshold.", "{what}，无门槛。", what=_worth(look))]  # fmt: skip
    if r.cap_minor:
        found.append(say("At most {n} off.", "最多减 {n}。", n=look.money(r.cap_minor)))
    found.append(say("Good for {span} from when it is taken; {n} for a member.",
                     "领取后 {span} 内有效，每人 {n} 张。", span=span(r.valid_days * 1440),
                     n=r.per_member))  # fmt: skip
    if r.inviter_most:
        found.append(say("Bring new friends: when they have bought, you get one more.",
                         "邀请新朋友，TA 完成购买后你再得一张。"))  # fmt: skip
    return found


def coupon_answer(look: Look, kind: str, told: Told) -> str:
    return say("The coupon is yours.", "领取成功！")


# gift with an order


def draw_gift(look: Look) -> Scene:
    s = look.shown
    if not s.get("stage"):
        return Scene(say("It comes with an order that is enough; you need not do anything.",
                         "订单满足条件自动赠送，无需领取。"))  # fmt: skip
    words = {"reserved": ("Set aside until you pay.", "已为你预留，付款后生效。"),
             "given": ("It comes with your order.", "赠品随订单发出。")}  # fmt: skip
    return Scene(say(*words.get(s["stage"], ("The order went back, and its gift.", "订单与赠品已退回。"))),
                 s["gift"], facts=[(say("Pieces", "件数"), str(s["quantity"]))])  # fmt: skip


def gift_terms(look: Look) -> list[str]:
    r = look.rules
    found = [say("From {n} on: {gift} × {m}.", "满 {n} 送 {gift} × {m}。",
                 n=look.money(t.threshold_minor),
                 gift=t.gift, m=t.quantity) for t in r.tiers]  # fmt: skip
    if r.buy:
        found.append(say("Buy {n}, and the {m} cheapest more are free.", "买 {n} 送最便宜的 {m}。",
                         n=pieces(r.buy), m=pieces(r.free)))  # fmt: skip
    found.append(
        say("Orders with a gift for a member: {n}.", "每人 {n} 笔订单可享。", n=r.per_member)
    )
    return found


def done_answer(look: Look, kind: str, told: Told) -> str:
    return say("Done.", "操作成功。")

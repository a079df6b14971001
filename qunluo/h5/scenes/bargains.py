"""A bargain: friends cut a price down."""

from __future__ import annotations

from qunluo.campaigns.mechanics.bargain import BUY, HELP
from qunluo.campaigns.mechanics.kernel import OPEN
from qunluo.h5.scenes.scene import (
    Button,
    Look,
    Scene,
    begun_lead,
    friends,
    is_over,
    moment,
    say,
    span,
)

_STAGES = {
    "over": ("The time of this bargain is over.", "这次砍价已结束。"),
    "bought": ("Bought. Thank you all for helping.", "已购买成功，感谢大家帮忙。"),
    "returned": ("Bought, and given back: the money goes back.", "已退款，款项原路退回。"),
}


def draw(look: Look) -> Scene:
    if look.play is None:
        lead = begun_lead(
            look, "Begin, and ask friends to cut your price.", "发起砍价，请好友帮你砍到底价。"
        )
        return Scene(
            lead,
            look.money(look.rules.start_minor),
            minor=look.rules.start_minor,
            buttons=_begin(look),
        )
    s = look.shown
    until = moment(s["ends_at"] if s["stage"] == "cutting" else s["pay_by"])
    return Scene(
        _lead(look), look.money(s["price_minor"]),
        look.money(s["start_minor"]) if s["price_minor"] < s["start_minor"] else "",
        s["helpers"], s["needed"],
        say("{done} of {of} cuts; the lowest price is {floor}", "已砍 {done}/{of} 刀，底价 {floor}",
            done=s["helpers"], of=s["needed"], floor=look.money(s["floor_minor"])),
        until if s["stage"] in ("cutting", "won", "ordered") else None, _until(look),
        _buttons(look), minor=s["price_minor"],
        share=s["mine"] and s["stage"] == "cutting" and not is_over(until, look.now),
        people_title=say("Who helped", "帮砍好友"),
    )  # fmt: skip


def _until(look: Look) -> str:
    if look.shown["stage"] == "cutting":
        return say("Friends can help until", "好友帮砍截止")
    return say("To be paid by", "付款截止")


def _lead(look: Look) -> str:
    s, name = look.shown, look.name(look.shown["owner"])
    if s["stage"] in _STAGES:
        return say(*_STAGES[s["stage"]])
    if s["stage"] == "cutting":
        return _asking(look, name)
    if not s["mine"]:
        return say("{name} has got the price down.", "{name} 已经砍成功了。", name=name)
    if s["stage"] == "ordered":
        return say("Ordered. Pay before the time is over.", "已下单，请在截止前付款。")
    return say("The lowest price is yours. Buy before the time is over.",
               "底价到手！请在截止前下单。")  # fmt: skip


def _asking(look: Look, name: str) -> str:
    s = look.shown
    if s["mine"]:
        missing = friends(s["needed"] - s["helpers"])
        return say("{n} more cut it down to the lowest price. Send it to them.",
                   "再邀 {n} 就能砍到底价，快分享给他们。", n=missing)  # fmt: skip
    if s["my_cut_minor"] is not None:
        return say("You cut {cut} off for {name}.", "你已帮 {name} 砍掉 {cut}。",
                   cut=look.money(s["my_cut_minor"]), name=name)  # fmt: skip
    if s["may_help"] and not _helps_left(look):
        return say("You have helped as often as one may in this campaign.",
                   "你在本活动中的帮砍次数已用完。")  # fmt: skip
    return say("{name} asks you to help: every cut is a surprise.",
               "{name} 请你帮忙砍一刀，砍多少看手气。", name=name)  # fmt: skip


def _buttons(look: Look) -> list[Button]:
    s, found = look.shown, []
    if s["stage"] == "cutting" and is_over(moment(s["ends_at"]), look.now):
        return _begin(look)
    may_help = s["may_help"] and _helps_left(look)
    if may_help:
        found.append(Button(HELP, say("Help cut the price", "帮 TA 砍一刀")))
    if s["may_buy"]:
        words = say(
            "Buy now for {price}", "以 {price} 购买", price=look.money(s["price_minor"])
        )
        found.append(Button(BUY, words, main=s["stage"] == "won"))
    if not may_help and not s["mine"]:
        found += _begin(look)
    return found


def _helps_left(look: Look) -> int:
    return int(max(0, look.rules.helps_each - look.taken_by_me("help")))


def _begin(look: Look) -> list[Button]:
    words = say("Begin my own bargain", "发起我的砍价")
    may = look.runs and look.begun < look.rules.plays_each
    return [Button(OPEN, words, play="")] if may else []


def terms(look: Look) -> list[str]:
    """The rules, as members read them."""
    r = look.rules
    return [
        say("The price begins at {start}; {n} cut it down to {floor}, exactly.",
            "起始价 {start}，{n} 帮砍后恰好到底价 {floor}。", start=look.money(r.start_minor),
            n=friends(r.helpers), floor=look.money(r.floor_minor)),
        say("Each cut is a surprise between {low} and {high}.", "每刀随机砍 {low}–{high}。",
            low=look.money(r.cut_min_minor), high=look.money(r.cut_max_minor)),
        say("Friends can help for {span}; each once in a bargain, and in at most {n} in all.",
            "好友可在 {span} 内帮砍，每个砍价每人一次，最多帮 {n} 个。", span=span(r.minutes),
            n=r.helps_each),
        say("A price that is reached is kept for {span}.", "砍成的价格保留 {span}。",
            span=span(r.pay_minutes)),
        say("You may buy at the price it has, too, before it is the lowest.",
            "未砍到底价时，也可以按当前价购买。") if r.buy_early else
        say("You can buy once it is the lowest price.", "砍到底价后才能购买。"),
        say("Bargains a member may begin: {n}.", "每人可发起 {n} 次。", n=r.plays_each),
    ]  # fmt: skip


def answer(look: Look, kind: str, told: dict[str, object]) -> str:
    """What came of it, in a sentence."""
    if kind == HELP:
        cut, price = (look.money(_int(told, name)) for name in ("cut_minor", "price_minor"))
        return say("You cut {cut} off. It costs {price} now.", "你砍掉了 {cut}，现价 {price}。",
                   cut=cut, price=price)  # fmt: skip
    return say("Your bargain has begun. Send it to friends.", "砍价已发起，快分享给好友。")


def help_words(look: Look, told: dict[str, object]) -> str:
    return "−" + look.money(_int(told, "cut_minor"))


def _int(told: dict[str, object], name: str) -> int:
    value = told.get(name, 0)
    return value if isinstance(value, int) else 0

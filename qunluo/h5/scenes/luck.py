"""What is drawn: a lucky draw with its odds, and red packets."""

from __future__ import annotations

from qunluo.campaigns.mechanics.kernel import OPEN, POINTS
from qunluo.campaigns.mechanics.lucky_draw import DRAW
from qunluo.campaigns.mechanics.red_packet import TAKE, may_send
from qunluo.campaigns.mechanics.steps import day_of
from qunluo.h5.scenes.scene import (
    Button,
    Look,
    Person,
    Scene,
    count_of,
    is_over,
    moment,
    say,
    span,
)
from qunluo.ledger.queries import balance_of

Told = dict[str, object]


def draw_lucky(look: Look) -> Scene:
    s, cost = look.shown, look.rules.cost_points
    have = _points(look)
    found = []
    today, short = _today(look), max(0, cost - have)
    if look.runs and s["draws_left"] > 0 and today < look.rules.per_day and not short:
        words = (
            say("Draw for {n} points", "用 {n} 积分抽一次", n=cost)
            if cost
            else say("Draw", "抽一次")
        )
        found.append(Button(DRAW, words))
    lead = say("You have {n} points.", "你有 {n} 积分。", n=have) if cost and look.member else \
        say("Every draw can be checked by anybody.", "每一次抽奖都可公开验证。")  # fmt: skip
    if look.runs and look.member and short:
        lead = say("You have {n} points; {m} more are needed for a draw.",
                   "你有 {n} 积分，还差 {m} 积分可抽一次。", n=have, m=short)  # fmt: skip
    if look.runs and s["draws_left"] <= 0:
        lead = say("You have drawn as often as one member may.", "你的抽奖次数已用完。")
    elif look.runs and today >= look.rules.per_day:
        lead = say("That was it for today. Come back tomorrow.", "今天的次数用完了，明天再来。")
    rest_today = min(max(look.rules.per_day - today, 0), s["draws_left"])
    facts = [(say("Your draws", "已抽次数"), str(s["draws"])),
             (say("Draws left today", "今天还可抽"), str(rest_today)),
             (say("Draws left", "剩余次数"), str(s["draws_left"]))] if look.member else []  # fmt: skip
    odds = [
        (one["name"] or say("nothing", "未中奖"), f"{one['percent']:g}%") for one in s["odds"]
    ]
    return Scene(lead, buttons=found, facts=facts, extra="h5/odds.html",
                 more={"odds": odds, "won": s["won"], "commitment": look.campaign.commitment,
                       "seed": _seed(look)})  # fmt: skip


def _seed(look: Look) -> str:
    """Told once nothing is drawn any more."""
    return look.campaign.seed if look.campaign.state in ("stopped", "ended") else ""


def _today(look: Look) -> int:
    """How often the member has drawn on this day of the campaign."""
    records = look.play.state.get("records", ()) if look.play else ()
    zone, days = look.rules.zone, [moment(one["at"]) for one in records]
    return sum(day_of(at, zone) == day_of(look.now, zone) for at in days if at)


def _points(look: Look) -> int:
    if look.member is None:
        return 0
    return balance_of(look.campaign.community_id, "member", look.member.pk, POINTS)


def lucky_terms(look: Look) -> list[str]:
    r = look.rules
    return [
        say("A draw costs {n} points.", "每次消耗 {n} 积分。", n=r.cost_points) if r.cost_points
        else say("A draw costs nothing.", "抽奖免费。"),
        say("{n} a day, {m} in all for a member.", "每人每天 {n} 次，共 {m} 次。", n=r.per_day,
            m=r.per_member),
        say("What is gone is left out, and the odds are shown without it.",
            "已抽完的奖品会移出，概率按剩余奖品公示。"),
        say("The seed of the draws is fixed: its hash is published now, the seed at the end, so "
            "that anybody can check each draw.",
            "抽奖种子已固定：现公布其哈希，结束后公布种子，任何人都可验证每次结果。"),
    ]  # fmt: skip


def lucky_answer(look: Look, kind: str, told: Told) -> str:
    name = str(told.get("prize") or told.get("name") or "")
    if name:
        return say("You have won: {name}!", "恭喜抽中：{name}！", name=name)
    return say("Nothing this time.", "这次没有抽中。")


# red packet


def draw_packet(look: Look) -> Scene:
    s, r = look.shown, look.rules
    if look.play is None:
        return Scene(_before_lead(look), look.worth(r.unit, r.amount), buttons=_put_out(look))
    until = moment(s["until"])
    open_ = s["stage"] == "open" and not is_over(until, look.now)
    found = (
        [Button(TAKE, say("Take my share", "抢红包"))] if open_ and s["mine"] is None else []
    )
    taken = [
        Person(look.name(one["member"]), _share(look, one, s["luckiest"])) for one in s["taken"]
    ]
    return Scene(
        _packet_lead(look, open_), look.worth(r.unit, s["mine"] if s["mine"] is not None else r.amount),
        done=r.shares - s["left"], of=r.shares,
        progress=say("{n} of {of} taken", "已领 {n}/{of} 份", n=r.shares - s["left"], of=r.shares),
        until=until if open_ else None, until_words=say("Open until", "领取截止"), buttons=found,
        people=taken, people_title=say("Who took a share", "领取记录"),
        done_by_me=s["mine"] is not None,
    )  # fmt: skip


def _before_lead(look: Look) -> str:
    if not may_send(look.rules):
        return say("The team puts the packets out: {n} shares each, first come, first served.",
                   "红包由团队发出，每个 {n} 份，先到先得。", n=look.rules.shares)  # fmt: skip
    if not _packets_left(look):
        return say("All packets of this campaign are out.", "本次活动的红包已全部发出。")
    return say(
        "{n} shares, first come, first served.", "共 {n} 份，先到先得。", n=look.rules.shares
    )


def _put_out(look: Look) -> list[Button]:
    r = look.rules
    if not look.runs or not may_send(r) or not _packets_left(look):
        return []
    own = r.giver == "member"
    words = say("Put out a red packet of my points", "用我的积分发一个红包") if own else \
        say("Put out a red packet", "发一个红包")  # fmt: skip
    return [Button(OPEN, words, main=False, play="")]


def _packets_left(look: Look) -> int:
    return int(max(0, look.rules.packets - look.taken.get("packets", 0)))


def _share(look: Look, one: dict[str, int], luckiest: int | None) -> str:
    words = look.worth(look.rules.unit, one["amount"])
    best = one["member"] == luckiest and look.shown["stage"] == "empty"
    return f"{words} · {say('luckiest', '手气最佳')}" if best else words


def _packet_lead(look: Look, open_: bool) -> str:
    s = look.shown
    if s["mine"] is not None:
        return say("Your share.", "你抢到的金额。")
    if s["stage"] == "empty":
        return say("All shares are taken.", "手慢了，红包已被领完。")
    if not open_:
        return say(
            "Its time is over; what nobody took went back.", "红包已过期，未领部分已退回。"
        )
    of_us = s["giver"] is None or look.rules.giver == "campaign"
    name = look.campaign.community.name if of_us else look.name(s["giver"])
    return say("A red packet of {name}", "{name} 的红包", name=name)


def packet_terms(look: Look) -> list[str]:
    r = look.rules
    return [
        say("{amount} in {n}; everybody gets the same.", "{amount} 分 {n}，每人相同。",
            amount=look.worth(r.unit, r.amount), n=count_of(r.shares, "share", "shares", "份"))
        if r.equal else
        say("{amount} in {n}, each a surprise; no place in the queue is better.",
            "{amount} 分 {n}，拼手气，先后机会均等。", amount=look.worth(r.unit, r.amount),
            n=count_of(r.shares, "share", "shares", "份")),
        say("Open for {span}; what nobody takes goes back.", "{span} 内有效，未领部分退回。",
            span=span(r.minutes)),
    ]  # fmt: skip


def packet_answer(look: Look, kind: str, told: Told) -> str:
    amount = told.get("amount")
    if kind == TAKE and isinstance(amount, int):
        return say("You got {what}.", "抢到 {what}！", what=look.worth(look.rules.unit, amount))
    return say("The red packet is out.", "红包已发出。")

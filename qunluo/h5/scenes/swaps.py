"""A swap: one's own listing with the offers for it, or somebody else's to offer for."""

from __future__ import annotations

from qunluo.campaigns.mechanics.kernel import OPEN
from qunluo.campaigns.mechanics.swap import (
    ACCEPT,
    CONFIRM,
    DECLINE,
    DISPUTE,
    OFFER,
    WITHDRAW,
    WORDS,
)
from qunluo.campaigns.models import Play
from qunluo.h5.scenes.scene import Button, Choice, Look, Scene, is_over, moment, say, span

Told = dict[str, object]
_STAGES = {
    "swapped": ("It was swapped.", "已换出。"),
    "withdrawn": ("It was withdrawn.", "已下架。"),
    "expired": ("Its time is over.", "已到期下架。"),
    "away": ("It is in a swap.", "正在另一笔交换中。"),
}


def draw(look: Look) -> Scene:
    if look.play is None:
        lead = say(
            "List what you would give, and look for what you like.", "发布闲置，换你喜欢的。"
        )
        return Scene(_enough(look) or lead, buttons=_list_one(look))
    s, until = look.shown, moment(look.shown["until"])
    open_ = s["stage"] == "open" and not is_over(until, look.now)
    facts = [(say("Category", "分类"), s["category"])]
    if s["mine"] and s["stage"] == "open":
        facts.append((say("Offers", "收到的报价"), str(s["offered"])))
    return Scene(
        _lead(look), s["title"], until=until if open_ else None,
        until_words=say("Listed until", "上架截止"), facts=facts, buttons=_buttons(look, open_),
    )  # fmt: skip


def _lead(look: Look) -> str:
    s = look.shown
    if s["stage"] in _STAGES:
        return say(*_STAGES[s["stage"]])
    if s["stage"] == "dealing":
        deal = s.get("deal")
        if deal is None:
            return say("It is being swapped.", "正在交换中。")
        if deal["disputed"]:
            return say("The team looks at this swap and decides; you can still say more.",
                       "团队正在处理这笔交换并将裁定，你可以继续补充说明。")  # fmt: skip
        return say("To be swapped for “{title}”. Confirm when you have it.",
                   "与“{title}”交换，收到后请确认。", title=deal["offer"]["title"])  # fmt: skip
    if s["mine"]:
        return say(
            "Your listing. Offers for it come here.", "你的物品，收到的报价会显示在这里。"
        )
    return say("{name} would swap it.", "{name} 想换。", name=look.name(s["owner"]))


def _list_one(look: Look) -> list[Button]:
    choices = [
        Choice("title", say("What would you give?", "物品名称")),
        Choice("category", say("Category", "分类"), [(c, c) for c in look.rules.categories]),
    ]
    may = look.runs and not _enough(look)
    return [Button(OPEN, say("List it", "发布"), play="", choices=choices)] if may else []


def _enough(look: Look) -> str:
    """That a member may list no more at once; "" where they may."""
    if look.taken_by_me("owner") < look.rules.per_member:
        return ""
    return say("You have as many listings as one may have at once: withdraw one to list another.",
               "在架物品已达上限，下架一件才能发布新的。")  # fmt: skip


def _buttons(look: Look, open_: bool) -> list[Button]:
    s = look.shown
    if look.brief:
        return []
    if s.get("deal"):
        return _parties(look)
    if s["mine"] and open_:
        return [*_offers(look), Button(WITHDRAW, say("Withdraw it", "下架"), main=False)]
    return _to_offer(look) if open_ and not s["mine"] else []


def _parties(look: Look) -> list[Button]:
    deal, me = look.shown["deal"], look.member.pk if look.member else 0
    words = say("What is wrong? The team reads it", "哪里有问题？由团队查看")
    what = Choice("words", words, value=look.shown["said"], longest=WORDS)
    found = [
        Button(
            DISPUTE, say("Something is wrong", "有问题，申请裁定"), main=False, choices=[what]
        )
    ]
    if me not in deal["confirmed"]:
        found.insert(0, Button(CONFIRM, say("I have it", "确认收到")))
    return found


def _offers(look: Look) -> list[Button]:
    found = []
    for offer in look.shown.get("offers", ()):
        plus = f" + {look.worth(look.rules.unit, offer['top_up'])}" if offer["top_up"] else ""
        title, data = offer["title"] + plus, {"from": offer["listing"]}
        words = say("Swap for “{title}”", "换“{title}”", title=title)
        found.append(Button(ACCEPT, words, data=data))
        words = say("Not for “{title}”", "不换“{title}”", title=title)
        found.append(Button(DECLINE, words, main=False, data=data))
    return found


def _to_offer(look: Look) -> list[Button]:
    """One of my open listings, for this one; the act is done in mine."""
    if look.member is None or look.play is None or not look.runs:
        return []
    rows = Play.objects.filter(campaign=look.campaign, starter=look.member, state__stage="open")
    found = []
    for row in rows.order_by("-pk")[:5]:
        words = say("Offer my “{title}”", "用我的“{title}”换", title=row.state["title"])
        top = Choice(
            "top_up",
            say("And on top", "另补差价"),
            value="0",
            most=look.rules.top_up_most,
            least=0,
        )
        found.append(Button(OFFER, words, play=row.key, data={"to": look.play.key},
                            choices=[top] if look.rules.top_up_most else []))  # fmt: skip
    return found


def terms(look: Look) -> list[str]:
    r = look.rules
    found = []
    if r.deposit:
        what = look.worth(r.unit, r.deposit)
        found.append(say("Each side leaves {what} until both have what they swapped for.",
                         "双方各付 {what} 押金，互相确认后退回。", what=what))  # fmt: skip
    found += [
        say("Listed for {span}, {n} at once.", "上架 {span}，同时最多 {n} 件。",
            span=span(r.listing_days * 1440), n=r.per_member),
        say("If not both have confirmed after {span}, the team decides.",
            "{span} 内未双方确认，由团队裁定。", span=span(r.deal_days * 1440)),
    ]  # fmt: skip
    return found


def answer(look: Look, kind: str, told: Told) -> str:
    words = {
        OPEN: ("It is listed.", "已发布。"), OFFER: ("Your offer is on its way.", "报价已发出。"),
        ACCEPT: ("Agreed. Swap, then confirm.", "已达成，交换后请确认。"),
        DECLINE: ("Declined.", "已婉拒。"), WITHDRAW: ("It is withdrawn.", "已下架。"),
        CONFIRM: ("Confirmed.", "已确认。"), DISPUTE: ("The team looks at it.", "团队会处理。"),
    }  # fmt: skip
    return say(*words.get(kind, ("Done.", "操作成功。")))

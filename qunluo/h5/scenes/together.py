"""What friends do together: help a task, buy as a group, bring new members."""

from __future__ import annotations

from qunluo.campaigns.mechanics.assist import HELP
from qunluo.campaigns.mechanics.group_buy import JOIN, QUIT
from qunluo.campaigns.mechanics.kernel import OPEN
from qunluo.campaigns.mechanics.steps import day_of
from qunluo.h5.scenes.scene import (
    Button,
    Choice,
    Look,
    Pair,
    Person,
    Scene,
    Step,
    begun_lead,
    friends,
    is_over,
    moment,
    say,
    span,
)

Told = dict[str, object]

# assist


def draw_assist(look: Look) -> Scene:
    if look.play is None:
        lead = begun_lead(
            look, "Begin, and ask friends for one tap each.", "发起任务，请好友各助力一次。"
        )
        return Scene(lead, buttons=_begin(look), steps=_tiers(look, "helps", 0))
    s, until = look.shown, moment(look.shown["ends_at"])
    runs = s["stage"] == "open" and not is_over(until, look.now)
    return Scene(
        _assist_lead(look, runs), done=s["helps"], of=s["top"],
        progress=say("{done} of {of} helps", "已助力 {done}/{of}", done=s["helps"], of=s["top"]),
        until=until if runs else None, until_words=say("Friends can help until", "好友助力截止"),
        buttons=_assist_buttons(look, runs), steps=_tiers(look, "helps", s["helps"]),
        share=s["mine"] and runs, people_title=say("Who helped", "助力好友"),
    )  # fmt: skip


def _assist_lead(look: Look, runs: bool) -> str:
    s, name = look.shown, look.name(look.shown["owner"])
    if not runs:
        return say("The time of this task is over.", "任务已结束。")
    if s["i_helped"]:
        return say("You helped {name}.", "你已为 {name} 助力。", name=name)
    if s["may_help"] and not _helps_left(look):
        return say("You have helped as often as one may today: come back tomorrow.",
                   "今天的助力次数用完了，明天再来帮 TA。")  # fmt: skip
    if not s["mine"]:
        return say("{name} asks you for a tap.", "{name} 请你助力一下。", name=name)
    if not s["missing"]:
        return say("All rewards are reached.", "奖励已全部达成！")
    return say("{n} more bring the next reward. Send it to them.", "再邀 {n} 助力即可得下一份奖励。",
               n=friends(s["missing"]))  # fmt: skip


def _assist_buttons(look: Look, runs: bool) -> list[Button]:
    if runs and look.shown["may_help"] and _helps_left(look):
        return [Button(HELP, say("Help with one tap", "为 TA 助力"))]
    return [] if look.shown["mine"] and runs else _begin(look)


def _helps_left(look: Look) -> int:
    """How often the member may help others today."""
    today = str(day_of(look.now, look.rules.zone))
    return int(max(0, look.rules.helps_a_day - look.taken_by_me("help", today)))


def _begin(look: Look) -> list[Button]:
    words = say("Begin my own task", "发起我的任务")
    may = look.runs and look.begun < look.rules.tasks_each
    return [Button(OPEN, words, play="")] if may else []


def _tiers(look: Look, of: str, have: int) -> list[Step]:
    return [
        Step(say("{n}: {what}", "{n}：{what}", n=friends(getattr(tier, of)),
                 what=look.reward(tier.reward)), getattr(tier, of) <= have)
        for tier in look.rules.tiers
    ]  # fmt: skip


def assist_terms(look: Look) -> list[str]:
    r = look.rules
    found = [
        say("Friends can help for {span}; each once in a task, and {n} times a day at most.",
            "好友可在 {span} 内助力，每个任务每人一次，每天最多 {n} 次。", span=span(r.minutes),
            n=r.helps_a_day),
        say("Tasks a member may begin: {n}.", "每人可发起 {n} 次。", n=r.tasks_each),
    ]  # fmt: skip
    if r.helpers == "newcomers":
        found.append(say("Only new members can help.", "仅限新成员助力。"))
    if r.helper_reward:
        what = look.reward(r.helper_reward)
        found.append(say("Who helps gets {what}.", "助力者可得 {what}。", what=what))
    return found + waits(r.hold_days)


def waits(days: int) -> list[str]:
    """That rewards come later, where they do."""
    if not days:
        return []
    return [
        say(
            "Rewards are yours after {span}.",
            "奖励将在 {span} 后到账。",
            span=span(days * 1440),
        )
    ]


def assist_answer(look: Look, kind: str, told: Told) -> str:
    if kind == HELP:
        return say("Thank you: your help counts.", "感谢助力，已生效！")
    return say("Your task has begun. Send it to friends.", "任务已发起，快分享给好友。")


# group-buy


def draw_group(look: Look) -> Scene:
    if look.play is None:
        lead = _why_no_group(look) or say(
            "Begin a group, or join one below.", "发起拼团，或加入下面的团。"
        )
        return Scene(lead, look.money(_lowest(look)), minor=_lowest(look),
                     buttons=_lead_one(look))  # fmt: skip
    s, until = look.shown, moment(look.shown["ends_at"])
    runs = s["stage"] in ("forming", "open")
    return Scene(
        _group_lead(look), look.money(_lowest(look)), minor=_lowest(look),
        done=min(s["paid"], s["size"]), of=s["size"],
        progress=say("{done} of {of} have paid", "{done}/{of} 人已付款", done=s["paid"], of=s["size"]),
        until=until if runs else None,
        until_words=say("Complete until", "成团截止") if s["stage"] == "open"
        else say("The leader pays by", "团长付款截止"),
        buttons=_group_buttons(look), facts=_group_facts(look), share=s["mine"] and s["stage"] == "open",
        people=[Person(look.name(m), say("leads", "团长") if m == s["leader"] else "")
                for m in s["members"]],
        people_title=say("Who is in", "团员"),
    )  # fmt: skip


def _lowest(look: Look) -> int:
    return int(min(price.price_minor for price in look.rules.prices))


def _why_no_group(look: Look) -> str:
    """That a member may be in no other group; "" where they may."""
    if look.taken_by_me("live"):
        return say("You are in a group already; in another once this one is decided.",
                   "你已在一个团中，等它有结果后才能参加别的团。")  # fmt: skip
    if look.taken_by_me("times") >= look.rules.groups_each:
        return say("You have been in as many groups as one member may.",
                   "你参团的次数已达上限。")  # fmt: skip
    return ""


def _group_lead(look: Look) -> str:
    s, name = look.shown, look.name(look.shown["leader"])
    if s["stage"] == "success" and s["guaranteed"]:
        return say("Complete: the merchant guarantees it.", "商家保成团，已成团。")
    if s["stage"] == "success":
        return say("The group is complete.", "拼团成功！")
    if s["stage"] == "failed":
        return say("The group did not get complete: what was paid goes back.",
                   "拼团未成功，已付的款项会原路退回。")  # fmt: skip
    if s["stage"] == "forming":
        return say("It begins when {name} has paid.", "{name} 付款后开团。", name=name)
    if s["i_paid"]:
        return say("You are in. {n} more make it complete.", "你已参团，还差 {n} 成团。",
                   n=friends(s["missing"]))  # fmt: skip
    return say("{name} leads a group: {n} more make it complete.", "{name} 的团，还差 {n} 成团。",
               name=name, n=friends(s["missing"]))  # fmt: skip


def _group_facts(look: Look) -> list[Pair]:
    """Why one who is not in it can't join."""
    why = _why_no_group(look) if look.shown["may_join"] and not look.brief else ""
    return [(say("Joining", "参团"), why)] if why else []


def _group_buttons(look: Look) -> list[Button]:
    if look.brief:
        return []
    s, found, why = look.shown, [], _why_no_group(look)
    if s["may_join"] and not why and not is_over(moment(s["ends_at"]), look.now):
        found.append(Button(JOIN, say("Join and order", "参团下单"), choices=_what(look)))
    if s["may_quit"]:
        sure = say("I give my place up; what I paid comes back.", "确认退出，已付款项将退回。")
        found.append(Button(QUIT, say("Leave the group", "退出拼团"), main=False, sure=sure))
    return found if s["mine"] or s["may_join"] else found + _lead_one(look)


def _lead_one(look: Look) -> list[Button]:
    words = say("Begin a group", "我来开团")
    may = look.runs and not _why_no_group(look)
    return [Button(OPEN, words, play="", choices=_what(look))] if may else []


def _what(look: Look) -> list[Choice]:
    """Which product and how many, where there is a choice."""
    r, found = look.rules, []
    if len(r.prices) > 1:
        skus = {price.sku: price.price_minor for price in r.prices}
        options = [
            (sku, f"{look.goods.get(sku, sku)} · {look.money(n)}") for sku, n in skus.items()
        ]
        found.append(Choice("sku", say("What", "商品"), options))
    if r.quantity_most > 1:
        found.append(
            Choice("quantity", say("How many", "件数"), value="1", most=r.quantity_most)
        )
    return found


def group_terms(look: Look) -> list[str]:
    r = look.rules
    found = [
        say("{n} have to pay within {span}; otherwise all money goes back.",
            "{span} 内满 {n} 付款即成团，否则全额退款。", n=friends(r.size), span=span(r.minutes)),
        say("A place is held for {span} until it is paid.", "名额保留 {span}，请及时付款。",
            span=span(r.pay_minutes)),
    ]  # fmt: skip
    found += [
        say("From {n} on each piece costs {off} less; the difference comes back.",
            "满 {n} 每件再减 {off}，差价退回。", n=friends(t.people), off=look.money(t.off_minor))
        for t in r.tiers
    ]  # fmt: skip
    if r.leader_bonus:
        found.append(say("Who begins a group that gets complete is given {what}.",
                         "成团后团长可得 {what}。", what=look.reward(r.leader_bonus)))  # fmt: skip
        found += waits(r.hold_days)
    if r.guarantee_from:
        found.append(say("With {n} the merchant completes it at the end, and says so.",
                         "到期满 {n} 由商家保成团，并如实标注。", n=friends(r.guarantee_from)))  # fmt: skip
    return found


def group_answer(look: Look, kind: str, told: Told) -> str:
    if kind == QUIT:
        return say(
            "You have left the group. What you paid goes back.", "已退团，已付款项将退回。"
        )
    return say("Your place is held. Pay to be in.", "名额已为你保留，请付款。")


# tiered invites


def draw_invites(look: Look) -> Scene:
    if look.play is None:
        words = say("Take part", "我要参加")
        return Scene(say("Bring friends who stay, and get a reward at each step.",
                         "邀请好友入群并留下，达标即得奖励。"),
                     buttons=[Button(OPEN, words)] if look.runs else [],
                     steps=_tiers(look, "invites", 0))  # fmt: skip
    s = look.shown
    top = max(tier.invites for tier in look.rules.tiers)
    lead = say("All rewards are reached.", "奖励已全部达成！") if not s["missing"] else say(
        "{n} more who stay bring the next reward.", "再有 {n} 留下即可得下一份奖励。",
        n=friends(s["missing"]))  # fmt: skip
    facts = [(say("Waiting whether they stay", "待确认留存"), str(s["waiting"])),
             (say("Left again", "已离开"), str(s["lost"])),
             (say("Did not count on review", "核查无效"), str(s["void"]))]  # fmt: skip
    return Scene(
        lead, done=min(s["invites"], top), of=top,
        progress=say("{done} of {of} friends stayed", "已留存 {done}/{of} 位好友",
                     done=s["invites"], of=top),
        until=None if s["closed"] else moment(s["ends_at"]),
        until_words=say("Friends count until", "邀请截止"), steps=_tiers(look, "invites", s["invites"]),
        facts=[fact for fact in facts if fact[1] != "0"], share=not s["closed"],
    )  # fmt: skip


def invites_terms(look: Look) -> list[str]:
    r = look.rules
    found = [
        say("Only people who are new here count, each once, for who invited them first.",
            "仅新成员计入，每人只计一次，归最早邀请人。"),
        say("Friends count for {span} from when you take part.", "参加后 {span} 内的邀请有效。",
            span=span(r.minutes)),
    ]  # fmt: skip
    if r.days:
        found.append(say("Who is still here after {span} counts.", "入群满 {span} 仍在群即计入。",
                         span=span(r.days * 1440)))  # fmt: skip
    if r.each:
        found.append(
            say("Each friend brings {what}.", "每邀一人得 {what}。", what=look.reward(r.each))
        )
    return found + waits(r.hold_days)


def invites_answer(look: Look, kind: str, told: Told) -> str:
    return say("You take part. Send your link to friends.", "已参加，快把链接发给好友。")

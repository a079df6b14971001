"""What the record says of members' orders, campaigns and invited friends, in the reader's words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from qunluo.campaigns.models import Campaign
from qunluo.community.models import Community
from qunluo.console.campaigns.words import act_word, amount
from qunluo.console.wording import current_lang
from qunluo.events.models import Event
from qunluo.kit.text import Text

TITLES: dict[str, Text] = {
    "order_created": Text("Ordered", "下了订单"),
    "order_cancelled": Text("An order was called off", "订单已取消"),
    "order_expired": Text("An order was not paid in time", "订单超时未付"),
    "order_fulfilled": Text("The goods of an order went out", "订单已发货"),
    "order_completed": Text("An order was completed", "订单已完成"),
    "payment_returned": Text("A payment that did not count went back", "未入账的付款已退回"),
    "refund_done": Text("A refund arrived", "退款已到账"),
    "refund_failed": Text("A refund did not work", "退款失败"),
    "refund_tried_again": Text("A refund was tried again", "重新发起了退款"),
    "campaign_joined": Text("Began in a campaign", "参加了活动"),
    "campaign_helped": Text("Helped a friend in a campaign", "在活动中帮了好友"),
    "campaign_acted": Text("Took part in a campaign", "参与了活动"),
    "campaign_won": Text("Won a reward", "获得了奖励"),
    "reward_taken_back": Text("A reward was taken back", "奖励被收回"),
    "invite_doubted": Text("Was doubted as a friend who counts", "作为被邀好友存疑"),
    "invite_kept": Text("Counts as an invited friend", "核查后计为被邀好友"),
    "invite_voided": Text("Does not count as an invited friend", "不计为被邀好友"),
    "invite_appealed": Text("Appealed for a friend who did not count", "为不计入的好友申诉"),
    "invite_restored": Text(
        "Counts as an invited friend again, after an appeal", "申诉后重新计为被邀好友"
    ),
    "invite_appeal_refused": Text("An appeal for a friend was refused", "好友申诉未通过"),
}
ACTED = ("campaign_joined", "campaign_helped", "campaign_acted")
REWARDED = ("campaign_won", "reward_taken_back")


def name_campaigns(events: Iterable[Event]) -> dict[int, str]:
    """Names of the campaigns that events speak of, by id."""
    ids = {event.data.get("campaign") for event in events}
    rows = Campaign.objects.filter(pk__in={one for one in ids if isinstance(one, int)})
    return dict(rows.values_list("pk", "name"))


def say_part(event: Event, campaigns: Mapping[int, str], currency: str) -> str:
    """Which campaign and act, how much was won, which order; empty for other events."""
    if event.kind not in TITLES:
        return ""
    data = event.data
    parts = [campaigns.get(data.get("campaign", 0), ""), str(data.get("order", ""))]
    if event.kind in ACTED and data.get("act") not in (None, "open"):
        parts.append(act_word(str(data["act"])))
    if event.kind in REWARDED:
        parts.append(amount(data.get("amount", 0), str(data.get("unit", "")), currency))
    if isinstance(data.get("amount_minor"), int):
        parts.append(amount(data["amount_minor"], currency, currency))
    return " · ".join(part for part in [*parts, str(data.get("why", ""))] if part)


def title_part(kind: str) -> str:
    words = TITLES.get(kind)
    return words(current_lang()) if words else ""


def name_campaign_actors(actors: Iterable[str], community: Community) -> dict[str, str]:
    """ "campaign:3" → its name: what a campaign did by its own rules."""
    ids = {a: a.partition(":")[2] for a in actors if a.startswith("campaign:")}
    wanted = {int(i) for i in ids.values() if i.isascii() and i.isdecimal()}
    rows = Campaign.objects.filter(community=community, pk__in=wanted) if wanted else ()
    return {f"campaign:{row.pk}": row.name for row in rows}

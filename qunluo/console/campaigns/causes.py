"""Why something moved in the ledger, in words: its causes are codes, unique and for machines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from qunluo.commerce.models import Order
from qunluo.community.models import Community
from qunluo.console.wording import current_lang
from qunluo.kit.text import Text

OF_CAMPAIGN: dict[str, Text] = {
    "fund": Text("Budget set aside for “{note}”", "为“{note}”预留预算"),
    "back": Text("What was left of “{note}” came back", "“{note}”剩余预算退回"),
    "grant": Text("A reward of “{note}” was promised", "“{note}”承诺了奖励"),
    "vest": Text("A reward of “{note}” was paid out", "“{note}”发放了奖励"),
    "revoke": Text("A reward of “{note}” was taken back", "“{note}”收回了奖励"),
}
IN_A_PLAY = Text("Somebody took part in “{note}”", "有人参与“{note}”")
PLAIN: dict[str, Text] = {
    "stock": Text("Stock was moved", "库存调整"),
    "capture": Text("Goods of a paid order", "订单付款出库"),
    "refund": Text("Refund {note}", "退款 {note}"),
    "coupon": Text("A coupon was used", "使用优惠券"),
    "expire": Text("It expired", "已过期"),
    "unsettled": Text("Taken back", "已撤回"),
}
PAID = Text("Order {number} was paid", "订单 {number} 已付款")
BACK = Text("Taken back: {what}", "撤回：{what}")
ORDER = re.compile(r"order:(\d{1,18})(:|$)")
Cause = tuple[str, str]  # its code, and the note beside it


def say_causes(community: Community, causes: Sequence[Cause]) -> list[str]:
    """Each in the reader's words; what is unknown is said with its note, or its code at last."""
    numbers = _order_numbers(community, causes)
    return [_say(cause, note, numbers) for cause, note in causes]


def _order_numbers(community: Community, causes: Iterable[Cause]) -> dict[str, str]:
    ids = {found[1] for pair in causes for text in pair if (found := ORDER.match(text))}
    rows = Order.objects.filter(community=community, pk__in=[int(one) for one in ids])
    return {str(pk): number for pk, number in rows.values_list("pk", "number")}


def _say(cause: str, note: str, numbers: dict[str, str]) -> str:
    lang = current_lang()
    kind, _colon, rest = cause.partition(":")
    order = ORDER.match(note) or ORDER.match(cause)
    if order and order[1] in numbers:
        return PAID.format(number=numbers[order[1]])(lang)
    if kind == "campaign":
        words = OF_CAMPAIGN.get(rest.partition(":")[2].partition(":")[0], IN_A_PLAY)
        return words.format(note=note)(lang)
    if kind.startswith("un") and kind not in PLAIN:
        return BACK.format(what=_say(cause.removeprefix("un"), note, numbers))(lang)
    if kind == "stock" and note:
        return note
    known = PLAIN.get(kind)
    return known.format(note=note)(lang) if known else note or cause

"""How figures of a campaign are called, and how each is counted."""

from __future__ import annotations

from qunluo.kit.text import Text

FIGURES: dict[str, tuple[Text, Text]] = {
    "plays": (
        Text("Begun", "参与次数"),
        Text("Bargains, groups or tasks that were begun, and members who take part alone.",
             "已发起的砍价、拼团、任务或参与次数。")),
    "participants": (
        Text("Members who took part", "参与成员"),
        Text("Different members who did something in it, each counted once.",
             "有过任一操作的成员，每人只计一次。")),
    "helps": (
        Text("Helps", "助力次数"),
        Text("Cuts and helps that counted; refused ones don't.",
             "有效的帮砍和助力，被拒绝的不计。")),
    "orders": (
        Text("Orders", "订单"),
        Text("Orders that a play asked for, whatever became of them.",
             "由活动产生的订单，不论结果。")),
    "paid": (
        Text("Paid", "已付款"),
        Text("Money that paid these orders; what came late or twice is not in it.",
             "这些订单的实收款，不含迟到或重复的付款。")),
    "refunds": (
        Text("Refunded", "已退款"),
        Text("Of it, money that was given back, or is on its way back.",
             "其中已退回或正在退回的金额。")),
    "pieces": (
        Text("Pieces sold", "售出件数"),
        Text("Pieces of paid orders, less those that came back onto the shelf.",
             "已付款订单的件数，减去退回入库的件数。")),
    "granted": (
        Text("Rewards promised", "奖励总额"),
        Text("All rewards, whatever became of them.", "全部奖励，不论结果。")),
    "pending": (
        Text("Rewards that wait", "待发放奖励"),
        Text("Promised, covered, and not paid yet.", "已承诺并已预留、尚未发放的奖励。")),
    "given": (
        Text("Rewards paid", "已发放奖励"),
        Text("Paid to members and not taken back.", "已发给成员且未收回的奖励。")),
    "taken_back": (
        Text("Rewards taken back", "已收回奖励"),
        Text("Taken back, before or after they were paid.", "发放前后被收回的奖励。")),
    "funded": (
        Text("Budget funded", "预算注入"),
        Text("Everything that was put at its disposal.", "累计投入该活动的预算。")),
    "reserved": (
        Text("Set aside", "已预留"),
        Text("For plays that run, until they succeed or end.", "为进行中的参与预留，成功或结束后释放。")),
    "spent": (
        Text("Spent", "已花费"),
        Text("Discounts that were used in paid orders.", "已付款订单实际使用的优惠。")),
    "coupons_over": (
        Text("Coupons used or ended", "已用或过期的券"),
        Text("In paid orders, or past their time; what came back is not in it.",
             "已付款订单使用或已过期的券，退回的不计。")),
    "taken_off": (
        Text("Taken off by coupons", "券抵扣金额"),
        Text("From the lines of paid orders with a coupon.", "使用优惠券的已付款订单各行抵扣之和。")),
    "left": (
        Text("Left", "剩余"),
        Text("In the budget and its stores, free for new plays.", "预算和奖池中可用于新参与的部分。")),
    "in_all": (
        Text("In all", "合计"),
        Text("Funded, less what was taken back, with what plays moved in or out: it must be "
             "what is left, set aside, waiting, spent and paid.",
             "注入减去收回，加上参与中转入转出，应等于剩余、预留、待发放、花费与已发放之和。")),
}  # fmt: skip

BOOKS: dict[str, Text] = {
    "deeds": Text("first acts in the record of plays", "操作记录中的首个操作"),
    "record": Text("events of the record", "事件记录"),
    "shop": Text("orders of the shop that name this campaign", "商城中标明来自本活动的订单"),
    "payments": Text("payments that were taken", "已入账的付款"),
    "refunds": Text("refunds of the shop", "商城的退款单"),
    "ledger": Text("entries of the ledger", "账本分录"),
    "snapshots": Text("prices reckoned again from each order's snapshot", "按订单快照重新计价"),
    "balances": Text("balances of the ledger", "账本余额"),
    "sum": Text("the sum of the parts", "各部分之和"),
}

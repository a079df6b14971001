"""What states, roles and verdicts are called."""

from __future__ import annotations

from qunluo.kit.text import Text

STATES: dict[str, Text] = {
    "created": Text("to be paid", "待付款"),
    "paid": Text("paid", "已付款"),
    "fulfilled": Text("sent", "已发货"),
    "completed": Text("completed", "已完成"),
    "cancelled": Text("called off", "已取消"),
    "expired": Text("not paid in time", "超时未付"),
    "refunded": Text("refunded", "已退款"),
}
ROLES: dict[str, Text] = {
    "traffic": Text("brings people in", "引流款"),
    "regular": Text("bought every week", "常规款"),
    "high_margin": Text("earns the most", "利润款"),
    "hit": Text("the hit", "爆款"),
    "seeding": Text("to be tried", "种草款"),
}
PRODUCT_STATES: dict[str, Text] = {
    "draft": Text("draft", "草稿"),
    "on_sale": Text("on sale", "在售"),
    "off_sale": Text("off sale", "已下架"),
}
PHASES: dict[str, Text] = {
    "segment": Text("member price", "会员价"),
    "campaign": Text("campaign", "活动价"),
    "coupon": Text("coupon", "优惠券"),
    "points": Text("points", "积分"),
    "shipping": Text("shipping", "运费"),
}
KINDS: dict[str, Text] = {
    "unit_price": Text("price of a piece", "单件价格"),
    "percent": Text("percent off", "百分比折扣"),
    "amount": Text("amount off", "立减金额"),
}
REFUNDS: dict[str, Text] = {
    "asked": Text("waits to be sent", "等待退款"),
    "sending": Text("is being sent", "退款处理中"),
    "sent": Text("on its way", "退款途中"),
    "by_hand": Text("to be sent by hand", "待人工退款"),
    "done": Text("done", "已退款"),
    "failed": Text("failed", "退款失败"),
}
VERDICTS: dict[str, Text] = {
    "taken": Text("pays the order", "已入账"),
    "late": Text("came too late, goes back", "付款过晚，已退回"),
    "twice": Text("was paid before, goes back", "重复付款，已退回"),
    "wrong_amount": Text("not the amount, goes back", "金额不符，已退回"),
}
PROVIDERS: dict[str, Text] = {
    "sandbox": Text("play money", "模拟付款"),
    "offline": Text("bank transfer", "银行转账"),
    "wechat": Text("WeChat Pay", "微信支付"),
}

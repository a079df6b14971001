"""What a figure may need, and which file would bring it."""

from __future__ import annotations

from qunluo.insight.figures import Need
from qunluo.kit.text import Text

NEED_WORDS: dict[Need, Text] = {
    "staff": Text(
        "Add --staff with a list of the brand's accounts (account, role).",
        "请用 --staff 提供品牌方账号名单（account、role 两列）。",
    ),
    "roster": Text(
        "Add --roster with the members of each group (group_id, member_id, joined_at, left_at).",
        "请用 --roster 提供群成员名单（group_id、member_id、joined_at、left_at）。",
    ),
    "orders": Text(
        "Add --orders with one row an order (customer_id, member_id, paid_at, amount).",
        "请用 --orders 提供订单表（customer_id、member_id、paid_at、amount）。",
    ),
    "corporate": Text(
        "Add --corporate with the corporate status of accounts (account, corporate, vendor), "
        "or these columns to the roster.",
        "请用 --corporate 提供账号的企业认证状态（account、corporate、vendor），或在成员名单中加入这些列。",
    ),
    "joins": Text(
        "The export carries no joins; add --roster with joined_at and left_at.",
        "导出文件不含入群记录；请用 --roster 提供 joined_at 与 left_at。",
    ),
    "replies": Text(
        "The export carries no replies; an export of a platform that keeps them would do.",
        "导出文件不含回复关系；请使用保留回复关系的平台导出。",
    ),
    "threads": Text(
        "The export has no topics or threads.",
        "导出文件没有话题或讨论串。",
    ),
    "text": Text("The export carries no message text.", "导出文件不含消息文字。"),
    "reactions": Text(
        "The export carries no reactions.",
        "导出文件不含表情回应。",
    ),
}

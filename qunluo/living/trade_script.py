"""What the sample's shop sells, and what its campaigns are. All made up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Size:
    """A variant: prices in minor units, and how many pieces there are at first."""

    sku: str
    title: str
    list_minor: int
    cost_minor: int
    stock: int


@dataclass(frozen=True)
class Goods:
    title: str
    role: str
    text: str
    sizes: tuple[Size, ...]


SHOP = (
    Goods("桂花拿铁", "hit", "秋天的招牌：现熬桂花酱，少糖也香。到店自取。", (
        Size("LATTE-M", "中杯", 28_00, 9_00, 160), Size("LATTE-L", "大杯", 32_00, 10_50, 120),
    )),
    Goods("冷萃", "traffic", "冷水慢萃十二小时，干净清爽。", (
        Size("COLD-M", "中杯", 19_00, 5_00, 150),
    )),
    Goods("手冲豆子 · 云南保山", "high_margin", "每周三新鲜烘焙，红糖、柑橘与一点坚果。", (
        Size("BEAN-200", "200 g", 68_00, 28_00, 60), Size("BEAN-500", "500 g", 148_00, 64_00, 30),
    )),
    Goods("挂耳咖啡", "regular", "十片装，放在办公室抽屉里。", (
        Size("DRIP-10", "十片装", 39_00, 15_00, 140),
    )),
    Goods("黄油可颂", "regular", "每天早上七点半出炉，卖完就没有了。", (
        Size("CROIS", "", 16_00, 6_00, 120),
    )),
    Goods("会员马克杯", "seeding", "自带它来店里，每杯减两元。", (
        Size("MUG-W", "米白", 59_00, 24_00, 40), Size("MUG-B", "墨黑", 59_00, 24_00, 40),
    )),
)  # fmt: skip
DELIVERY, RESTOCKED = "首批到货（示例）", "补货（示例）"
LOW, MORE = 15, 60  # below so many pieces, so many more are brought

COUPON, TASTE = "老友五元券", "桂花尝鲜券"


@dataclass(frozen=True)
class Planned:
    """A campaign that began so many days ago, for so many days; `again`: when it is over,
    there is a next one. `group`: the code of where it is shown; none: everywhere."""

    name: str
    mechanic: str
    goal: str
    ago: int
    days: int
    rules: Mapping[str, Any]
    group: str = ""
    again: bool = True
    reasons: Mapping[str, str] = field(default_factory=dict)


INSIDE = {"wechat_sharing": "只在社群和网页群聊里做，不发外链"}
FRIENDS = "sample-friends"


def _points(amount: int) -> dict[str, Any]:
    return {"unit": "points", "amount": amount}


CAMPAIGNS = (
    Planned(TASTE, "coupon", "让没喝过桂花拿铁的人尝一杯", 11, 7, {
        "name": TASTE, "total": 60, "off_minor": 3_00, "threshold_minor": 20_00,
        "scope": ("LATTE-M", "LATTE-L"), "valid_days": 5,
    }, again=False),
    Planned("早安打卡", "check_in", "每天来看一眼，看见新鲜事", 6, 20, {
        "reward": _points(5), "cycle_days": 7, "cards": 2, "days": 21, "members": 150,
        "cycle": ({"days": 3, "reward": _points(10)}, {"days": 7, "reward": _points(30)}),
    }, FRIENDS, reasons=INSIDE),
    Planned(COUPON, "coupon", "让一周没来的老友再来一杯", 3, 8, {
        "name": COUPON, "total": 120, "off_minor": 5_00, "threshold_minor": 25_00,
        "valid_days": 7,
    }),
    Planned("三位好友助力换券", "assist", "让老友把社群讲给朋友听", 2, 7, {
        "tiers": ({"helps": 3, "reward": {"unit": f"coupon:{COUPON}", "amount": 1}},
                  {"helps": 6, "reward": _points(60)}),
        "tasks": 30, "minutes": 48 * 60,
    }, FRIENDS, reasons=INSIDE),
    Planned("挂耳三人团", "group_buy", "拼着买更划算，也认识两位新朋友", 1, 7, {
        "prices": ({"sku": "DRIP-10", "price_minor": 29_00},), "size": 3, "minutes": 24 * 60,
        # on the sample's clock: ten minutes of a visitor's
        "pay_minutes": 120, "quantity_most": 2, "groups_each": 3, "groups": 40,
        "leader_bonus": _points(20), "hold_days": 2,
    }, FRIENDS, reasons=INSIDE),
)  # fmt: skip
NEXT = "{name}（第 {n} 期）"

REGRETS = ("点错门店了", "下单买重了", "临时有事来不及取", "想换成大杯")
CALLED_OFF = "买家取消"

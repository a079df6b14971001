"""What the sample community wished for, met for and had to cope with. All made up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time

from qunluo.sample import words

TRADE = words.TRADES[0]  # coffee
GOODS = TRADE.goods
STORES = words.PLACES[:4]
PRICE = 28_00  # of one cup, in minor units

PROMISES = (  # what was promised, every how many days, and when somebody last spoke to them
    ("年卡会员：每周一次口味回访", 7, 2), ("年卡会员：每周一次口味回访", 7, 9),
    ("企业团购对接", 14, 0), ("手冲课程学员：课后跟进", 10, 0), ("储值会员：月度专属推荐", 30, 5),
    ("年卡会员：每周一次口味回访", 7, 0), ("生日月会员：专属问候", 30, 0),
)  # fmt: skip
EXCHANGES = (
    "电话回访，最近加班多，推荐了低因豆，挺喜欢。", "到店聊了十分钟，想学拉花，已推荐周末课程。",
    "微信一对一确认了团购口味和配送时间。",
)  # fmt: skip


@dataclass(frozen=True)
class Wanted:
    """A wish: made so many days ago, with so many votes besides its maker's."""

    title: str
    text: str
    days: float
    votes: int


WISHES = (
    Wanted("早上七点开门", "上班前想带一杯走，八点开门来不及。", 18, 14),
    Wanted("自带杯减两块", "环保一点，也给自带杯的人一点鼓励。", 16, 11),
    Wanted("出小杯装", "下午喝大杯睡不着，想要小杯。", 13, 9),
    Wanted("小杯尺寸", "希望所有拿铁都有小杯。", 11, 4),
    Wanted("滨江店加充电插座", "", 9, 6),
    Wanted("每月一次豆子盲测", "大家一起喝一起猜，输的请客。", 6, 8),
    Wanted("外送范围扩大到大学城", "", 4, 3),
    Wanted("出无糖桂花拿铁", "控糖，但很想喝桂花味。", 2, 5),
)
SAME = (("出小杯装", "小杯尺寸"),)
ANSWERED = (  # title, what becomes of it, the answer, days ago
    ("自带杯减两块", "campaign", "从下周一开始，自带杯减两元，四家门店都可用。", 6),
    ("出小杯装", "product", "小杯拿铁下周上架，先在滨江店试卖两周。", 4),
    ("滨江店加充电插座", "no", "滨江店的电路今年不能再加插座，明年装修时一并改造。", 3),
)


@dataclass(frozen=True)
class Planned:
    """A gathering so many days from now (negative: before), at a local hour."""

    title: str
    text: str
    place: str
    days: float
    hour: int
    capacity: int
    guests: int
    came: int = 0
    online: bool = False


GATHERINGS = (
    Planned("手冲入门体验课", "带上你的杯子，从磨豆到注水走一遍。", "栖木咖啡滨江店二楼", -5, 14, 10, 12, 8),
    Planned("拉花小课堂", "一小时学会爱心，材料已备好。", "栖木咖啡湖畔店", 3, 15, 8, 10),
    Planned("线上：怎样挑一包新鲜的豆子", "主理人直播答疑，可回看。", "https://live.example/beans", 6, 20,
            60, 9, online=True),
)  # fmt: skip
FOLLOW_UP = "谢谢你来！照片和冲煮参数已放在群文件里。"
MISSED_YOU = "这次没见到你，下一场还给你留位置。"

TESTIMONIES = (  # what was said, days ago, and what became of it (a reason: not shown)
    ("连喝三周桂花拿铁，同事都被我种草了，回购第四次。", 10, "approved"),
    ("挂耳带去出差，酒店里也能喝到一样的味道，推荐深烘。", 7, "approved"),
    ("上过体验课之后在家冲得稳定多了，谢谢店长小栗。", 3, "approved"),
    ("豆子很新鲜，就是配送晚了一天，整体满意。", 1.5, ""),
    ("比某某家好喝一百倍，他们家的千万别买！", 5, "提到了其他品牌，改一下措辞就能展示"),
)  # fmt: skip

EVERY_DAY = (0, 1, 2, 3, 4, 5, 6)
ROTA = ((time(8, 30), time(9, 30), EVERY_DAY), (time(20, 0), time(21, 0), EVERY_DAY))
NOTES = (
    "无异常。", "有两条问题没人答，已补上。", "新人较多，欢迎语都发了。", "有人发外链，已提醒。",
)  # fmt: skip


@dataclass(frozen=True)
class Trouble:
    """An incident that somebody reported; `outcome` where it is over."""

    why: str
    group: str
    days: float
    notes: tuple[str, ...] = ()
    outcome: str = ""


INCIDENTS = (
    Trouble("滨江店冷柜断电，三位群友买到口感异常的冷萃", "咖啡老友群", 9,
            ("联系门店停售当批冷萃，核对订单共 11 单。", "逐一私信道歉并退款。"),
            "当批 11 单全部退款，冷柜已更换，群内说明后无新增反馈。"),
    Trouble("午间出杯慢，多位邻居抱怨等了半小时以上", "滨江店邻里群", 0.15,
            ("已问过门店：一台磨豆机在维修，今天下午恢复。",)),
)  # fmt: skip

"""What the sample community is: its groups, its codes, what is known there. All made up."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from random import Random
from typing import Any

from qunluo.community.rules import Role
from qunluo.sample import words
from qunluo.sample.texts import CODE, text_pool

NAME = "栖木咖啡会员社群（示例）"
TRADE = 0  # coffee
STAFF: tuple[tuple[str, Role, str], ...] = (
    ("lin", "operator", "店长小栗"),
    ("zhou", "moderator", "福利官阿舟"),
)
OWNER = ("alice", "主理人 Alice")
RULES = "1. 友好交流，不发广告和外部链接\n2. 不私加群友\n3. 售后问题请@店长"
WELCOME = "欢迎 {name} 来到{group}！{gives}。入群请看群规，昵称改成「城市-昵称」方便认识～"
CITIES = ("杭州", "上海", "苏州", "南京", "宁波", "成都", "广州", "北京", "武汉", "厦门")
TEMPLATE = "{city}-{nick}"


@dataclass(frozen=True)
class Planned:
    """A group to be founded; `share` of the history's members are in it."""

    name: str
    code: str
    purpose: str
    share: float
    talk: float  # messages a day in it
    more: dict[str, Any] = field(default_factory=dict)


GROUPS = (
    Planned("咖啡老友群", "sample-friends", "老顾客聊天、反馈和第一时间知道新品", 0.5, 70, {
        "gives": "每周三有群友专享价", "audience": "买过三次以上的顾客",
        "success": "每周有一半的群友说话", "nickname": TEMPLATE, "welcome": WELCOME,
        "rules": RULES, "pinned": [{"title": "周三群友价", "text": "拿铁第二杯半价，报群昵称即可。"}],
    }),
    Planned("新客尝鲜群", "sample-newcomers", "让第一次来的人喝到第二杯", 0.45, 40, {
        "blueprint": "traffic",
        "gives": "新人第二杯半价", "audience": "扫杯套二维码的新顾客", "nickname": TEMPLATE,
        "goal": {"members": 180}, "welcome": WELCOME, "rules": RULES, "capacity": 180,
    }),
    Planned("手冲爱好者", "sample-pourover", "一起冲得更好喝", 0.18, 25, {
        "blueprint": "topic",
        "gives": "每月一支新豆试饮", "audience": "在家手冲的人", "rules": RULES,
        "welcome": "欢迎 {name}！说说你用什么磨豆机？",
    }),
    Planned("滨江店邻里群", "sample-riverside", "滨江店三公里内的邻居", 0.15, 15, {
        "blueprint": "store",
        "gives": "雨天免配送费", "audience": "滨江店附近的居民和上班族", "lat": 30.2084,
        "lon": 120.2120, "rules": RULES, "welcome": "欢迎邻居 {name}～",
        "gate": {"kind": "near", "lat": 30.2084, "lon": 120.2120, "km": 3, "store": "滨江店"},
    }),
    Planned("新品内测群", "sample-tasting", "新品上架前听到真话", 0.08, 10, {
        "gives": "新品上架前免费试喝", "audience": "愿意认真写反馈的人", "rules": RULES,
        "welcome": "欢迎 {name} 加入内测，喝完记得说实话！", "gate": {"kind": "approval"},
        "capacity": 30,
    }),
    Planned("老友引荐群", "sample-invited", "让老友带来合得来的新朋友", 0.1, 12, {
        "gives": "引荐双方各得一张中杯券", "audience": "由群友邀请的人", "rules": RULES,
        "welcome": "欢迎 {name}，替我们谢谢带你来的朋友！", "gate": {"kind": "invited"},
    }),
)  # fmt: skip

TAGS = {  # group → one only, tags
    "兴趣": (False, ("手冲", "拿铁", "甜点", "冷萃")),
    "生命周期": (True, ("新客", "常客", "沉睡")),
    "门店": (True, words.PLACES[:4]),
}
POUROVER_TAG = "手冲"
CODES = (  # code, name, groups it leads to
    ("cup", "杯套二维码", ("sample-newcomers",)),
    ("receipt", "小票二维码", ("sample-newcomers", "sample-friends")),
    ("poster", "滨江店海报", ("sample-newcomers", "sample-friends")),
    ("mini", "小程序首页", ()),
)
REPLIES = (  # how, pattern, answer
    ("contains", "几点关门", "各门店营业时间为每天 8:00–21:00。"),
    ("contains", "积分在哪里", "打开小程序，点“我的”就能看到积分。"),
    ("contains", "怎么下单", "小程序首页选门店后即可下单，群友价下单时会自动出现。"),
    ("regex", r"(WiFi|wifi|无线)", "店里 WiFi 叫 qimu-guest，密码在小票上。"),
)
ANSWERS = (
    "您好，问过门店了，今天还有，建议提前在小程序下单～", "这个可以的，备注一下就行。",
    "您好，建议冷藏，三天内喝完风味最好。", "已经帮您记下啦，有消息在群里说。",
    "可以预约的，点小程序里的门店就能看到时间。", "抱歉让您久等，请私信订单号，马上核实。",
)  # fmt: skip
SPAM = (
    "免费领取茅台一瓶，加微信 maotai8866 仅限今天", "兼职刷单日结300，稳定靠谱，加V：kx77889",
    "低价办理各类贷款，无抵押当天放款，联系 13800000000",
    "点击领取红包 http://hongbao.example/claim?x=1 手慢无",
    "代购全网最低价，批发价出货，加我微信 dg-5566",
    "扫码进群抢优惠 https://t.example/q1 先到先得",
)  # fmt: skip
APPEALS = (
    "我只是想分享一下，不知道不能发链接，下次不会了", "这条是别人发给我让我转的，我不是卖东西的",
    "误会了，我说的是我自己家的店员，不是广告",
)  # fmt: skip
EMOJI = ("👍", "❤️", "😂", "🎉", "☕")


@cache
def _texts(purpose: str) -> tuple[str, ...]:
    pool = text_pool()
    start, size = pool.start[TRADE, CODE[purpose]], pool.size[TRADE, CODE[purpose]]
    return tuple(pool.texts.slice(int(start), int(size)).to_pylist())


def line(random: Random, purpose: str) -> str:
    """Something somebody says, of `sample.texts.PURPOSES`."""
    return random.choice(_texts(purpose))


def person(random: Random) -> str:
    """A made-up nickname."""
    return random.choice(words.FIRST) + random.choice(words.SECOND) + random.choice(words.MARKS)

"""What is not welcome, seen by small pure functions: each says how sure it is, by which words.

A detector takes the text, what surrounds it and the options of its rule, and gives a `Finding`
or None. `DETECTORS` names them; `classifier` is a room of its own.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from qunluo.groups.talk import Example
from qunluo.kit.text import Text


@dataclass(frozen=True)
class Finding:
    """One detector's evidence; `score` is how likely the message is unwelcome, 0 to 1."""

    detector: str
    score: float
    words: tuple[str, ...]
    why: Text
    hold: bool = False  # wait for a moderator instead of a step on the ladder

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "words": list(self.words), "score": round(self.score, 4)}


@dataclass(frozen=True)
class Around:
    """What surrounds a message: who speaks, how long they are here, what they said just now."""

    name: str = ""
    staff: tuple[str, ...] = ()  # names that staff are shown by
    own_hosts: tuple[str, ...] = ()  # whose links are ours
    minutes_here: float = 1e9
    newcomer_minutes: float = 24 * 60
    said_in_minute: int = 0  # this message not counted
    same_in_ten_minutes: int = 0  # the same text, in any group
    groups_with_same: int = 0
    lessons: tuple[Example, ...] = ()  # what moderators decided
    options: Mapping[str, Any] = field(default_factory=dict)  # of the rule

    @property
    def is_newcomer(self) -> bool:
        return self.minutes_here < self.newcomer_minutes


Detector = Callable[[str, Around], Finding | None]


def tidy(text: str) -> str:
    """The text as it is compared: wide signs narrow, invisible signs gone, small letters."""
    wide = unicodedata.normalize("NFKC", text).casefold()
    return "".join(sign for sign in wide if unicodedata.category(sign) != "Cf")


def digest(text: str) -> int:
    """The same for texts that differ in blanks, signs and case only; 63 bits."""
    core = re.sub(r"[\W_]+", "", tidy(text)) or tidy(text)
    return int.from_bytes(blake2b(core.encode(), digest_size=8).digest()) >> 1


# links

_TLD = (
    "com|cn|net|org|info|biz|top|xyz|vip|shop|club|site|online|live|work|cc|co|io|me|tv|ru|tk|"
    "app|dev|link|store|win|bid|icu|fun|pro|mobi|ly|gl|in|us|uk|hk|tw|example"
)
_HOST = rf"(?:[a-z0-9\u4e00-\u9fff](?:[a-z0-9-]{{0,61}}[a-z0-9])?\.){{1,6}}(?:{_TLD})"
_LINK = re.compile(
    rf"(?:https?://|//|www\.)(?P<long>[^\s/?#，。！、）)】]{{1,200}})"
    rf"|(?<![a-z0-9@.-])(?P<bare>[a-z0-9][a-z0-9-]{{0,62}}(?:\.[a-z0-9][a-z0-9-]{{0,62}}){{0,4}}\.(?:{_TLD}))(?![a-z0-9.-])"
)
_DOTS = re.compile(
    r"(?<=[a-z0-9])\s*(?:[。｡●]|\[?\(?(?:dot|点)\)?\]?)\s*(?=(?:" + _TLD + r")\b)"
)


def hosts(text: str) -> list[str]:
    """The hosts that a text links to, hidden dots (`shop点com`) included."""
    plain = _DOTS.sub(".", tidy(text))
    found = (match["long"] or match["bare"] for match in _LINK.finditer(plain))
    names = (host.rpartition("@")[2].partition(":")[0].strip(".") for host in found)
    return list(dict.fromkeys(name for name in names if "." in name))


def _is_own(host: str, own: Sequence[str]) -> bool:
    return any(host == name or host.endswith(f".{name}") for name in map(str.casefold, own))


def find_links(text: str, around: Around) -> Finding | None:
    """Links that lead elsewhere; from a newcomer they wait for a moderator."""
    own = (*around.own_hosts, *around.options.get("allowed", ()))
    foreign = tuple(host for host in hosts(text) if not _is_own(host, own))
    if not foreign:
        return None
    if around.is_newcomer:
        why = Text("A link from somebody who has just come.", "新成员发送了外部链接。")
        return Finding("links", 0.55, foreign, why, hold=True)
    why = Text("A link that leads elsewhere.", "含有外部链接。")
    return Finding("links", 0.35, foreign, why)


# words


@lru_cache(maxsize=200)
def _any_of(words: tuple[str, ...]) -> re.Pattern[str]:
    """Any of the words; Latin ones only whole."""
    return re.compile("|".join(_word(tidy(word)) for word in words if word.strip()) or r"(?!)")


def _word(word: str) -> str:
    edge = r"(?<![a-z0-9])" if word[:1].isascii() and word[:1].isalnum() else ""
    end = r"(?![a-z0-9])" if word[-1:].isascii() and word[-1:].isalnum() else ""
    return edge + re.escape(word) + end


def _hits(pattern: re.Pattern[str], text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(match[0].strip() for match in pattern.finditer(text)))


_CARD = re.compile(
    r"(?:加|\+|➕|扫|私|联系|咨询|微|薇|威|v)[^，。！\n]{0,6}?(?:微信|薇信|威信|vx|v信|wx|weixin|qq|扣扣|企鹅|"
    r"二维码|名片|小助手|我好友|我私聊)"
    r"|(?:微信|薇信|威信|vx|v信|wx|weixin|wechat|qq|扣扣|企鹅群|telegram|whatsapp|电报群)\s*(?:号|id|群)?\s*[::]?\s*"
    r"(?:[a-z][-_a-z0-9]{5,19}|\d{6,12})"
    r"|(?:扫|长按|识别)[^，。！\n]{0,6}二维码"
    r"|(?:add|dm|text|message|contact)\s+me\s+on\s+(?:wechat|telegram|whatsapp|line|signal)"
    r"|scan\s+(?:the|this|my)\s+(?:qr|code)"
    r"|推送了?(?:一张)?(?:名片|个人名片)|\[(?:名片|二维码|contact card|qr code)\]"
)


def find_cards(text: str, around: Around) -> Finding | None:
    """Words of a QR code or a contact card: somebody leads people away."""
    words = _hits(_CARD, tidy(text))
    why = Text("Asks people to add a private contact or scan a code.", "引导加私人微信或扫码。")
    return Finding("cards", 0.75, words[:5], why) if words else None


_AD_WORDS = (
    "兼职", "刷单", "日结", "日赚", "日入", "月入", "月入过万", "躺赚", "稳赚", "稳赚不赔", "包赚",
    "内部消息", "带单", "跟单", "股票群", "荐股", "牛股", "涨停", "博彩", "彩票计划", "棋牌", "下注",
    "返利", "返佣", "高佣", "招代理", "招商加盟", "代理加盟", "一手货源", "厂家直销", "微商", "贷款",
    "秒批", "秒到账", "低息", "无抵押", "套现", "信用卡提额", "代开发票", "开发票", "办证", "代办",
    "a货", "高仿", "复刻", "正品代购", "减肥产品", "祖传秘方", "壮阳", "约炮", "裸聊", "名额有限",
    "先到先得", "点击链接", "免费领取", "免费领", "限时抢购", "加群", "进群", "拉群", "引流", "推广",
    "涨粉", "刷粉", "出售账号", "优惠券群", "内部价", "usdt", "虚拟币", "炒币", "配资", "网赚",
    "work from home", "earn money", "easy money", "passive income", "guaranteed profit", "casino",
    "crypto signals", "trading signals", "forex", "double your", "limited offer", "act now",
    "click here", "click the link", "free gift", "cash prize", "no deposit", "loan approved",
    "cheap followers", "replica", "investment opportunity", "make $", "per day from",
)  # fmt: skip
_MONEY = re.compile(
    r"(?:日|天|月|周|小时)\s*(?:赚|入|收入|薪|结)\s*[^，。\n]{0,4}\d{2,}|\d{3,}\s*[-~至到]\s*\d{3,}\s*[元/块]"
    r"|[$￥¥]\s?\d{3,}\s*(?:/|a|per)\s*(?:day|hour|week)|\d{2,3}%\s*(?:返|profit|return|回报)"
)


def find_ads(text: str, around: Around) -> Finding | None:
    """Words of advertising; each further one makes it surer."""
    plain = tidy(text)
    words = _hits(_any_of(_AD_WORDS), plain) + _hits(_MONEY, plain)
    if not words:
        return None
    score = min(0.3 + 0.22 * (len(words) - 1), 0.85)
    return Finding("ads", score, words[:8], Text("Words of advertising.", "含有广告用语。"))


def find_banned(text: str, around: Around) -> Finding | None:
    """Words that the community does not want, blanks and signs between them ignored."""
    wanted = tuple(str(word) for word in around.options.get("words", ()))
    plain = tidy(text)
    words = _hits(_any_of(wanted), plain) or _hits(_any_of(wanted), _chinese(plain))
    why = Text("A word that this community does not want.", "含有本社群禁用的词语。")
    return (
        Finding("banned", float(around.options.get("score", 0.7)), words, why)
        if words
        else None
    )


def _chinese(plain: str) -> str:
    """Only the Chinese signs, so that “广 告” is read as “广告”."""
    return "".join(sign for sign in plain if "\u3400" <= sign <= "\u9fff")


# behaviour


def find_floods(text: str, around: Around) -> Finding | None:
    """Too much in a minute, or the same again and again, in one group or across groups."""
    most = int(around.options.get("per_minute", 10))
    same = int(around.options.get("same", 3))
    if around.said_in_minute >= most:
        score = min(0.5 + 0.05 * (around.said_in_minute - most), 0.8)
        return Finding("floods", score, _count(around.said_in_minute), _MANY)
    if around.groups_with_same >= 2 and len(text) >= 8:
        return Finding("floods", 0.8, _count(around.groups_with_same), _EVERYWHERE)
    if around.same_in_ten_minutes >= same and len(text) >= 4:
        return Finding("floods", 0.6, _count(around.same_in_ten_minutes), _AGAIN)
    return Finding("floods", 0.5, (text[:1],), _ONE_SIGN) if _RUN.search(text) else None


def _count(before: int) -> tuple[str]:
    return (str(before + 1),)


_RUN = re.compile(r"(\S)\1{49}")
_MANY = Text("Many messages in a minute.", "一分钟内连发多条。")
_EVERYWHERE = Text("The same text in several groups.", "在多个群发送相同内容。")
_AGAIN = Text("The same text again and again.", "反复发送相同内容。")
_ONE_SIGN = Text("One sign, many times.", "大量重复同一个字符。")

_LOOKALIKE = str.maketrans(
    "0125i|\u0430\u0435\u043e\u0440\u0441\u0445", "olzsllaeopcx"
)  # and Cyrillic
_OFFICE = (
    "官方客服",
    "群主",
    "管理员",
    "官方",
    "客服",
    "admin",
    "official support",
    "moderator",
)


def _plain_name(name: str) -> str:
    return re.sub(r"[\W_]+", "", tidy(name)).translate(_LOOKALIKE)


def find_impersonation(text: str, around: Around) -> Finding | None:
    """A member whose name looks like that of the staff, or who claims an office."""
    mine = _plain_name(around.name)
    taken = [name for name in around.staff if _plain_name(name) == mine and mine]
    if taken:
        why = Text("Bears a name of the staff.", "名字与工作人员相同。")
        return Finding("impersonation", 0.75, (around.name,), why)
    office = _hits(_any_of(_OFFICE), tidy(around.name))
    why = Text("The name claims an office in the group.", "名字冒充群管理或客服。")
    return Finding("impersonation", 0.5, office, why) if office else None


DETECTORS: dict[str, Detector] = {
    "links": find_links, "cards": find_cards, "ads": find_ads, "banned": find_banned,
    "floods": find_floods, "impersonation": find_impersonation,
}  # fmt: skip
"""The rules' names; `classifier` comes besides."""

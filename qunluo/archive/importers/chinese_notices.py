"""What WeChat and QQ write into a group when somebody joins, leaves or is removed.

The texts are the only trace of these events in exports of both. Names stand in quotation marks
(WeChat) or bare (QQ).
"""

# ruff: noqa: E501  (one wording is one line)

from __future__ import annotations

import re
from dataclasses import dataclass

from qunluo.archive.schema import EventKind

YOU = "你"
LONGEST_NOTICE = 2000


@dataclass(frozen=True)
class Notice:
    """What a text says; kind `notice` where nothing happened to a membership."""

    kind: EventKind
    raw_kind: str
    subjects: tuple[str, ...] = ()
    actor: str | None = None
    new_name: str | None = None


_GROUP = "(?:本群|群聊|该群|群|了?群组)"
_S, _A = "(?P<s>.+?)", "(?P<a>.+?)"
_OPEN, _SHUT = '[“"「]?', '[”"」]?'

_RULES: tuple[tuple[EventKind, str, str], ...] = (
    ("notice", "welcome", "欢迎.+(?:加入|进入|入群).*"),
    ("join", "qr", f"{_S}(?:通过|透过)扫描{_A}分享的二维码(?:加入|进入)(?:了)?{_GROUP}.*"),
    ("join", "qr", f"{_S}通過掃描{_A}分享的(?:QR Code|二維碼|行動條碼)加入(?:了)?(?:本群|群聊|群組).*"),
    ("join", "qr", f"{_S} joined (?:the )?group(?: chat)? via (?:the )?QR [Cc]ode shared by {_A}"),
    ("join", "link", f"{_S}通过{_A}(?:分享|发送|发出)?的(?:邀请)?(?:链接|邀请)(?:加入|进入)(?:了)?{_GROUP}.*"),
    ("join", "invited", f"{_A}(?:邀请|邀請){_S}(?:加入|进入|進入)(?:了)?(?:{_GROUP}|群組).*"),
    ("join", "invited", f"{_A} invited {_S} to (?:join )?(?:the )?group(?: chat)?.*"),
    ("join", "invited", f"{_S}(?:接受|同意)(?:了)?{_A}的(?:入群)?邀请(?:，|,)?(?:加入|进入)(?:了)?{_GROUP}.*"),
    ("join", "approved", f"(?:管理员|群主){_A}(?:已)?同意(?:了)?{_S}(?:加入|进入|的入群申请).*"),
    ("join", "added", f"{_A}(?:将|把){_S}(?:添加|拉|加)(?:到|进|入)(?:了)?{_GROUP}"),
    ("join", "join", f"{_S}?(?:已|刚刚)?(?:加入|进入|進入)(?:了)?(?:{_GROUP}|群組).*"),
    ("join", "join", f"{_S} joined (?:the )?group(?: chat)?"),
    ("remove", "remove", f"{_S}(?:已)?被(?:管理员|群主)?{_A}(?:移出|踢出|请出|移出了|踢出了){_GROUP}.*"),
    ("remove", "remove", f"{_S}?(?:已)?被(?:移出|踢出|请出|移除)(?:了)?(?:{_GROUP})?"),
    ("remove", "remove", f"(?:管理员|群主)?{_A}(?:已)?(?:将|把|將){_S}(?:移出|踢出|请出|移除出)(?:了)?(?:{_GROUP}|群組).*"),
    ("remove", "remove", f"{_A} removed {_S} from (?:the )?group(?: chat)?"),
    ("leave", "leave", f"{_S}?(?:已|主动)?(?:退出|离开|離開)(?:了)?(?:{_GROUP}|群組)"),
    ("leave", "leave", f"{_S} left (?:the )?group(?: chat)?"),
    ("notice", "recall", f"{_A}(?:撤回|收回)(?:了)?.{{0,12}}消息.*"),
    ("notice", "recall", f"{_A} recalled a message.*"),
    ("notice", "poke", f"{_A}(?:拍了拍|戳了戳|戳一戳|捏了捏).*"),
    ("notice", "subject", f"{_A}(?:修改|更改)(?:了)?(?:群名|群聊名称|群名称)(?:为|成)?{_OPEN}(?P<n>.+?){_SHUT}"),
    ("notice", "subject", f"{_A} changed the group name to {_OPEN}(?P<n>.+?){_SHUT}"),
    ("notice", "announcement", f"{_A}(?:发布|修改|更新)(?:了)?(?:新的?)?群公告.*"),
)  # fmt: skip

_COMPILED = tuple(
    (kind, raw, re.compile(rf"{rule}[。.！!~]?", re.S)) for kind, raw, rule in _RULES
)
_KEYS = re.compile(
    "加入|进入|進入|入群|邀请|邀請|拉进|添加|移出|踢出|请出|移除|退出|离开|離開|撤回|收回|拍|戳|捏"
    "|群名|名称|公告|joined|invited|removed|left|recalled|changed"
)


def read_notice(text: str) -> Notice:
    """What a notice says, with the names as shown."""
    bare = _tidy(text)
    if len(bare) <= LONGEST_NOTICE and _KEYS.search(bare):
        for kind, raw_kind, pattern in _COMPILED:
            if found := pattern.fullmatch(bare):
                return _notice(kind, raw_kind, found.groupdict())
    return Notice("notice", "system")


def _notice(kind: EventKind, raw_kind: str, parts: dict[str, str | None]) -> Notice:
    actor = _names(parts.get("a"))[:1]
    return Notice(
        kind,
        raw_kind,
        subjects=_names(parts.get("s")),
        actor=actor[0] if actor else None,
        new_name=parts.get("n"),
    )


def _tidy(text: str) -> str:
    text = re.sub("<[^<>]{1,200}>", "", text)  # links that some exports leave in
    return re.sub(r"\s+", " ", text).strip()


def _names(text: str | None) -> tuple[str, ...]:
    """`"小红、小明"` and `"小红"、"小明"` are two people."""
    if not text:
        return ()
    pieces = re.split(r"[、，]", re.sub('[“”"「」]', "", text))
    names = [re.sub(r"^(?:管理员|群主)", "", piece.strip()).strip() for piece in pieces]
    return tuple(_you(name) for name in names if name)


def _you(name: str) -> str:
    return YOU if name.casefold() in ("你", "您", "我", "you") else name

"""QQ's own text export: a heading, then for each message one line with its head and its body.

    消息记录（此消息记录为文本格式，不支持重新导入）
    消息对象:福利群
    2019-07-16 18:15:05 【管理员】地瓜(23333)
    大家好

Local time without zone. The account stands in brackets: a number, or a mail address in `<>`.
One file may hold several groups, each under its own 消息对象.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from qunluo.archive.importers.base import Batch, Options, Rows, Source, micros
from qunluo.archive.importers.chinese_notices import read_notice
from qunluo.archive.importers.lines import TOO_LONG, Line, first_lines, lines
from qunluo.archive.importers.named_people import NamedEvents, People
from qunluo.kit.text import Text

HEAD = re.compile(
    r"(?P<at>\d{4}-\d{1,2}-\d{1,2} {1,2}\d{1,2}:\d{2}:\d{2}) (?P<title>(?:【[^】]{1,20}】)?)"
    r"(?P<name>.*?)(?:[(（](?P<number>\d{4,12})[)）]|<(?P<mail>[^<>\s]+@[^<>\s]+)>)\s*"
)
SYSTEM_HEAD = re.compile(
    r"(?P<at>\d{4}-\d{1,2}-\d{1,2} {1,2}\d{1,2}:\d{2}:\d{2}) (?P<name>系统消息|系统提示)\s*"
)
OBJECT = re.compile("消息对象[:：](?P<name>.*)")
HEADING = re.compile("消息记录.*|消息分组[:：].*|消息对象[:：].*|={8,}|日期[:：].*")
SYSTEM_ACCOUNTS = frozenset({"10000", "1000000", "80000000"})
OWN_NOTICES = re.compile(
    "(?:已|主动)?(?:加入|进入|退出|离开)了?(?:本群|群聊|该群|群)[。.]?"
    "|被(?:移出|踢出|请出)了?(?:本群|群聊|该群|群)[。.]?|撤回了一条消息[。.]?"
)
PLACEHOLDERS = {
    "图片": "image", "表情": "sticker", "动画表情": "sticker", "语音": "voice", "视频": "video",
    "短视频": "video", "文件": "file", "链接": "link", "红包": "red_packet", "QQ红包": "red_packet",
    "转账": "transfer", "位置": "location", "位置分享": "location", "名片": "contact",
    "小程序": "mini_program", "聊天记录": "forward", "合并转发": "forward", "音乐": "music",
    "戳一戳": "poke", "窗口抖动": "poke", "闪照": "image", "送礼物": "other", "群公告": "announcement",
    "投票": "poll", "群投票": "poll", "语音通话": "call", "视频通话": "call",
}  # fmt: skip

NO_HEAD = "no head of a message before this line"
NO_SUCH_TIME = "there is no such date or time"
LONGEST_BODY = 4 << 20  # characters
BODY_TOO_LONG = "this line belongs to a message of more than 4 million characters"


class QqText:
    name = "qq_txt"
    label = Text("QQ message export (text)", "QQ 消息记录（文本）")
    lacks: frozenset[str] = frozenset(
        {"ids", "replies", "reactions", "zone", "edits", "mentions", "roster", "threads"}
    )

    def sniff(self, head: bytes, source: Source) -> float:
        """Heads of messages, surely so below the heading of a QQ export."""
        start = first_lines(head, 400)
        heads = sum(1 for line in start if HEAD.fullmatch(line))
        titled = any(line.startswith("消息记录") for line in start[:5])
        named = any(OBJECT.fullmatch(line.strip()) for line in start[:20])
        return min(0.97, 0.3 * titled + 0.3 * named + min(0.6, 0.3 * heads))

    def read(self, source: Source, options: Options) -> Iterator[Batch]:
        reader = _Reader(source, options)
        with source.open() as raw:
            for line in lines(raw):
                reader.line(line)
                if reader.rows.full():
                    yield reader.rows.take()
        reader.finish()
        yield reader.rows.take()


@dataclass
class _Message:
    """A message whose body is still being read."""

    at: int
    sender: str
    name: str | None
    title: str
    system: bool
    body: list[str] = field(default_factory=list)
    size: int = 0


class _Reader:
    def __init__(self, source: Source, options: Options) -> None:
        self.rows = Rows("qq")
        self.options = options
        stem = source.name.rsplit("/", 1)[-1].rsplit(".", 1)[0]
        self.group = options.group or stem
        self.people = People()
        self.events = NamedEvents(self.rows, self.people)
        self.open: _Message | None = None
        self.blanks = 0  # blank lines not yet known to be inside a body
        self.last = ""

    def line(self, line: Line) -> None:
        """Take in one line."""
        self.rows.tally.lines += 1
        text = line.text
        if line.flaw == TOO_LONG:
            self.rows.reject(line.number, line.flaw, text)
        elif not text.strip():
            self.blanks += 1
        elif head := HEAD.fullmatch(text) or SYSTEM_HEAD.fullmatch(text):
            self._head(line, head)
        elif self._is_heading(text):
            self._close()
            self.rows.tally.header += 1
            if found := OBJECT.fullmatch(text.strip()):
                self.group = self.options.group or found["name"].strip() or self.group
        else:
            self._body(line)
        if text.strip():
            self.last = text

    def finish(self) -> None:
        self._close()
        self.events.release()

    def _is_heading(self, text: str) -> bool:
        """Lines about the file: at its top, or again where another chat begins."""
        if not HEADING.fullmatch(text.strip()):
            return False
        return (
            self.open is None or self.blanks > 0 or bool(HEADING.fullmatch(self.last.strip()))
        )

    def _head(self, line: Line, head: re.Match[str]) -> None:
        self._close()
        try:
            local = datetime.strptime(re.sub(" +", " ", head["at"]), "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007
            at = micros(local.replace(tzinfo=self.options.zone))
        except (ValueError, OverflowError):
            self.rows.reject(line.number, NO_SUCH_TIME, line.text)
            return
        parts = head.groupdict()
        sender = parts.get("number") or parts.get("mail") or head["name"]
        name = head["name"].strip() or None
        # by its number, or without one by its name: a person may call themselves so
        system = sender in SYSTEM_ACCOUNTS or sender in ("系统消息", "系统提示")
        if not system:
            self.people.seen(sender, name)
        self.open = _Message(at, sender, name, parts.get("title") or "", system)

    def _body(self, line: Line) -> None:
        if self.open is None:
            self._count_blanks(inside=False)
            self.rows.reject(line.number, NO_HEAD, line.text)
            return
        if self.open.size > LONGEST_BODY:
            self.rows.reject(line.number, BODY_TOO_LONG, line.text)
            return
        self.open.body += [""] * self.blanks + [line.text]
        self.open.size += self.blanks + len(line.text)
        self._count_blanks(inside=True)
        self.rows.tally.continuation += 1

    def _count_blanks(self, *, inside: bool) -> None:
        if inside:
            self.rows.tally.continuation += self.blanks
        else:
            self.rows.tally.blank += self.blanks
        self.blanks = 0

    def _close(self) -> None:
        """The message at hand is complete: blank lines after it are none of its body."""
        self._count_blanks(inside=False)
        done, self.open = self.open, None
        if done is None:
            return
        text = "\n".join(done.body)
        common: dict[str, object] = {
            "group_id": self.group, "group_name": self.group, "zone_known": "assumed",
        }  # fmt: skip
        if done.system:
            self.events.add(text, {**common, "at": done.at})
        elif OWN_NOTICES.fullmatch(text.strip()):
            self._own_notice(done, text.strip(), common)
        else:
            self._message(done, text, common)

    def _own_notice(self, done: _Message, text: str, common: dict[str, object]) -> None:
        """“加入了群聊” under somebody's name is about that person."""
        if read_notice(text).raw_kind == "recall":
            common["actor_id"] = done.sender
        self.events.add(text, {**common, "at": done.at, "subject_name": done.name}, done.sender)

    def _message(self, done: _Message, text: str, common: dict[str, object]) -> None:
        kind, raw_kind = _kind(text)
        self.rows.message(
            **common,
            sent_at=done.at,
            sender_id=done.sender,
            sender_name=done.name or done.sender,
            kind=kind,
            raw_kind=raw_kind,
            text=text,
        )


_ALONE = re.compile(r"\s*(?:\[(?P<word>[^\[\]\s]{1,8})\]\s*)+")


def _kind(text: str) -> tuple[str, str | None]:
    """`[图片]` alone is a picture; pictures with words are mixed; else it is text."""
    words = re.findall(r"\[([^\[\]\s]{1,8})\]", text)
    known = [PLACEHOLDERS[word] for word in words if word in PLACEHOLDERS]
    if not known:
        return "text", None
    raw_kind = next(word for word in words if word in PLACEHOLDERS)
    if _ALONE.fullmatch(text):
        return (known[0] if len(set(known)) == 1 else "mixed"), raw_kind
    return ("mixed", raw_kind) if "image" in known else ("text", None)

"""What all IRC logs share: one expression per line tells a message, an action or an event.

A `Dialect` is data; `read_log` runs it. Nicks are kept exactly as written (IRC has no ids),
group and date of a log often stand only in its path:

- **group**: `Options.group`; else the last `#channel` (or `%23channel`) of the path; else the
  name of the file without its date; else the nearest folder that is no date and no common
  word (`logs`, `data`, `irc` …); else `irc`. `logs/perl6/2015/2015-05-06` is `perl6`.
- **date**: in the lines, in `--- Day changed`, or the last `2015-05-06`, `20150506` or
  `2015/05/06` of the path. A log without any is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone

import pyarrow as pa
import pyarrow.compute as pc

from qunluo.archive.importers.base import (
    REJECT_CHARS,
    Batch,
    Options,
    Reject,
    Source,
    Tally,
    micros,
    table_of,
)
from qunluo.archive.importers.lines import TOO_LONG, Block, blocks, first_lines
from qunluo.archive.schema import EVENTS, MESSAGES
from qunluo.kit.errors import QunluoError
from qunluo.kit.text import Text

LACKS = frozenset({"ids", "replies", "reactions", "edits", "mentions", "roster", "threads"})
UNREADABLE = "The line is no message, action or event of an IRC log."
SNIFFED_LINES = 200
SURE = 0.9
# fmt: off
COMMON_WORDS = frozenset({
    "archive", "archives", "channel", "channels", "chat", "chats", "data", "dev",
    "downloads", "export", "exports", "files", "history", "home", "irc", "irclog",
    "irclogs", "log", "logs", "moddata", "raw", "server", "test", "tests", "tmp",
    "train", "txt", "users", "weechat", "znc", "irssi", "supybot", "channellogger",
})
# fmt: on
ENDINGS = re.compile(r"(\.(log|txt|raw|weechatlog|md|old))+$", re.I)
CHANNEL = re.compile(r"([#&]+[^/\s,]+)(?=/|$)")
DAY = re.compile(r"(?<!\d)((?:19|20)\d\d)([-_./]?)([01]\d)\2([0-3]\d)(?!\d)")
DATES = re.compile(r"[-_. ]*(?<!\d)(?:19|20)\d\d(?:[-_.]?\d\d){0,2}(?!\d)(?:_\d\d)?[-_. ]*")
FORMATTING = r"\x03(?:\d{1,2}(?:,\d{1,2})?)?|[\x02\x0f\x11\x16\x1d\x1e\x1f]"
MARKS = "\x02\x03\x0f\x11\x16\x1d\x1e\x1f"
MONTHS = {name: n for n, name in enumerate((
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1)}  # fmt: skip
TICKS = {f":{m:02}": m * 60_000_000 for m in range(60)} | {
    f":{m:02}:{s:02}": (m * 60 + s) * 1_000_000 for m in range(60) for s in range(61)
}
HOUR = r"((?:\d{4}-\d\d-\d\d[ T])?(?:[01]\d|2[0-3]))"
TICK = r"(:[0-5]\d(?::(?:[0-5]\d|60))?)"


class UndatedLogError(QunluoError):
    code = "undated_log"
    sentence = Text(
        "“{name}” gives the time of day but no date. Rename it so that its date is in its name,"
        " for example “2024-05-06.log”.",
        "“{name}”只有时刻，没有日期。请在文件名中写明日期后重试，例如“2024-05-06.log”。",
    )


@dataclass(frozen=True)
class Dialect:
    """The grammar of one family of logs.

    `line` has eight groups: hour (whatever names it, with a date where lines have one), tick
    (`:MM` or `:MM:SS`), offset, nick, text, nick and text of an action, and the rest of an
    event. `events` are tried in order on that rest; their groups `subject`, `actor`, `new` and
    `text` become columns. `undated` finds events without a time, `header` lines about the
    file, with `month`, `day` and `year` where they date what follows.
    """

    line: re.Pattern[str]
    events: tuple[tuple[re.Pattern[str], str, str], ...]  # expression, kind, raw_kind
    undated: re.Pattern[str] | None = None
    header: re.Pattern[str] | None = None
    mend: Callable[[Block], Block] | None = None  # what a writer of such logs got wrong


@dataclass
class Clock:
    """Instants of wall-clock hours, each worked out once."""

    options: Options
    day: date | None = None
    hours: dict[str, int] = field(default_factory=dict)

    def start(self, day: date | None) -> None:
        """What follows is of that day."""
        self.day, self.hours = day, {}

    def hour(self, key: str) -> int:
        """Microseconds at which the hour `09`, `2012-10-17T09` or `…09+0200` begins.

        Raises ValueError for a day that does not exist.
        """
        found = self.hours.get(key)
        if found is None:
            found = self.hours[key] = micros(self._begin(key))
        return found

    def _begin(self, key: str) -> datetime:
        zone = self.options.zone
        if len(key) == 2:
            if self.day is None:
                raise ValueError(key)
            return datetime(self.day.year, self.day.month, self.day.day, int(key), tzinfo=zone)
        begin = datetime(int(key[:4]), int(key[5:7]), int(key[8:10]), int(key[11:13]))  # noqa: DTZ001
        return begin.replace(tzinfo=_offset(key[13:]) if len(key) > 13 else zone)


@dataclass
class Page:
    """The rows of some lines, as columns."""

    at: list[int] = field(default_factory=list)
    nick: list[str] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    offset: list[str] = field(default_factory=list)
    actions: list[int] = field(default_factory=list)
    events: list[tuple[int, str, str, str, re.Match[str] | str]] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)
    formatted: bool = False  # holds marks for bold, colour and so on

    def reject(self, line: int, reason: str, content: str) -> None:
        """Set a line aside."""
        self.rejects.append(Reject(line, reason, content[:REJECT_CHARS]))
        self.tally.rejects += 1

    def batch(self, group: str) -> Batch:
        """The rows as tables."""
        tally = self.tally
        tally.messages, tally.events = len(self.at), len(self.events)
        place = {"platform": "irc", "group_id": group.lower(), "group_name": group}
        return Batch(self._messages(place), self._events(place), self.rejects, tally)

    def _messages(self, place: dict[str, str]) -> pa.Table:
        kinds = ["text"] * len(self.at)
        for row in self.actions:
            kinds[row] = "action"
        nicks = pa.array(self.nick, pa.string())
        texts = pa.array(self.text, pa.string())
        if self.formatted:
            texts = pc.replace_substring_regex(texts, FORMATTING, "")
        known = ["offset" if offset else "assumed" for offset in self.offset]
        columns: dict[str, object] = {"sent_at": self.at, "zone_known": known, "kind": kinds}
        columns |= {"sender_id": nicks, "sender_name": nicks, "text": texts, **place}
        return table_of(MESSAGES, len(self.at), columns)

    def _events(self, place: dict[str, str]) -> pa.Table:
        found = [event[4] for event in self.events]
        parts = [{"text": f} if isinstance(f, str) else f.groupdict() for f in found]
        at, known, kind, raw_kind, _ = map(list, zip(*self.events, strict=True)) if parts else [
            [] for _ in range(5)
        ]  # fmt: skip
        subjects = [part.get("subject") for part in parts]
        return table_of(EVENTS, len(parts), {
            "at": at, "zone_known": known, "kind": kind, "raw_kind": raw_kind,
            "subject_id": subjects, "subject_name": subjects,
            "actor_id": [part.get("actor") for part in parts],
            "new_name": [part.get("new") for part in parts],
            "text": [part.get("text") for part in parts], **place,
        })  # fmt: skip


def read_log(source: Source, options: Options, dialect: Dialect) -> Iterator[Batch]:
    """All rows of one log; refuses one whose date cannot be known."""
    group, clock = group_of(source, options), Clock(options, day_of(source))
    last = None
    with source.open() as stream:
        for block in blocks(stream):
            page = Page()
            block = dialect.mend(block) if dialect.mend else block  # noqa: PLW2901
            last = _read_block(block, dialect, clock, page, last, source)
            page.formatted = any(mark in block.text for mark in MARKS)
            yield page.batch(group)


def _read_block(
    block: Block, dialect: Dialect, clock: Clock, page: Page, last: int | None, source: Source
) -> int | None:
    """Reads the lines of a block; gives the last time seen. One long loop: it is the hot one."""
    match, hours, flaws = dialect.line.match, clock.hours, block.flaws
    at_add, nick_add, text_add = page.at.append, page.nick.append, page.text.append
    offset_add, untimed, blank = page.offset.append, 0, 0
    for number, text in enumerate(block.lines, block.first):
        if not text:
            blank += 1
            continue
        found = None if flaws and flaws.get(number) == TOO_LONG else match(text)
        if found is None:
            if flaws and flaws.get(number) == TOO_LONG:
                page.reject(number, TOO_LONG, text)
            elif not text.strip():
                blank += 1
            else:
                _read_other(number, text, dialect, clock, page, last)
                hours = clock.hours
            continue
        hour, tick, offset, nick, said, actor, done, rest = found.groups()
        try:
            key = hour + offset if offset else hour
            at = (hours.get(key) or clock.hour(key)) + TICKS[tick]
        except ValueError:
            if clock.day is None and len(hour) == 2:
                raise UndatedLogError(name=source.name) from None
            page.reject(number, UNREADABLE, text)
            continue
        if last is None:
            untimed = len(page.events)
            page.events[:untimed] = [(at, *event[1:]) for event in page.events]
        last = at
        if rest is not None:
            known = "offset" if offset else "assumed"
            page.events.append((at, known, *_event(rest, dialect)))
            continue
        if nick is None:
            page.actions.append(len(page.at))
            nick, said = actor, done
        at_add(at)
        nick_add(nick)
        text_add(said or "")
        offset_add(offset)
    page.tally.lines, page.tally.blank = len(block.lines), blank
    return last


def _read_other(
    number: int, text: str, dialect: Dialect, clock: Clock, page: Page, last: int | None
) -> None:
    """A line without a time: about the file, an event after the line before, or a reject."""
    header = dialect.header.match(text) if dialect.header else None
    undated = dialect.undated.match(text) if dialect.undated else None
    if header:
        page.tally.header += 1
        named = header.groupdict()
        if named.get("day"):
            clock.start(_day_named(named, clock.day))
    elif undated:
        event = _event(undated[1], dialect)
        page.events.append((_midnight(clock) if last is None else last, "inferred", *event))
    else:
        page.reject(number, UNREADABLE, text)


def _event(rest: str, dialect: Dialect) -> tuple[str, str, re.Match[str] | str]:
    """What happened: kind, raw kind and its groups; whatever is not known is a notice."""
    for expression, kind, raw_kind in dialect.events:
        found = expression.match(rest)
        if found:
            return kind, raw_kind, found
    return "notice", "other", rest


def _midnight(clock: Clock) -> int:
    day = clock.day or date(1970, 1, 1)
    return micros(datetime(day.year, day.month, day.day, tzinfo=clock.options.zone))


def _offset(text: str) -> timezone:
    """`+0530`, `+05:30` or `Z` as a zone."""
    if text == "Z":
        return UTC
    digits = text[1:].replace(":", "")
    span = timedelta(hours=int(digits[:2]), minutes=int(digits[2:] or 0))
    return timezone(-span if text[0] == "-" else span)


def _day_named(parts: dict[str, str], before: date | None) -> date | None:
    """The day a header names; a month in an unknown tongue is worked out from the day before.

    None if neither works: what follows then has no date and the log is refused.
    """
    month, day, year = parts["month"], int(parts["day"]), int(parts["year"])
    digits = re.match(r"\d+", month)
    number = int(digits[0]) if digits else MONTHS.get(month[:3].lower())
    try:
        return date(year, number, day) if number else _next_day(before, day, year)
    except ValueError:
        return None


def _next_day(before: date | None, day: int, year: int) -> date | None:
    after = (before + timedelta(days=n) for n in range(62)) if before else ()
    return next((d for d in after if (d.day, d.year) == (day, year)), None)


# what the path says


def path_of(source: Source) -> str:
    """Where the file lies, as far as known, with `%23` as `#`."""
    return str(getattr(source, "trail", source.name)).replace("%23", "#")


def day_of(source: Source) -> date | None:
    """The last date in the path."""
    for year, _, month, day in reversed(DAY.findall(path_of(source))):
        try:
            return date(int(year), int(month), int(day))
        except ValueError:
            continue
    return None


def group_of(source: Source, options: Options) -> str:
    """The group's name by the rule at the top of this module."""
    if options.group:
        return options.group
    *folders, file = path_of(source).split("/")
    channels = [c for part in (*folders, ENDINGS.sub("", file)) for c in _channels(part)]
    if channels:
        return channels[-1]
    names = [ENDINGS.sub("", file), *reversed(folders)]
    words = (DATES.sub("", name).strip(" ._-") for name in names)
    return next((word for word in words if _is_telling(word)), "irc")


def _is_telling(word: str) -> bool:
    """Whether a name says more than `logs`, `2015` or `train-a` do."""
    pieces = [piece for piece in re.split(r"[-_. ]+", word.lower()) if piece]
    return any(len(p) > 1 and not p.isdigit() and p not in COMMON_WORDS for p in pieces)


def _channels(part: str) -> list[str]:
    """`#chan` in `#chan_20150506`, `freenode.#chan` and `default_#chan-2015-05-06`."""
    found = (DATES.sub("", name).rstrip("._-") for name in CHANNEL.findall(part))
    return [name for name in found if name.strip("#&")]


# what the content says


def likelihood(head: bytes, dialect: Dialect) -> float:
    """How surely a file is of this dialect: the share of its first lines that it reads."""
    lines = [line for line in first_lines(head, 2 * SNIFFED_LINES) if line.strip()]
    read = sum(bool(dialect.line.match(line)) for line in lines[:SNIFFED_LINES])
    other = sum(_is_known(line, dialect) for line in lines[:SNIFFED_LINES])
    if not read and not (other == len(lines) and lines):
        return 0.0
    share = (read + other) / min(len(lines), SNIFFED_LINES)
    return SURE * share if share > 0.5 else 0.0


def _is_known(line: str, dialect: Dialect) -> bool:
    patterns = (dialect.header, dialect.undated)
    return any(pattern.match(line) for pattern in patterns if pattern)

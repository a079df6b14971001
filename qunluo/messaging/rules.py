"""When something may go out, what answers what, and who is greeted. Pure: values in, a decision
out. `now` is an aware UTC instant, hours are those of the community's zone."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from qunluo.kit.text import Text
from qunluo.messaging.errors import WrongPatternError

# quiet hours and caps

EXEMPT = frozenset({"welcome", "remove", "pin", "create_group", "invite_link"})
"""Kinds that wait for no morning: they answer an act, or nobody hears them."""


@dataclass(frozen=True)
class Quiet:
    """Local hours in which nothing that could wait goes out; equal hours: there are none."""

    zone: ZoneInfo
    since: int  # inclusive
    until: int  # exclusive


def is_quiet(quiet: Quiet, now: datetime) -> bool:
    hour = now.astimezone(quiet.zone).hour
    if quiet.since <= quiet.until:
        return quiet.since <= hour < quiet.until
    return hour >= quiet.since or hour < quiet.until


def find_end_of_quiet(quiet: Quiet, now: datetime) -> datetime:
    """The first instant from `now` on that is not quiet."""
    if not is_quiet(quiet, now):
        return now
    local = now.astimezone(quiet.zone)
    days = (local.date() + timedelta(days=n) for n in range(2))
    ends = (_at(day.year, day.month, day.day, quiet.until, quiet.zone) for day in days)
    return next(end for end in ends if end > now)


def find_next_day(zone: ZoneInfo, now: datetime) -> datetime:
    """The beginning of the next local day."""
    day = now.astimezone(zone).date() + timedelta(days=1)
    return _at(day.year, day.month, day.day, 0, zone)


def find_day(zone: ZoneInfo, now: datetime) -> datetime:
    """The beginning of the local day."""
    day = now.astimezone(zone).date()
    return _at(day.year, day.month, day.day, 0, zone)


def _at(year: int, month: int, day: int, hour: int, zone: ZoneInfo) -> datetime:
    """A local hour; one that the clock skips is when it skips."""
    utc = ZoneInfo("UTC")
    return datetime(year, month, day, hour, tzinfo=zone).astimezone(utc)


@dataclass(frozen=True)
class Leaving:
    """What is known of a delivery at the moment it would go out."""

    kind: str
    personal: bool  # to or about one member
    direct: bool  # reaches them alone
    own_act: bool  # answers what the member just did
    consented: bool
    here: bool  # the member and the group are still there
    sent_today: int  # direct messages to the member on this local day
    cap: int
    quiet: Quiet
    expires_at: datetime | None = None


@dataclass(frozen=True)
class Go:
    """It may go out now."""


@dataclass(frozen=True)
class Defer:
    """It may go out at `until`."""

    until: datetime
    why: str


@dataclass(frozen=True)
class Drop:
    """It never goes out."""

    why: str


Decision = Go | Defer | Drop


def judge_leaving(leaving: Leaving, now: datetime) -> Decision:
    """Expiry and consent drop; quiet hours and the cap of the day defer, never lose."""
    if leaving.expires_at is not None and now >= leaving.expires_at:
        return Drop("expired")
    if not leaving.here:
        return Drop("gone")
    if leaving.personal and not leaving.consented and not _is_public_answer(leaving):
        return Drop("no consent")
    if leaving.own_act or leaving.kind in EXEMPT:
        return Go()
    return _judge_time(leaving, now)


def _is_public_answer(leaving: Leaving) -> bool:
    """What is said in the group about what somebody did there needs no consent."""
    return leaving.own_act and not leaving.direct


def _judge_time(leaving: Leaving, now: datetime) -> Decision:
    if leaving.direct and leaving.sent_today >= leaving.cap:
        morning = find_end_of_quiet(leaving.quiet, find_next_day(leaving.quiet.zone, now))
        return Defer(morning, "cap of the day")
    awake = find_end_of_quiet(leaving.quiet, now)
    return Defer(awake, "quiet hours") if awake > now else Go()


# trying again

MOST_ATTEMPTS = 6
FIRST_RETRY = timedelta(seconds=5)
LONGEST_RETRY = timedelta(hours=1)


def plan_retry(key: str, attempts: int, *, asked: timedelta | None = None) -> timedelta | None:
    """How long to wait before the next attempt; None after the last one.

    Doubles, with a jitter of up to a half that differs by delivery and attempt, and never sooner
    than the channel asked for.
    """
    if attempts >= MOST_ATTEMPTS:
        return None
    wait: timedelta = min(FIRST_RETRY * 2 ** max(attempts - 1, 0), LONGEST_RETRY)
    return max(wait * (0.5 + _chance(f"{key}:{attempts}") / 2), asked or timedelta())


def _chance(seed: str) -> float:
    """A number in [0, 1) that is the same for the same seed."""
    digest = hashlib.sha256(seed.encode()).digest()
    return int.from_bytes(digest[:6]) / 2**48


# auto-replies

READ = 1_000  # characters of a message that patterns look at
_EDGES = " \t\n。.!！?？~～…、,，"


@dataclass(frozen=True)
class Reply:
    """An auto-reply as the rules see it; `last_*` is when it answered in the group, and the
    member there."""

    id: int
    how: str
    pattern: str
    answer: str
    priority: int = 0
    of_group: bool = False
    hours: Sequence[Sequence[int]] = ()
    group_cooldown: timedelta = timedelta()
    member_cooldown: timedelta = timedelta()
    last_in_group: datetime | None = None
    last_to_member: datetime | None = None


@dataclass(frozen=True)
class Found:
    """The reply that fits; `cooling` where it said so only just now."""

    reply: Reply
    cooling: bool


def matches(how: str, pattern: str, text: str) -> bool:
    """Whether a text is what a reply waits for. Width, case and closing punctuation make no
    difference; a regex is RE2, which takes time linear in the text."""
    text = _plain(text)[:READ]
    if how == "regex":
        return _matches_regex(pattern, text)
    wanted = _plain(pattern)
    if how == "exact":
        return bool(wanted) and _bare(text) == _bare(wanted)
    return bool(wanted) and wanted in text


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().strip()


def _bare(text: str) -> str:
    """Without punctuation around it, unless it is nothing else."""
    return text.strip(_EDGES) or text


def _matches_regex(pattern: str, text: str) -> bool:
    try:
        found = pc.match_substring_regex(pa.scalar(text), pattern=f"(?i){pattern}")
    except (pa.ArrowInvalid, UnicodeEncodeError):
        return False  # stored before patterns were checked
    return bool(found.as_py())


def check_pattern(how: str, pattern: str) -> str:
    """The pattern, where it can be used; raises `WrongPatternError`."""
    if not pattern.strip():
        raise WrongPatternError(pattern=pattern, reason=_EMPTY)
    if how == "regex":
        try:
            pc.match_substring_regex(pa.scalar(""), pattern=pattern)
        except (pa.ArrowInvalid, UnicodeEncodeError) as error:
            reason = str(error).removeprefix("Invalid regular expression: ")
            raise WrongPatternError(pattern=pattern, reason=reason) from None
    return pattern


_EMPTY = Text("it is empty.", "内容为空。")


def choose_reply(
    replies: Iterable[Reply], text: str, now: datetime, zone: ZoneInfo
) -> Found | None:
    """The reply of the highest priority that fits now; a group's own before the community's.

    One that is cooling is not replaced by a lower one: it has just been said.
    """
    best = sorted(replies, key=lambda r: (-r.priority, not r.of_group, r.id))
    for reply in best:
        if is_open(reply.hours, now, zone) and matches(reply.how, reply.pattern, text):
            return Found(reply, is_cooling(reply, now))
    return None


def is_cooling(reply: Reply, now: datetime) -> bool:
    since_group = reply.last_in_group and now - reply.last_in_group < reply.group_cooldown
    since_member = reply.last_to_member and now - reply.last_to_member < reply.member_cooldown
    return bool(since_group or since_member)


def is_open(hours: Sequence[Sequence[int]], now: datetime, zone: ZoneInfo) -> bool:
    """Whether business hours such as [[9, 12], [20, 2]] hold now; none: always."""
    if not hours:
        return True
    hour = now.astimezone(zone).hour
    return any(_between(since, until, hour) for since, until in hours)


def _between(since: int, until: int, hour: int) -> bool:
    if since < until:
        return since <= hour < until
    return hour >= since or hour < until


# questions

_LINK = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_MARK = re.compile(r"[?？](?=[?？!！\s\W]*$|\s|[\u3400-\u9fff])")
_ASKING = re.compile(
    r"吗[\s。.!！~～…]*$|吗[，,？?\s]|请问|怎么|怎样|如何|为什么|为啥|有没有|能不能|可不可以|可以不|"
    r"是不是|多少钱|什么时候|几点|哪里|哪儿|在哪|哪个|哪天|谁知道|求问|咋(?:办|弄|用|样)|"
    r"\bhow (?:do|to|can|much|many|long)\b|\b(?:any|some)(?:one|body) knows?\b|"
    r"^(?:what|when|where|who|which|why|can (?:i|we|you)|is there|are there|do you|does)\b",
    re.IGNORECASE,
)
_SAID_SO = re.compile(r"不怎么|没怎么|怎么(?:都|也)|无论如何|不管怎[么样]|怎么可能")
ASKED_LENGTH = 300  # who writes more tells something


def is_question(text: str) -> bool:
    """Whether somebody asks: a question mark or a word that asks. Marks inside of links, and
    words such as 无论如何 that only sound like asking, don't count."""
    text = _LINK.sub(" ", unicodedata.normalize("NFKC", text)).strip()
    if not any(char.isalnum() for char in text) or len(text) > ASKED_LENGTH:
        return False
    return bool(_MARK.search(text) or _ASKING.search(_SAID_SO.sub(" ", text)))


# joiners

GATHER = timedelta(seconds=1.5)  # joiners in between are greeted together, all within 2 s
NAMED = 10  # more are counted
_PLACE = re.compile(r"\{(name|group|gives|rules|nickname|名字|群名|福利|群规|昵称)\}")
_CHINESE = {
    "名字": "name",
    "群名": "group",
    "福利": "gives",
    "群规": "rules",
    "昵称": "nickname",
}
GREETING = Text(
    "Welcome, {name}! This is “{group}”. {gives}", "欢迎 {name} 加入“{group}”！{gives}"
)
NICKNAME = Text(
    "Please set your nickname here like “{nickname}”.", "请把群昵称改成“{nickname}”这样的格式。"
)
MORE = Text("and {n} more", "等 {n} 位新朋友")


def plan_welcome(
    now: datetime, last_at: datetime | None, *, window: timedelta, speed: float = 1.0
) -> datetime:
    """When to greet: at once, or, if somebody was greeted only just now, together with all who
    come until then; always well within the window."""
    gather = real(GATHER.total_seconds(), speed)
    if last_at is None or last_at <= now - gather:
        return now
    return min(max(now, last_at + gather), now + window / 2)


def write_welcome(
    template: str, names: Sequence[str], values: dict[str, str], lang: str
) -> str:
    """The greeting: the group's own words with their places filled, or ours. Only known places
    are filled, so names can't bring any of their own. `nickname` is an example to follow."""
    words = template.strip() or GREETING(lang)
    filled = {**values, "name": write_names(names, lang)}
    places = [_key(place) for place in _PLACE.finditer(words)]
    text = _PLACE.sub(lambda place: filled.get(_key(place), ""), words).strip()
    asked = values.get("nickname", "")
    if asked and "nickname" not in places:
        text += "\n" + NICKNAME(lang).replace("{nickname}", asked)
    return text


def _key(place: re.Match[str]) -> str:
    return _CHINESE.get(place[1], place[1])


def write_names(names: Sequence[str], lang: str) -> str:
    """“Ann, Bob and 3 more”."""
    comma = "、" if lang.startswith("zh") else ", "
    shown = comma.join(names[:NAMED])
    if len(names) <= NAMED:
        return shown
    gap = "" if lang.startswith("zh") else " "
    return shown + gap + MORE.format(n=len(names) - (0 if not gap else NAMED))(lang)


def real(seconds: float, speed: float) -> timedelta:
    """What `seconds` of the world are on a clock of this speed: windows of platforms and leases
    of processes don't run faster with an accelerated clock."""
    return timedelta(seconds=seconds * max(speed, 1.0))


@lru_cache(maxsize=64)
def zone_of(name: str) -> ZoneInfo:
    """The zone of a name; of one that is unknown, UTC."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")


def as_values(reply: Any) -> dict[str, Any]:
    """The stored fields of an auto-reply that a `Reply` takes as they are."""
    return {
        "id": reply.pk, "how": reply.how, "pattern": reply.pattern, "answer": reply.answer,
        "priority": reply.priority, "of_group": reply.group_id is not None,
        "hours": reply.hours,
        "group_cooldown": timedelta(seconds=reply.group_cooldown_s),
        "member_cooldown": timedelta(seconds=reply.member_cooldown_s),
    }  # fmt: skip

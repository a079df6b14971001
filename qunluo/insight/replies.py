"""Who answers which message: explicit replies first, then what the words say, then nearness.

Evidence is kept apart, because it is not equally good: `explicit` (the platform says so),
`mention` (the message names somebody who wrote shortly before: `ann: yes`, `@ann`), `quote` (it
repeats the words of an earlier message), `proximity` (it follows what was said to its writer,
or the message just before). Each message answers at most one other, of another account.

Evaluated against hand-made links of public Ubuntu chat (Kummerfeld et al., ACL 2019) by
`checks/real_replies.py`.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, pairwise
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Evidence = Literal["explicit", "mention", "quote", "proximity"]
EVIDENCE: tuple[Evidence, ...] = ("explicit", "mention", "quote", "proximity")

MENTION_S = 3_600  # a name means what its bearer said within an hour
TURN_S = 300  # who was just spoken to answers within five minutes
NEXT_S = 60  # the message before is answered within a minute
OWN_S = 600  # who follows on has been talking in the last ten minutes
CALM = 2  # others in a room where the message before may be meant
SEARCHED_CHARS = 300  # of a message, for a name
INNER_NAME_CHARS = 4  # a shorter name inside a sentence is chance
QUOTE_S = 7 * 86_400
QUOTE_CHARS = 6  # shorter repetitions are chance
HISTORY = 400  # messages of a group that stay in mind
NAME_CHARS = 40

LINKS = pa.schema([("source", pa.int64()), ("target", pa.int64()), ("evidence", pa.string())])

# “ann: yes”, “ann, yes”, “@ann yes”, “hello @ann”; WeChat ends a name with U+2005.
_AT = re.compile(rf"(?:^|\s)[@＠]([^\u2005\s@:：,，]{{1,{NAME_CHARS}}})")
_WECHAT = re.compile(rf"[@＠]([^\u2005@]{{1,{NAME_CHARS}}})\u2005")
_LEAD = re.compile(rf"\s*([^\s:：,，@]{{1,{NAME_CHARS}}})\s?(?:[:：,，]|-+>)")
_WORDS = re.compile(r"[^\s.,:;!?()，。：；！？（）]+")
_QUOTING = re.compile('[「>“"]')
_QUOTES = (
    re.compile(r"「[^「」:：]{0,40}[:：]\s*([^「」]+)」"),  # WeChat: 「name：words」
    re.compile(r"^\s*>\s?([^\n]+)"),
    re.compile(r"^\s*[“\"]([^”\"]+)[”\"]"),
)


def addressed(text: str) -> list[str]:
    """Names that a message may be addressed to, lower case, the surest first."""
    found = [*_WECHAT.findall(text), *_AT.findall(text)] if "@" in text or "＠" in text else []
    lead = _LEAD.match(text)
    return [name.casefold() for name in (*found, *([lead[1]] if lead else []))]


def quoted(text: str) -> str | None:
    """The words that a message repeats in a quotation at its beginning, if any."""
    if not _QUOTING.search(text):
        return None
    for pattern in _QUOTES:
        found = pattern.search(text)
        if found and len(found[1].strip()) >= QUOTE_CHARS:
            return found[1].strip()
    return None


@dataclass
class _Room:
    """What a group's readers have in mind: recent messages, who is called what."""

    rows: list[int] = field(default_factory=list)
    recent: dict[int, deque[int]] = field(default_factory=dict)  # account → its latest rows
    called: dict[str, int] = field(default_factory=dict)  # lower-case name → account
    spoken_to: dict[int, int] = field(default_factory=dict)  # account → row that addressed it
    to: dict[int, int] = field(default_factory=dict)  # row → account it addressed

    def last(self, account: int) -> int:
        """The account's latest row, or −1."""
        rows = self.recent.get(account)
        return rows[-1] if rows else -1


def infer(messages: pa.Table, names: Mapping[int, str]) -> pa.Table:
    """Links from answering to answered rows of `messages`, as `LINKS`, sorted by source.

    `messages` has group_key, sender_key, sent_at (UTC), text, and may have thread_id (talk of
    another thread is another room), message_id, reply_to and sender_name (else `names` gives
    one by sender_key). Rows may come in any order; within a room they are read by time, ties
    in the order of the rows.
    """
    rooms = _rooms(messages)
    order = _reading_order(messages, rooms)
    rows = _Rows.of(messages.take(order), names)
    found: list[tuple[int, int, Evidence]] = []
    for group in _groups(rooms[order]):
        found += _group_links(rows, group)
    place = order.tolist()
    links = sorted((place[row], place[target], why) for row, target, why in found)
    columns = zip(*links, strict=True) if links else ((), (), ())
    return pa.table([pa.array(c, f.type) for c, f in zip(columns, LINKS, strict=True)], LINKS)


@dataclass(frozen=True)
class _Rows:
    """Columns of the messages as plain lists."""

    sender: list[int]
    at: list[float]  # seconds
    text: list[str]
    name: list[str]  # lower case
    message_id: list[str | None]
    reply_to: list[str | None]

    @classmethod
    def of(cls, messages: pa.Table, names: Mapping[int, str]) -> _Rows:
        absent: list[str | None] = [None] * messages.num_rows
        sender = messages["sender_key"].to_pylist()
        micros = messages["sent_at"].cast(pa.timestamp("us", "UTC")).cast(pa.int64())
        own = _column(messages, "sender_name") or absent
        latest = {key: names.get(key, "") for key in sorted(set(sender))}
        shown = [n or latest[s] for n, s in zip(own, sender, strict=True)]
        return cls(
            sender,
            (micros.to_numpy() / 1e6).tolist(),
            pc.fill_null(messages["text"], "").to_pylist(),
            [name.strip().casefold() for name in shown],
            _column(messages, "message_id") or absent,
            _column(messages, "reply_to") or absent,
        )


def _column(messages: pa.Table, name: str) -> list[str | None] | None:
    return messages[name].to_pylist() if name in messages.column_names else None


def _rooms(messages: pa.Table) -> NDArray[np.int64]:
    """A number for each group and thread: who answers whom is judged within one."""
    group = messages["group_key"].to_numpy()
    if "thread_id" not in messages.column_names:
        return np.unique(group, return_inverse=True)[1]
    encoded = messages["thread_id"].combine_chunks().dictionary_encode()
    thread = pc.fill_null(pc.add(encoded.indices.cast(pa.int64()), 1), 0).to_numpy()
    pairs = np.stack([group, thread])
    return np.unique(pairs, axis=1, return_inverse=True)[1].reshape(-1)


def _reading_order(messages: pa.Table, room: NDArray[np.int64]) -> NDArray[np.int64]:
    """Row numbers by room, then time; ties keep the order of the rows."""
    at = messages["sent_at"].cast(pa.timestamp("us", "UTC")).cast(pa.int64()).to_numpy()
    return np.lexsort((np.arange(len(at)), at, room))


def _groups(sorted_rooms: NDArray[np.int64]) -> Iterator[range]:
    """The places of each room's messages in reading order."""
    cuts = np.flatnonzero(np.diff(sorted_rooms)) + 1
    for begin, end in pairwise([0, *cuts.tolist(), len(sorted_rooms)]):
        yield range(begin, end)


def _group_links(rows: _Rows, group: Sequence[int]) -> Iterator[tuple[int, int, Evidence]]:
    room = _Room()
    by_id = {rows.message_id[row]: row for row in group if rows.message_id[row]}
    for row in group:
        account = _spoken_to(rows, room, row)
        link = _link(rows, room, row, account, by_id)
        if link:
            yield row, link[0], link[1]
        _remember(rows, room, row, account)


def _spoken_to(rows: _Rows, room: _Room, row: int) -> int | None:
    """The account that the message names, if one so called wrote here before."""
    text, sender, called = rows.text[row], rows.sender[row], room.called
    for name in addressed(text):
        if called.get(name, sender) != sender:
            return called[name]
    tokens = _WORDS.findall(text[:SEARCHED_CHARS].casefold())
    if called.keys().isdisjoint(tokens):
        return None
    for place, token in enumerate(tokens):
        long = place == 0 or len(token) >= INNER_NAME_CHARS
        if long and called.get(token, sender) != sender:
            return called[token]
    return None


def _link(
    rows: _Rows, room: _Room, row: int, account: int | None, by_id: Mapping[str | None, int]
) -> tuple[int, Evidence] | None:
    """The strongest evidence decides; only a message that names nobody may follow on."""
    target = by_id.get(rows.reply_to[row]) if rows.reply_to[row] else None
    if target is not None:
        return None if rows.sender[target] == rows.sender[row] else (target, "explicit")
    if account is not None:
        target = _mentioned(rows, room, row, account)
        return None if target is None else (target, "mention")
    target = _repeated(rows, room, row)
    if target is not None:
        return target, "quote"
    target = _near(rows, room, row)
    return None if target is None else (target, "proximity")


def _mentioned(rows: _Rows, room: _Room, row: int, account: int) -> int | None:
    """The named account's latest message within the hour that was not said to a third."""
    latest = [
        r for r in reversed(room.recent[account]) if rows.at[row] - rows.at[r] <= MENTION_S
    ]
    sender = rows.sender[row]
    free = (r for r in latest if room.to.get(r, sender) == sender)
    return next(free, latest[0] if latest else None)


def _repeated(rows: _Rows, room: _Room, row: int) -> int | None:
    words = quoted(rows.text[row])
    if words is None:
        return None
    for target in islice(reversed(room.rows), HISTORY):
        if rows.at[row] - rows.at[target] > QUOTE_S:
            return None
        if rows.sender[target] != rows.sender[row] and words in rows.text[target]:
            return target
    return None


def _near(rows: _Rows, room: _Room, row: int) -> int | None:
    """What was last said to the writer, if unanswered; else a calm room's last message."""
    sender, now = rows.sender[row], rows.at[row]
    target, own = room.spoken_to.get(sender, -1), room.last(sender)
    if target > own and now - rows.at[target] <= TURN_S:
        return target
    before = room.rows[-1] if room.rows else -1
    if before < 0 or rows.sender[before] == sender or now - rows.at[before] > NEXT_S:
        return None
    to_another = room.to.get(before, sender) != sender
    in_talk = own >= 0 and now - rows.at[own] <= OWN_S
    return before if in_talk and not to_another and _calm(rows, room, row) else None


def _calm(rows: _Rows, room: _Room, row: int) -> bool:
    """At most two others wrote in the last five minutes: in a crowd nearness says nothing."""
    others: set[int] = set()
    for earlier in reversed(room.rows):
        if rows.at[row] - rows.at[earlier] > TURN_S or len(others) > CALM:
            break
        if rows.sender[earlier] != rows.sender[row]:
            others.add(rows.sender[earlier])
    return len(others) <= CALM


def _remember(rows: _Rows, room: _Room, row: int, account: int | None) -> None:
    sender = rows.sender[row]
    if account is not None:
        room.spoken_to[account] = row
        room.to[row] = account
    recent = room.recent.get(sender)
    if recent is None:
        recent = room.recent[sender] = deque(maxlen=3)
    recent.append(row)
    if rows.name[row]:
        room.called[rows.name[row]] = sender
    room.rows.append(row)
    if len(room.rows) > 2 * HISTORY:
        for forgotten in room.rows[:HISTORY]:
            room.to.pop(forgotten, None)
        del room.rows[:HISTORY]


@dataclass(frozen=True)
class Score:
    """How links compare with true ones: `right` of `found` are true, of `true` in all."""

    right: int
    found: int
    true: int

    @property
    def precision(self) -> float:
        return self.right / self.found if self.found else float("nan")

    @property
    def recall(self) -> float:
        return self.right / self.true if self.true else float("nan")


def evaluate(links: pa.Table, truth: set[tuple[int, int]]) -> dict[str, Score]:
    """Precision and recall of each evidence and of `all`, against true (source, target) pairs.

    Only sources that have a true pair, or none on purpose, should be among the links; recall
    of an evidence is its share of all true pairs.
    """
    pairs = list(zip(links["source"].to_pylist(), links["target"].to_pylist(), strict=True))
    right = np.array([pair in truth for pair in pairs], dtype=bool)
    evidence: NDArray[np.str_] = np.array(links["evidence"].to_pylist(), dtype=str)
    scores: dict[str, Score] = {
        name: Score(
            int(right[evidence == name].sum()), int((evidence == name).sum()), len(truth)
        )
        for name in EVIDENCE
    }
    return {**scores, "all": Score(int(right.sum()), len(pairs), len(truth))}

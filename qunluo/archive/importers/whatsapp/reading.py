"""One pass over a file: blocks of lines in, batches of rows out.

A message may go on in the next block, so the last message of a block always waits for the
next block. Memory holds one block and one message, never the file.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from qunluo.archive.importers.base import (
    FLUSH_ROWS,
    REJECT_CHARS,
    Batch,
    Options,
    Reject,
    Rows,
    Source,
    Tally,
)
from qunluo.archive.importers.whatsapp.blocks import Blocks, Positions, line_starts
from qunluo.archive.importers.whatsapp.notices import Notice, NoticeReader
from qunluo.archive.importers.whatsapp.rows import (
    MARK,
    Flags,
    Headers,
    Memory,
    find_headers,
    person_of,
    split,
)
from qunluo.archive.importers.whatsapp.stamps import Ints
from qunluo.archive.importers.whatsapp.survey import Survey
from qunluo.archive.importers.whatsapp.tables import Draft, draft, message_table
from qunluo.kit.text import Text

MESSAGE_BYTES = 8 << 20  # a longer message is cut

NO_HEADER = "no message header before this line"
NO_SUCH_DATE = "there is no such date or time"
TOO_LONG = "this line belongs to a message of more than 8 MB"

TEXT_CAP = range(39_000, 41_001)
MEDIA_CAP = range(9_500, 10_501)

LOOKS_CUT = Text(
    "“{name}” holds {count} messages: WhatsApp exports about 40,000 messages (10,000 with media)"
    " and drops the oldest. Add an older export of the same group to fill the gap.",
    "“{name}”包含 {count} 条消息。WhatsApp 每次最多导出约 4 万条（含媒体时约 1 万条），"
    "更早的消息会被丢弃。可一并导入同一群较早的导出文件来补全。",
)
RUNS_BACKWARDS = Text(
    "In “{name}” the time runs backwards at {count} lines: these may be pasted text that looks"
    " like a message. They were counted as messages.",
    "“{name}”中有 {count} 行的时间早于上一行，可能是粘贴进来、看似消息头的文字；已按消息计入。",
)
CUT_LINES = Text(
    "“{name}” holds {count} lines of more than 2 MB; their ends were left out.",
    "“{name}”中有 {count} 行超过 2 MB，超出部分已略去。",
)


class Reading:
    """One file on its way into batches."""

    def __init__(self, source: Source, options: Options, found: Survey) -> None:
        self._source = source
        self._group = found.group
        self._pattern = found.style.pattern()
        self._memory = Memory(found.order, options.zone)
        self._notices = NoticeReader()
        self._line = 0  # lines before the block at hand
        self._messages = 0
        self._attached = 0
        self._before = NO_HEADER  # why lines before the first header of a block are rejected

    def batches(self) -> Iterator[Batch]:
        """All batches, the last with the warnings."""
        waiting = b""
        with self._source.open() as stream:
            blocks = Blocks(stream)
            for block in blocks:
                text = waiting + block
                headers = find_headers(text, self._pattern, self._memory)
                done = self._complete(headers)
                waiting = text[done.starts[-1] :] if done else text
                if done:
                    yield from self._batches(done)
            if waiting:
                yield from self._batches(find_headers(waiting, self._pattern, self._memory))
        yield Batch(warnings=self._warnings(blocks.cut_lines))

    def _complete(self, headers: Headers) -> Headers | None:
        """The part of a block that later blocks can't change; None if there is none yet."""
        if len(headers.lines) > 1 or (len(headers.lines) and headers.lines[0] > 0):
            return headers.up_to(len(headers.lines) - 1)
        return headers if headers.starts[-1] > MESSAGE_BYTES or not len(headers.lines) else None

    def _batches(self, headers: Headers) -> Iterator[Batch]:
        """The rows of whole messages, then the lines that could not be read."""
        leading = int(headers.lines[0]) if len(headers.lines) else len(headers.starts) - 1
        yield from _rejected(
            headers.block, headers.starts, 0, leading, self._line, self._before
        )
        if len(headers.lines):
            yield self._rows(headers, leading)
            for first, last in _runs(headers):
                yield from _rejected(
                    headers.block, headers.starts, first, last, self._line, NO_SUCH_DATE
                )
        self._line += len(headers.starts) - 1
        self._before = TOO_LONG if len(headers.lines) or self._before == TOO_LONG else NO_HEADER

    def _rows(self, headers: Headers, leading: int) -> Batch:
        """The messages and notices of a block, and how many lines they took."""
        ends, blank = _text_ends(headers)
        parts = split(headers, self._memory)
        made = draft(headers, parts, ends, self._memory)
        rows = Rows("whatsapp")
        keep = self._app_written(made, rows)
        self._sender_less(headers, parts.notices, ends, rows)
        self._look_back(headers, parts.messages)
        batch = rows.take()
        batch.messages = message_table(made, self._group, keep)
        self._messages += len(batch.messages)
        self._attached += len(made.special.media_names)
        batch.tally.messages = len(batch.messages)
        batch.tally.blank = int(blank[headers.known].sum())
        taken = np.diff(np.append(headers.lines, len(headers.starts) - 1))[headers.known]
        batch.tally.continuation = int((taken - 1).sum()) - batch.tally.blank
        batch.tally.lines = int(taken.sum())
        return batch

    # notices

    def _app_written(self, made: Draft, rows: Rows) -> Flags:
        """iPhones write notices as if sent: those become events. Which messages are left."""
        keep = np.ones(len(made.bodies), bool)
        for row in np.flatnonzero(made.by_app).tolist():
            if row in made.special.kinds or row in made.special.raw_kinds:
                continue
            text = MARK.sub("", made.bodies[row].as_py())
            notice = self._notices.read(text)
            name = made.names[int(made.senders[row])]
            if notice.raw_kind == "system" and name != self._group:
                made.special.kinds[row], made.special.raw_kinds[row] = "other", "app text"
                continue
            keep[row] = False
            self._event(notice, text, int(made.at[row]), rows)
        return keep

    def _sender_less(
        self, headers: Headers, notices: Ints, ends: Positions, rows: Rows
    ) -> None:
        starts, stops, at = headers.rest[notices], ends[notices], headers.at[notices]
        for start, stop, when in zip(starts.tolist(), stops.tolist(), at.tolist(), strict=True):
            raw = headers.block[start : max(start, stop)]
            text = MARK.sub("", raw.decode("utf-8", "replace")).strip()
            self._event(self._notices.read(text), text, when, rows)

    def _event(self, notice: Notice, text: str, at: int, rows: Rows) -> None:
        actor = person_of(notice.actor).id if notice.actor else None
        common: dict[str, object] = {
            "group_id": self._group, "group_name": self._group, "at": at, "zone_known": "assumed",
            "kind": notice.kind, "raw_kind": notice.raw_kind, "actor_id": actor, "text": text,
            "new_name": notice.new_name,
        }  # fmt: skip
        if notice.kind == "join":
            common["inviter_id"] = actor
        for number, name in enumerate(notice.subjects):
            person = person_of(name)
            whom = {"subject_id": person.id, "subject_name": person.name}
            rows.event(same_line=number > 0, **{**common, **whom})
        if not notice.subjects:
            rows.event(same_line=False, **common)

    # the file as a whole

    def _look_back(self, headers: Headers, messages: Ints) -> None:
        """Counts messages earlier than the line before, except where the clock was changed.

        Notices do not count: the app itself writes them out of order.
        """
        memory, at = self._memory, headers.at
        if len(at):
            before = np.concatenate(([memory.latest], at[:-1]))
            back = (at < before) & headers.steady & headers.known
            memory.backwards += int(back[messages].sum())
            memory.latest = int(at[-1])

    def _warnings(self, cut_lines: int) -> list[Text]:
        name, count = self._source.name, self._messages
        found: list[Text] = []
        if count in TEXT_CAP or (self._attached and count in MEDIA_CAP):
            found.append(LOOKS_CUT.format(name=name, count=count))
        if self._memory.backwards:
            found.append(RUNS_BACKWARDS.format(name=name, count=self._memory.backwards))
        if cut_lines:
            found.append(CUT_LINES.format(name=name, count=cut_lines))
        return found


def _text_ends(headers: Headers) -> tuple[Positions, Ints]:
    """Where the text of each message ends, without blank lines at its end, and how many these
    are."""
    filled = np.flatnonzero(np.diff(headers.starts) > 1)
    following = np.append(headers.lines[1:], len(headers.starts) - 1)
    last = filled[np.searchsorted(filled, following) - 1]
    return headers.starts[last + 1] - 1, following - 1 - last


def _runs(headers: Headers) -> list[tuple[int, int]]:
    """The lines of headers whose date or time does not exist, with what follows them."""
    following = np.append(headers.lines[1:], len(headers.starts) - 1)
    bad = np.flatnonzero(~headers.known)
    begins = bad[np.diff(bad, prepend=-2) > 1]
    ends = bad[np.diff(bad, append=len(headers.known) + 1) > 1]
    return list(zip(headers.lines[begins].tolist(), following[ends].tolist(), strict=True))


def _rejected(
    block: bytes, starts: Positions, first: int, last: int, before: int, reason: str
) -> Iterator[Batch]:
    """Lines `first` to `last` of a block as rejects, some thousand at a time."""
    for start in range(first, last, FLUSH_ROWS):
        batch = Batch(tally=Tally())
        for line in range(start, min(last, start + FLUSH_ROWS)):
            raw = block[
                starts[line] : min(starts[line + 1] - 1, starts[line] + 4 * REJECT_CHARS)
            ]
            text = raw.decode("utf-8", "replace")[:REJECT_CHARS]
            if text.strip():
                batch.rejects.append(Reject(before + line + 1, reason, text))
        batch.tally.lines = min(last, start + FLUSH_ROWS) - start
        batch.tally.rejects = len(batch.rejects)
        batch.tally.blank = batch.tally.lines - batch.tally.rejects
        yield batch


def all_rejected(source: Source) -> Iterator[Batch]:
    """Every line of a file in which nothing looks like a message."""
    before = 0
    with source.open() as stream:
        for block in Blocks(stream):
            starts = line_starts(block)
            yield from _rejected(block, starts, 0, len(starts) - 1, before, NO_HEADER)
            before += len(starts) - 1

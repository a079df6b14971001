"""A WhatsApp export read whole, its tally checked."""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa

from qunluo.archive.importers.base import Batch, Options, Tally
from qunluo.archive.importers.whatsapp import WhatsApp
from qunluo.archive.schema import EVENT_KINDS, EVENTS, KINDS, MESSAGES
from tests.archive.builders import memory_source

LRM = "\u200e"


class Read:
    """Everything of a file, with its tally checked."""

    def __init__(self, text: str | bytes, name: str = "_chat.txt", **options: object) -> None:
        raw = text.encode() if isinstance(text, str) else text
        self.batches: list[Batch] = [
            Batch(),
            *WhatsApp().read(memory_source(name, raw), Options(**options)),  # type: ignore[arg-type]
        ]
        self.tally = Tally()
        for batch in self.batches:
            self.tally.add(batch.tally)
            assert batch.messages.schema == MESSAGES
            assert batch.events.schema == EVENTS
            batch.messages.validate(full=True)
        assert self.tally.accounts_for_every_line(), self.tally
        self.messages = pa.concat_tables([b.messages for b in self.batches]).to_pylist()
        self.events = pa.concat_tables([b.events for b in self.batches]).to_pylist()
        self.rejects = [reject for b in self.batches for reject in b.rejects]
        self.warnings = [warning.en for b in self.batches for warning in b.warnings]
        assert {row["kind"] for row in self.messages} <= set(KINDS)
        assert {row["kind"] for row in self.events} <= set(EVENT_KINDS)

    def said(self) -> list[tuple[datetime, str, str | None]]:
        return [(m["sent_at"], m["sender_name"], m["text"]) for m in self.messages]

    @property
    def only(self) -> dict[str, object]:
        assert len(self.messages) == 1, self.messages
        return self.messages[0]

    @property
    def event(self) -> dict[str, object]:
        assert len(self.events) == 1, self.events
        return self.events[0]


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)

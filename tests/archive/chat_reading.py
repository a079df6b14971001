"""Reading a whole file in a test, with everything checked that holds for any importer."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from qunluo.archive.importers.base import Batch, Importer, Options, Tally
from qunluo.archive.schema import EVENT_KINDS, EVENTS, KINDS, MESSAGES, ROLES
from tests.archive.builders import memory_source


class Read:
    """All rows of a file; schemas, words and the tally are checked on the way."""

    def __init__(
        self,
        importer: Importer,
        content: str | bytes,
        name: str = "export.txt",
        beside: Mapping[str, bytes] | None = None,
        **options: object,
    ) -> None:
        source = memory_source(name, content, beside)
        given = Options(**options)  # type: ignore[arg-type]
        self.batches: list[Batch] = [Batch(), *importer.read(source, given)]
        self.tally = Tally()
        for batch in self.batches:
            self.tally.add(batch.tally)
            assert batch.messages.schema == MESSAGES
            assert batch.events.schema == EVENTS
            batch.messages.validate(full=True)
            batch.events.validate(full=True)
        assert self.tally.accounts_for_every_line(), self.tally
        self.messages = pa.concat_tables([b.messages for b in self.batches]).to_pylist()
        self.events = pa.concat_tables([b.events for b in self.batches]).to_pylist()
        self.rejects = [reject for b in self.batches for reject in b.rejects]
        self.warnings = [warning.en for b in self.batches for warning in b.warnings]
        assert len(self.messages) == self.tally.messages
        assert {row["kind"] for row in self.messages} <= set(KINDS)
        assert {row["role"] for row in self.messages} <= {*ROLES, None}
        assert {row["kind"] for row in self.events} <= set(EVENT_KINDS)

    @property
    def only(self) -> dict[str, object]:
        assert len(self.messages) == 1, self.messages
        return self.messages[0]

    @property
    def event(self) -> dict[str, object]:
        assert len(self.events) == 1, self.events
        return self.events[0]

"""A small platform of its own: what it is told to send is a row in a database of its own, which
stays when whoever told it dies."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from qunluo.messaging.channel import (
    BaseChannel,
    Capabilities,
    Parcel,
    Receipt,
    RefusedError,
)


class LedgerChannel(BaseChannel):
    """Writes one row per call, or per key where it is idempotent."""

    name: ClassVar[str] = "ledger"

    def __init__(self, path: Path, *, idempotent: bool, remove: bool = True) -> None:
        self.path = path
        self.capabilities = Capabilities(
            post=True, direct=True, remove=remove, idempotent=idempotent
        )
        with self._open() as db:
            db.execute("CREATE TABLE IF NOT EXISTS sent (n INTEGER PRIMARY KEY, key TEXT, "
                       "kind TEXT, account TEXT, text TEXT)")  # fmt: skip
            if idempotent:
                db.execute("CREATE UNIQUE INDEX IF NOT EXISTS once ON sent (key)")

    def post(self, parcel: Parcel) -> Receipt:
        return self._write(parcel)

    def direct(self, parcel: Parcel) -> Receipt:
        return self._write(parcel)

    def remove(self, parcel: Parcel) -> Receipt:
        return self._write(parcel)

    def list_sent(self) -> list[tuple[str, str, str, str]]:
        """Key, kind, account and text of each."""
        with self._open() as db:
            return list(db.execute("SELECT key, kind, account, text FROM sent ORDER BY n"))

    def _write(self, parcel: Parcel) -> Receipt:
        if parcel.kind != "direct" and not parcel.group_external_id:
            raise RefusedError("no such group")
        row = (parcel.key, parcel.kind, parcel.account, parcel.text)
        how = "INSERT OR IGNORE" if self.capabilities.idempotent else "INSERT"
        with self._open() as db:
            db.execute(f"{how} INTO sent (key, kind, account, text) VALUES (?, ?, ?, ?)", row)
            found = db.execute(
                "SELECT max(n) FROM sent WHERE key = ?", (parcel.key,)
            ).fetchone()
        return Receipt(external_id=f"p{found[0]}")

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        db = sqlite3.connect(self.path, timeout=30)
        try:
            with db:
                yield db
        finally:
            db.close()

"""The contract holds for a platform that knows keys, and for one that does not."""

from __future__ import annotations

from pathlib import Path

from qunluo.messaging.channel import Channel, Parcel
from tests.channels.contract import ChannelContract
from tests.channels.ledger import LedgerChannel


class TestLedgerWithKeys(ChannelContract):
    idempotent = True

    def make(self, tmp_path: Path) -> LedgerChannel:
        return LedgerChannel(tmp_path / "platform.sqlite3", idempotent=self.idempotent)

    def sent(self, channel: Channel, parcel: Parcel) -> int:
        assert isinstance(channel, LedgerChannel)
        rows = [(key, text) for key, _, _, text in channel.list_sent()]
        return rows.count((parcel.key, parcel.text))


class TestLedgerWithoutKeys(TestLedgerWithKeys):
    idempotent = False

"""The user's lists in the archive's terms: names and ids become keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from qunluo.archive.keys import key_of
from qunluo.insight.roles import Accounts
from qunluo.insight.tables import SMALL


@dataclass(frozen=True)
class Given:
    """What the user gave besides the archive (tables of `insight.inputs`); None if not."""

    staff: pa.Table | None = None
    roster: pa.Table | None = None
    corporate: pa.Table | None = None
    orders: pa.Table | None = None

    def tables(self, accounts: Accounts, groups: pa.Table) -> dict[str, pa.Table]:
        """`roster`, `corporate`, `staff`, `orders` as `insight.tables` has them."""
        roster = _keyed(self.roster, "member_id", "group_id", accounts, groups)
        listed = _keyed(self.corporate, "account", "group", accounts, groups)
        tables = [
            t.select(CORPORATE) for t in (roster, listed) if t and "corporate" in t.column_names
        ]
        known = [
            t.filter(pc.or_(pc.is_valid(t["corporate"]), pc.is_valid(t["vendor"])))
            for t in tables
        ]
        return {
            "roster": _shaped("roster", roster),
            "corporate": _shaped("corporate", pa.concat_tables(known) if known else None),
            "staff": _shaped("staff", self.staff),
            "orders": _shaped("orders", self.orders),
        }

    def has_corporate(self) -> bool:
        """Whether any list says an account's corporate status."""
        lists = [t for t in (self.corporate, self.roster) if t is not None]
        return any(t["corporate"].null_count < t.num_rows for t in lists)


CORPORATE = SMALL["corporate"].names


def _shaped(name: str, table: pa.Table | None) -> pa.Table:
    schema = SMALL[name]
    return schema.empty_table() if table is None else table.select(schema.names).cast(schema)


def _keyed(table: pa.Table | None, who: str, where: str, accounts: Accounts,
           groups: pa.Table) -> pa.Table | None:  # fmt: skip
    """The table with sender_key (by id, else by name) and group_key (by id or name)."""
    if table is None:
        return None
    names = table["name"] if "name" in table.column_names else table[who]
    sender = _sender_keys(table[who].to_pylist(), names.to_pylist(), accounts)
    group = _group_keys(table[where].to_pylist(), groups)
    kept = table.drop(
        [c for c in ("name", "group_key", "sender_key") if c in table.column_names]
    )
    for name, column in (("sender_key", sender), ("group_key", group), ("name", names)):
        kept = kept.append_column(name, column)
    return kept


def _sender_keys(ids: list[Any], names: list[Any], accounts: Accounts) -> pa.Array:
    keys = accounts.table["sender_key"].to_pylist()
    by_id = dict(zip(accounts.table["sender_id"].to_pylist(), keys, strict=True))
    by_name = dict(zip(accounts.table["name"].to_pylist(), keys, strict=True))
    found = [
        by_id.get(i) or by_name.get(i if n is None else n) or key_of("roster", str(i or n))
        for i, n in zip(ids, names, strict=True)
    ]
    return pa.array(found, pa.int64())


def _group_keys(ids: list[Any], groups: pa.Table) -> pa.Array:
    """Keys of groups by id or name; an empty cell means the only group, or all of them."""
    keys = groups["group_key"].to_pylist()
    known = dict(zip(groups["name"].to_pylist(), keys, strict=True))
    known |= dict(zip(groups["group_id"].to_pylist(), keys, strict=True))
    only = keys[0] if len(keys) == 1 else None
    found = [known.get(i) or (key_of("roster", i) if i else only) for i in ids]
    return pa.array(found, pa.int64())

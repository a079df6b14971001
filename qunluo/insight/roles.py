"""Who is the brand, who a member, a bot, the system: the class of every account in every group.

In this order: the staff list (for its dates), the platform's own word, a name that says “bot”,
and rule I2 of the reference study: a corporate account with more than 20 % of a group's
non-system messages is the brand's. An account above 20 % whose corporate status is unknown
stays a member, `suspected`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from qunluo.archive.keys import key_of
from qunluo.insight.tables import CLASSES, DATED

BRAND_SHARE = 0.2
CLASS_NAMES = ("member", "brand", "bot", "system")
MEMBER, BRAND, BOT, SYSTEM = range(4)
BOT_NAME = r"(?i)(^|[^\pL\pN])bot([^\pL\pN]|$)|机器人"

Keys = NDArray[np.int64]
Codes = NDArray[np.int8]

FIRST, END = datetime(1, 1, 1), datetime(9999, 1, 1)  # noqa: DTZ001 - local, naive


@dataclass(frozen=True)
class Roles:
    """`classes` as `tables.CLASSES`; `dated` as `tables.DATED`; `acting` maps the key of an
    account while it was staff to the account's own key."""

    classes: pa.Table
    dated: pa.Table
    acting: dict[int, int]


@dataclass(frozen=True)
class Accounts:
    """All accounts, sorted by key."""

    table: pa.Table  # tables.SMALL["accounts"]

    @property
    def keys(self) -> Keys:
        return np.asarray(self.table["sender_key"].to_numpy(), np.int64)

    def where(self, keys: Keys) -> NDArray[np.intp]:
        """Positions of keys that are all there."""
        return np.searchsorted(self.keys, keys)

    def matching(self, account: str) -> Keys:
        """Accounts of that id or name; a pattern between slashes is searched in both."""
        ids, names = self.table["sender_id"], self.table["name"]
        if len(account) > 2 and account[0] == account[-1] == "/":
            found = [pc.match_substring_regex(c, account[1:-1]) for c in (ids, names)]
        else:
            found = [pc.equal(c, account) for c in (ids, names)]
        hit = pc.or_(*(pc.fill_null(f, False) for f in found))
        return np.asarray(self.keys[hit.to_numpy()], np.int64)


def roles_of(people: pa.Table, accounts: Accounts, groups: pa.Table, staff: pa.Table,
             corporate: pa.Table) -> Roles:  # fmt: skip
    """Classes of all accounts in all groups of `people` (group_key, sender_key, n, first_at,
    last_at)."""
    group, sender = _keys(people, "group_key"), _keys(people, "sender_key")
    code = _platform_codes(accounts)[accounts.where(sender)]
    entries = list(_staffed(people, accounts, groups, staff))
    for entry in entries:
        if entry.whole:
            code[entry.rows] = entry.code
    share = _shares(group, _keys(people, "n"), code)
    status = _corporate_status(group, sender, corporate)
    above = (share > BRAND_SHARE) & (code == MEMBER) & ~_by_hand(entries, len(code))
    code[above & (status == 1)] = BRAND
    suspected = above & (status == 0)
    dated, acting = _dated([e for e in entries if not e.whole], group, sender)
    return Roles(_classes(group, sender, code, suspected, dated), dated.drop(["class"]), acting)


@dataclass(frozen=True)
class _Entry:
    """A line of the staff list met with rows of `people`."""

    rows: NDArray[np.intp]
    code: int
    first: datetime
    end: datetime
    whole: bool  # covers all the account ever wrote


def _staffed(people: pa.Table, accounts: Accounts, groups: pa.Table,
             staff: pa.Table) -> Iterator[_Entry]:  # fmt: skip
    group, sender = _keys(people, "group_key"), _keys(people, "sender_key")
    for line in staff.to_pylist():
        hit = np.isin(sender, accounts.matching(line["account"]))
        if line["group"]:
            hit &= np.isin(group, _groups_named(groups, line["group"]))
        first, end = line["from"] or FIRST, line["until"] or END
        code = CLASS_NAMES.index(line["role"])
        rows = np.flatnonzero(hit)
        mine = people.take(pa.array(rows))
        inside = [
            r["first_at"] >= first and r["last_at"] < end
            for r in mine.select(["first_at", "last_at"]).to_pylist()
        ]
        whole = np.array(inside, bool)
        yield _Entry(rows[whole], code, first, end, whole=True)
        yield _Entry(rows[~whole], code, first, end, whole=False)


def _groups_named(groups: pa.Table, name: str) -> Keys:
    hit = pc.or_kleene(pc.equal(groups["group_id"], name), pc.equal(groups["name"], name))
    return np.asarray(_keys(groups, "group_key")[pc.fill_null(hit, False).to_numpy()], np.int64)


def _by_hand(entries: list[_Entry], rows: int) -> NDArray[np.bool_]:
    """Rows whose class the staff list says, for all of their time or some."""
    hit = np.zeros(rows, bool)
    for entry in entries:
        hit[entry.rows] = True
    return hit


def _platform_codes(accounts: Accounts) -> Codes:
    code = np.full(accounts.table.num_rows, MEMBER, np.int8)
    for column in ("name", "sender_id"):
        named = pc.match_substring_regex(accounts.table[column], BOT_NAME)
        code[pc.fill_null(named, False).to_numpy()] = BOT
    for number, name in enumerate(CLASS_NAMES):
        said = pc.fill_null(pc.equal(accounts.table["role"], name), False).to_numpy()
        code[said] = number
    return code


def _shares(group: Keys, n: Keys, code: Codes) -> NDArray[np.float64]:
    """Each account's share of its group's messages, system accounts left out."""
    counted = np.where(code == SYSTEM, 0, n)
    _, which = np.unique(group, return_inverse=True)
    totals = np.bincount(which, weights=counted)[which]
    share: NDArray[np.float64] = counted / np.maximum(totals, 1)
    return share


def _corporate_status(group: Keys, sender: Keys, corporate: pa.Table) -> Codes:
    """1 corporate, 0 unknown, -1 known to be none: the user's tables list the others."""
    listed = corporate.filter(pc.is_valid(corporate["corporate"]))
    status = np.full(len(group), -1 if listed.num_rows else 0, np.int8)
    everywhere = listed.filter(pc.is_null(listed["group_key"]))
    status[np.isin(sender, _keys(everywhere, "sender_key"))] = 1
    here = listed.filter(pc.is_valid(listed["group_key"]))
    places = set(zip(_keys(here, "group_key"), _keys(here, "sender_key"), strict=True))
    for row in np.flatnonzero(np.isin(sender, _keys(here, "sender_key"))):
        if (group[row], sender[row]) in places:
            status[row] = 1
    return status


def _dated(entries: list[_Entry], group: Keys, sender: Keys) -> tuple[pa.Table, dict[int, int]]:
    rows: list[dict[str, Any]] = []
    acting: dict[int, int] = {}
    for entry in entries:
        for row in entry.rows:
            key = key_of("acting", f"{sender[row]} {CLASS_NAMES[entry.code]}")
            acting[key] = int(sender[row])
            rows.append(
                {
                    "group_key": int(group[row]),
                    "sender_key": int(sender[row]),
                    "acting_key": key,
                    "first": entry.first,
                    "end": entry.end,
                    "class": CLASS_NAMES[entry.code],
                }
            )
    return pa.Table.from_pylist(rows, DATED.append(pa.field("class", pa.string()))), acting


def _classes(group: Keys, sender: Keys, code: Codes, suspected: NDArray[np.bool_],
             dated: pa.Table) -> pa.Table:  # fmt: skip
    names = pa.array(CLASS_NAMES).take(pa.array(code))
    whole = pa.table([group, sender, names, suspected], schema=CLASSES)
    then = dated.select(["group_key", "acting_key", "class"]).group_by(
        ["group_key", "acting_key", "class"]
    ).aggregate([])  # fmt: skip
    columns = [then["group_key"], then["acting_key"], then["class"], [False] * then.num_rows]
    return pa.concat_tables([whole, pa.table(columns, schema=CLASSES)])


def _keys(table: pa.Table, name: str) -> Keys:
    return np.asarray(table[name].to_numpy(), np.int64)

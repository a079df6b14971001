"""Ids and names of accounts, and who changed a name when."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qunluo.sample.clock import DAY
from qunluo.sample.groups import Groups
from qunluo.sample.numbers import Array, Ints, stream
from qunluo.sample.people import FOREVER, People
from qunluo.sample.plan import Plan
from qunluo.sample.words import FIRST, MARKS, SECOND, STAFF_NAMES, TRADES

RENAMED = 0.05  # of speaking members
SYSTEM_ID, SYSTEM_NAME = "system", "系统消息"
ID_BASE = 10_000_000  # so that ids have equal lengths up to ninety million accounts


@dataclass(frozen=True)
class Accounts:
    """Speaking and corporate accounts by number; `names` has the later names at its end."""

    ids: pa.Array
    names: pa.Array
    renamed_at: Ints  # local second, or FOREVER
    later: Ints  # place of the later name in `names`

    def name_codes(self, account: Array, at: Array) -> Array:
        """Which of `names` an account showed at a time."""
        changed = at >= self.renamed_at[account]
        return np.where(changed, self.later[account], account)


def plan_accounts(plan: Plan, groups: Groups, people: People) -> Accounts:
    """Ids and names of all accounts but the silent members'."""
    random = stream(plan.seed, "names")
    hosts, n = len(people.hosts.group), people.first_silent
    renamed_at = np.full(n, FOREVER, np.int64)
    members = np.arange(people.first_member, n)
    changed = members[random.random(len(members)) < RENAMED]
    renamed_at[changed] = random.integers(30 * DAY, (plan.days - 5) * DAY, len(changed))
    later = np.arange(n)
    later[changed] = n + np.arange(len(changed))
    staff = pa.array([SYSTEM_NAME, *_host_names(groups, people)])
    return Accounts(
        ids=pa.concat_arrays([pa.array([SYSTEM_ID]), account_ids(1, hosts + 1, "c"),
                              account_ids(hosts + 1, n)]),
        names=pa.concat_arrays([staff, nicknames(plan.seed, members),
                                nicknames(plan.seed, LATER_NAMES + np.arange(len(changed)))]),
        renamed_at=renamed_at,
        later=later,
    )  # fmt: skip


LATER_NAMES = 500_000_000  # nicknames taken on later count from here


def account_ids(start: int, end: int, letter: str = "u") -> pa.Array:
    """Ids of the accounts numbered `start` to `end` (exclusive)."""
    numbers = pa.array(np.arange(start, end) + ID_BASE).cast(pa.string())
    return pc.binary_join_element_wise(letter, numbers, "")


def nicknames(seed: int, number: Array) -> pa.Array:
    """A distinct invented nickname for every number."""
    every = [f + s + m for m in MARKS for s in SECOND for f in FIRST]
    shuffled = stream(seed, "nicknames").permutation(len(every))
    turn, place = np.divmod(number, len(every))
    plain = pa.array(every).take(pa.array(shuffled[place]))
    again = pc.if_else(pa.array(turn > 0), pa.array(turn + 1).cast(pa.string()), "")
    return pc.binary_join_element_wise(plain, again, "")


def _host_names(groups: Groups, people: People) -> list[str]:
    """`栖木咖啡滨江店福利官`, with a number where a shop has several of a kind."""
    seen: dict[str, int] = {}
    names = []
    for k, g in enumerate(people.hosts.group.tolist()):
        shop = TRADES[groups.trade[g]].shops[groups.shop[g]]
        name = f"{shop}{STAFF_NAMES[k % len(STAFF_NAMES)]}"
        seen[name] = seen.get(name, 0) + 1
        names.append(f"{name}{seen[name]}" if seen[name] > 1 else name)
    return names

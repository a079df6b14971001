"""From an archive to findings: who is who, then every cube once, then every metric."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from qunluo.archive.counted import COUNTED
from qunluo.archive.engines.base import Inputs, Later, Plan
from qunluo.archive.manifest import Manifest
from qunluo.archive.store import Archive
from qunluo.insight.figures import Cube, Facts, Finding, Metric, Missing, Need
from qunluo.insight.given import Given
from qunluo.insight.needs import NEED_WORDS
from qunluo.insight.roles import Accounts, Roles, roles_of
from qunluo.insight.tables import SMALL, Tables, by_minute, inputs_of, recounted
from qunluo.kit.text import Text


@dataclass(frozen=True, eq=False)
class Names(Mapping[int, str]):
    """Names by key, looked up in sorted columns: a million names cost no dictionary."""

    sorted_keys: Any
    names: pa.ChunkedArray
    acting: Mapping[int, int] = field(default_factory=dict)

    def __getitem__(self, key: int) -> str:
        own = self.acting.get(key, key)
        at = int(np.searchsorted(self.sorted_keys, own))
        if at >= len(self.sorted_keys) or self.sorted_keys[at] != own:
            raise KeyError(key)
        return str(self.names[at])

    def __iter__(self) -> Any:
        return iter([*map(int, self.sorted_keys), *self.acting])

    def __len__(self) -> int:
        return len(self.sorted_keys) + len(self.acting)


@dataclass(frozen=True)
class Study:
    """An archive made ready for metrics; each part is made when it is first asked for."""

    archive: Archive
    manifest: Manifest
    given: Given

    @cached_property
    def facts(self) -> Facts:
        """What metrics may know besides their cubes."""
        ground = self._ground
        has = _has(self.archive, self.manifest, self.given)
        return _facts(self.manifest, ground, has)

    @cached_property
    def people(self) -> pa.Table:
        """group_key, sender_key, n, actions, first_at, last_at, class (now)"""
        people, classes = self._ground.people, self._ground.roles.classes["class"]
        return people.append_column("class", classes.slice(0, people.num_rows))

    @cached_property
    def inputs(self) -> Inputs:
        """Every table that cubes may stand on."""
        small = {name: Later(s, partial(self.small, name)) for name, s in SMALL.items()}
        return inputs_of(self.archive, self.manifest, small)

    @cached_property
    def dated(self) -> bool:
        """Whether some account was staff for a time only."""
        return self.given.staff is not None and self._ground.roles.dated.num_rows > 0

    def cubes(self, cubes: Iterable[Cube], *, rollups: bool = True) -> dict[str, pa.Table]:
        """Rows of each cube by its name, each evaluated once.

        `rollups`: take counted tables from what was counted at import, where that can be;
        otherwise count raw rows, with equal results.
        """
        unique = {c.name: c for c in cubes}.values()
        apart = [c for c in unique if c.acting and self.dated]
        plain = [c for c in unique if c not in apart]
        found = self._cubes(plain, rollups=rollups, dated=False)
        return found | self._cubes(apart, rollups=False, dated=True)

    def _cubes(self, cubes: list[Cube], *, rollups: bool, dated: bool) -> dict[str, pa.Table]:
        if not cubes:
            return {}
        suffix = "_dated" if dated else ""
        plans = {c.name: _cube_plan(c, f"cube_{c.name}{suffix}", dated) for c in cubes}
        inputs = self.inputs if rollups else recounted(self.inputs, dated=dated)
        found = self.archive.engine.run([*plans.values()], {**inputs, **by_minute(dated=dated)})
        return {name: found[plan.name] for name, plan in plans.items()}

    @cached_property
    def _ground(self) -> Ground:
        return _ground(self.archive, self.manifest, self.given)

    def small(self, name: str) -> pa.Table:
        """One of `tables.SMALL`."""
        return self._ground.small[name]


def _cube_plan(cube: Cube, name: str, dated: bool) -> Plan:
    return Plan(name, lambda t: cube.build(Tables(t, dated)))


@dataclass(frozen=True)
class Ground:
    """Who is who: what classes, names and the user's lists come to."""

    people: pa.Table
    accounts: Accounts
    roles: Roles
    small: Mapping[str, pa.Table]  # as `tables.SMALL`


def study(archive: Archive, given: Given) -> Study:
    """The archive as it stands, with the user's lists; the ground that metrics stand on."""
    return Study(archive, archive.manifest(), given)


def _ground(archive: Archive, manifest: Manifest, given: Given) -> Ground:
    base = _base(archive, manifest)
    accounts, groups, people = Accounts(base["accounts"]), base["groups"], base["people"]
    small = given.tables(accounts, groups)
    roles = roles_of(people, accounts, groups, small["staff"], small["corporate"])
    small |= {"classes": roles.classes, "dated": roles.dated, "groups": groups}
    small["accounts"] = _with_acting(accounts.table, roles)
    return Ground(people, accounts, roles, small)


def findings(ready: Study, metrics: Sequence[Metric], *, rollups: bool = True,
             watch: Callable[[int, int], None] = lambda done, total: None,
             ) -> tuple[tuple[Metric, Finding | Missing], ...]:  # fmt: skip
    """Each metric with what it found, in the order given."""
    able = [m for m in metrics if not _missing(m, ready.facts)]
    rows = ready.cubes([c for m in able for c in m.cubes], rollups=rollups)
    last = {c.name: metric for metric in able for c in metric.cubes}
    found: list[tuple[Metric, Finding | Missing]] = []
    for number, metric in enumerate(metrics):
        lacking = _missing(metric, ready.facts)
        mine = {c.name: rows[c.name] for c in metric.cubes} if not lacking else {}
        found.append((metric, lacking or metric.summarise(mine, ready.facts)))
        for name in [n for n in mine if last[n] is metric]:
            del rows[name]  # of a large archive they are large
        watch(number + 1, len(metrics))
    return tuple(found)


def _missing(metric: Metric, facts: Facts) -> Missing | None:
    lacking = tuple(n for n in metric.needs if n not in facts.has)
    if metric.one_of and facts.has.isdisjoint(metric.one_of):
        lacking += metric.one_of[:1]
    if not lacking:
        return None
    parts = [NEED_WORDS[n] for n in lacking]
    words = Text(" ".join(p.en for p in parts), "".join(p.zh for p in parts))
    return Missing(lacking, words)


def _base(archive: Archive, manifest: Manifest) -> dict[str, pa.Table]:
    """Totals of every account in every group, accounts and groups with their latest names."""
    inputs = {
        "people": archive.rollups(manifest, _PERSON),
        "accounts": archive.profiles(manifest, "accounts"),
        "groups": archive.profiles(manifest, "groups"),
    }
    found = archive.engine.run([_people_plan(), _accounts_plan(), _groups_plan()], inputs)
    return {
        "people": found["base_people"],
        "accounts": found["base_accounts"].select(SMALL["accounts"].names),
        "groups": found["base_groups"].select(SMALL["groups"].names),
    }


def _people_plan() -> Plan:
    def build(t: Mapping[str, Any]) -> Any:
        p = t["people"]
        keys = p.group_by("group_key", "sender_key")
        ends = {"first_at": p.first_at.min(), "last_at": p.last_at.max()}
        return keys.agg(
            n=p.n.sum().cast("int64"), actions=p.actions.sum().cast("int64"), **ends
        )

    return Plan("base_people", build)


def _accounts_plan() -> Plan:
    def build(t: Mapping[str, Any]) -> Any:
        a = t["accounts"]
        return a.group_by("sender_key").agg(
            platform=a.platform.max(),
            sender_id=a.sender_id.max(),
            name=a.name.argmax(a.last_at),
            role=a.role.max(),
        )

    return Plan("base_accounts", build)


def _groups_plan() -> Plan:
    def build(t: Mapping[str, Any]) -> Any:
        g = t["groups"]
        return g.group_by("group_key").agg(
            platform=g.platform.max(), group_id=g.group_id.max(), name=g.name.argmax(g.last_at)
        )

    return Plan("base_groups", build)


_PERSON = next(c for c in COUNTED if c.name == "person")


def _with_acting(accounts: pa.Table, roles: Roles) -> pa.Table:
    """Accounts and, for those that were staff for a time, the account they were then."""
    own = {r["sender_key"]: r for r in accounts.to_pylist()} if roles.acting else {}
    rows = [own[k] | {"sender_key": acting} for acting, k in sorted(roles.acting.items())]
    return pa.concat_tables([accounts, pa.Table.from_pylist(rows, accounts.schema)])


def _facts(manifest: Manifest, ground: Ground, has: frozenset[Need]) -> Facts:
    people, accounts, groups = ground.people, ground.accounts, ground.small["groups"]
    ends = [pc.min(people["first_at"]).as_py(), pc.max(people["last_at"]).as_py()]
    first_on, last_on = (e.date().isoformat() if e else None for e in ends)
    named = pc.coalesce(accounts.table["name"], accounts.table["sender_id"])
    in_groups = pc.coalesce(groups["name"], groups["group_id"])
    return Facts(
        zone=manifest.zone,
        first_on=first_on,
        last_on=last_on,
        has=has,
        group_names=Names(groups["group_key"].to_numpy(), in_groups),
        sender_names=Names(accounts.keys, named, ground.roles.acting),
        acting=ground.roles.acting,
    )


def _has(archive: Archive, manifest: Manifest, given: Given) -> frozenset[Need]:
    """What there is to compute with: the user's lists, and what the exports carry."""
    carried: dict[Need, str] = {
        "threads": "thread_id",
        "text": "text",
        "reactions": "reactions",
    }
    has: set[Need] = {n for n, column in carried.items() if _carries(archive, manifest, column)}
    lists: dict[Need, pa.Table | None] = {
        "staff": given.staff, "roster": given.roster, "orders": given.orders,
    }  # fmt: skip
    has |= {n for n, table in lists.items() if table is not None}
    if given.has_corporate():
        has.add("corporate")
    if any(s.has_replies for s in manifest.segments):
        has.add("replies")
    if _joined(archive, manifest) or _known(given.roster, "joined_at"):
        has.add("joins")
    return frozenset(has)


def _carries(archive: Archive, manifest: Manifest, column: str) -> bool:
    """Whether any message has the column, told from the files' own statistics."""
    for path in archive.messages(manifest).paths:
        meta = pq.read_metadata(path)
        at = meta.schema.to_arrow_schema().get_field_index(column)
        for group in range(meta.num_row_groups if at >= 0 else 0):
            part = meta.row_group(group).column(_leaf(meta, column))
            if not part.is_stats_set or part.statistics.null_count < part.num_values:
                return True
    return False


def _leaf(meta: pq.FileMetaData, column: str) -> int:
    names = [meta.schema.column(i).path.split(".")[0] for i in range(meta.num_columns)]
    return names.index(column)


def _joined(archive: Archive, manifest: Manifest) -> bool:
    files = archive.events(manifest).paths
    return any(
        "join" in pc.unique(pq.read_table(f, columns=["kind"])["kind"]).to_pylist()
        for f in files
    )


def _known(table: pa.Table | None, column: str) -> bool:
    return table is not None and bool(table[column].null_count < table.num_rows)

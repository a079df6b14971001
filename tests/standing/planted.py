"""The planted truth of a sample beside what standing finds in its record."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from qunluo.insight.rfm import customers, threshold_scores
from qunluo.standing.archive import ONE, Archive, judge_sums, tell_archive
from qunluo.standing.rules import RFM, Verdict
from qunluo.standing.sums import Sums, add_up
from qunluo.standing.tie_rules import Bond, find_bonds, find_medians, is_strong, turns_of

ZONE = ZoneInfo("Asia/Shanghai")
MESSAGES = ["message_id", "group_id", "sent_at", "sender_id", "role", "reply_to", "mentions"]
PHASES = {"ripen": ("new", "growing"), "extend": ("mature",), "win_back": ("silent", "lost")}
WISH = 29  # of 100, what one adopted wish is worth
AT_RISK = 50  # of 100
SHOWN = ("new", "growing", "mature")  # who is still heard of
FIFTH = 5


@dataclass(frozen=True)
class Score:
    """How well a set that was found fits the planted one."""

    name: str
    planted: int
    found: int
    both: int

    @property
    def precision(self) -> float:
        return self.both / self.found if self.found else 1.0

    @property
    def recall(self) -> float:
        return self.both / self.planted if self.planted else 1.0

    def __str__(self) -> str:
        return (
            f"{self.name}: precision {self.precision:.3f}, recall {self.recall:.3f} "
            f"of {self.planted} planted"
        )


@dataclass
class Planted:
    """A sample at the end of its last day: who was meant to be what, and who is found to be."""

    folder: Path
    today: date

    def _csv(self, name: str) -> pa.Table:
        types = pa_csv.ConvertOptions(strings_can_be_null=True)
        return pa_csv.read_csv(self.folder / name, convert_options=types)

    def _table(self, name: str, columns: list[str] | None = None) -> pa.Table:
        return pq.read_table(self.folder / f"{name}.parquet", columns=columns)

    @cached_property
    def orders(self) -> pa.Table:
        table = self._csv("orders.csv")
        minor = pc.cast(
            pc.round(pc.multiply(pc.cast(table["amount"], pa.float64()), 100)), pa.int64()
        )
        kept = table.append_column("amount_minor", minor)
        return kept.filter(pc.is_valid(kept["member_id"]))

    @cached_property
    def archive(self) -> Archive:
        roster = self._csv("roster.csv")
        staff = roster.filter(pc.is_valid(roster["corporate"]))["member_id"].to_pylist()
        return Archive(
            self._table("messages", MESSAGES), self._table("events"), self.orders, ZONE,
            frozenset(staff), self._table("deeds"),
        )  # fmt: skip

    @cached_property
    def sums(self) -> Sums:
        return add_up(tell_archive(self.archive, self.today), {ONE: ZONE})

    @cached_property
    def found(self) -> dict[str, Verdict]:
        verdicts = judge_sums(self.sums, self.today)
        return {self.archive.ids[pk - 1]: verdict for pk, verdict in verdicts.items()}

    @cached_property
    def meant(self) -> dict[str, dict[str, Any]]:
        """By member, the row of `truth_standing.parquet`."""
        return {row["member_id"]: row for row in self._table("truth_standing").to_pylist()}

    # sets

    def _are(self, name: str, *values: object) -> tuple[set[str], set[str]]:
        """Who was meant to have one of the values, and who has."""
        return (
            {pk for pk, row in self.meant.items() if row[name] in values},
            {pk for pk, v in self.found.items() if v.values[name] in values},
        )

    def _highest(self, of: str, name: str, n: int) -> tuple[set[str], set[str]]:
        """The so many with most of what was meant, and those with the highest score."""
        want = sorted(self.meant, key=lambda pk: (-self.meant[pk][of], pk))[:n]
        have = sorted(self.found, key=lambda pk: (-self.found[pk].values[name], pk))[:n]
        return set(want), set(have)

    def _at_least(self, of: str, name: str, least: int) -> tuple[set[str], set[str]]:
        return (
            {pk for pk, row in self.meant.items() if row[of]},
            {pk for pk, v in self.found.items() if v.values[name] >= least},
        )

    @cached_property
    def shown(self) -> list[str]:
        """Who is found to be still there: of whom a risk is asked."""
        return [pk for pk, v in self.found.items() if v.values["lifecycle"] in SHOWN]

    def _leaving(self) -> tuple[set[str], set[str]]:
        return (
            {pk for pk in self.shown if self.meant[pk]["going"]},
            {pk for pk in self.shown if self.found[pk].values["churn"] >= AT_RISK},
        )

    @cached_property
    def homes(self) -> dict[str, set[Any]]:
        """The groups and planted communities of each who speaks."""
        found: dict[str, set[Any]] = defaultdict(set)
        for row in self._table("truth_members").to_pylist():
            found[row["member_id"]].add((row["group_id"], row["community"]))
        return found

    @cached_property
    def bonds(self) -> dict[tuple[str, str], Bond]:
        """Ties that are found, each pair in the order of the ids."""
        ids = self.archive.ids
        return {
            (ids[one - 1], ids[other - 1]): bond
            for (one, other), bond in find_bonds(turns_of(self.sums.contacts)).items()
        }

    def _friends(self) -> tuple[set[Any], set[Any]]:
        rows, day = self._table("truth_ties").to_pylist(), self.today.toordinal()
        medians = find_medians(list(self.bonds.values()), day)
        return (
            {tuple(sorted((row["member_id"], row["other_id"]))) for row in rows},
            {pair for pair, bond in self.bonds.items() if is_strong(bond, medians, day)},
        )  # fmt: skip

    def _rfm(self) -> tuple[set[Any], set[Any]]:
        """Of each buyer the three classes; the planted ones by the report's own rule, from the
        orders that were not given back."""
        deeds = self._table("deeds")
        given = deeds.filter(pc.equal(deeds["kind"], "order_refunded"))
        back = list(
            zip(given["member_id"].to_pylist(), given["amount_minor"].to_pylist(), strict=True)
        )
        rows = []
        for row in self.orders.sort_by("paid_at").select(
            ["member_id", "paid_at", "amount_minor"]
        ).to_pylist():  # fmt: skip
            mark = (row["member_id"], row["amount_minor"])
            if mark in back:
                back.remove(mark)
            else:
                rows.append(row)
        assert not back
        days = np.array([(row["paid_at"].date() - date(1970, 1, 1)).days for row in rows])
        all_ = customers(
            np.array([row["member_id"] for row in rows], dtype=str), days.astype(np.int64),
            np.array([row["amount_minor"] for row in rows]),
            (self.today - date(1970, 1, 1)).days,
        )  # fmt: skip
        scores = threshold_scores(all_)
        want = zip(
            all_.ids.tolist(), zip(scores.r, scores.f, scores.m, strict=True), strict=True
        )
        return (
            {(pk, k, int(c)) for pk, classes in want for k, c in enumerate(classes)},
            {
                (pk, k, v.values[name])
                for pk, v in self.found.items() if v.values["orders"]
                for k, name in enumerate(RFM)
            },
        )  # fmt: skip

    def sets(self, name: str) -> tuple[set[Any], set[Any]]:
        """Who was meant, and who is found; `name` as the tests and the docs call it."""
        kind, _, value = name.partition(" ")
        if kind in ("rfm", "ties", "leaving"):
            return {"rfm": self._rfm, "ties": self._friends, "leaving": self._leaving}[kind]()
        if kind in ("product", "bringing", "content", "revenue"):
            return self._worth(kind, value)
        if kind == "phase":
            return self._are("lifecycle", *PHASES[value])
        wanted = [int(v) if v.isdigit() else v for v in value.split(" or ")]
        return self._are(kind, *wanted)

    def _worth(self, name: str, value: str) -> tuple[set[str], set[str]]:
        if name == "product":
            return self._at_least("product", name, WISH)
        if name == "bringing":
            return self._at_least("brought", name, 1)
        if name == "content":
            return self._highest("content", name, int(value))
        buyers = sum(row["orders"] > 0 for row in self.meant.values())
        return self._highest("spent_minor", name, buyers // FIFTH)

    def score(self, name: str) -> Score:
        planted, found = self.sets(name)
        return Score(name, len(planted), len(found), len(planted & found))

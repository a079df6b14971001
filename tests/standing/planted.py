"""The planted truth of a sample beside what standing finds in its messages, moves and orders."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from qunluo.standing.archive import Archive, judge_archive
from qunluo.standing.rules import Verdict

ZONE = ZoneInfo("Asia/Shanghai")


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
        return f"{self.name}: {self.precision:.3f} / {self.recall:.3f} of {self.planted}"


@dataclass
class Planted:
    """A sample on a day: what was planted by then, and what is found by then."""

    folder: Path
    today: date

    def _csv(self, name: str) -> pa.Table:
        types = pa_csv.ConvertOptions(strings_can_be_null=True)
        return pa_csv.read_csv(self.folder / name, convert_options=types)

    @cached_property
    def orders(self) -> pa.Table:
        table = self._csv("orders.csv")
        minor = pc.cast(
            pc.round(pc.multiply(pc.cast(table["amount"], pa.float64()), 100)), pa.int64()
        )
        kept = table.append_column("amount_minor", minor)
        return kept.filter(pc.is_valid(kept["member_id"]))

    @cached_property
    def roster(self) -> pa.Table:
        return self._csv("roster.csv")

    @cached_property
    def members(self) -> list[dict[str, object]]:
        """Speaking memberships with what was planted of them."""
        rows: list[dict[str, object]] = pq.read_table(
            self.folder / "truth_members.parquet"
        ).to_pylist()
        return rows

    @cached_property
    def found(self) -> dict[str, Verdict]:
        roster = self.roster
        staff = roster.filter(pc.is_valid(roster["corporate"]))["member_id"].to_pylist()
        messages = pq.read_table(
            self.folder / "messages.parquet",
            columns=[
                "message_id",
                "group_id",
                "sent_at",
                "sender_id",
                "role",
                "reply_to",
                "mentions",
            ],
        )
        archive = Archive(
            messages, pq.read_table(self.folder / "events.parquet"), self.orders, ZONE,
            frozenset(staff),
        )  # fmt: skip
        return judge_archive(archive, self.today)

    def has(self, name: str, *values: object) -> set[str]:
        return {pk for pk, v in self.found.items() if v.values[name] in values}

    # what was planted

    @cached_property
    def stays(self) -> dict[str, list[tuple[date, date | None]]]:
        """By member: from when to when in which groups, as far as it was by today."""
        found = defaultdict(list)
        columns = ("member_id", "joined_at", "left_at", "corporate")
        rows = zip(*(self.roster[c].to_pylist() for c in columns), strict=True)
        for name, joined, left, corporate in rows:
            if corporate is None and joined.date() <= self.today:
                gone = left.date() if left and left.date() <= self.today else None
                found[name].append((joined.date(), gone))
        return found

    @cached_property
    def quiet_on(self) -> dict[str, date]:
        """From when on somebody was to say nothing, in every group; who never spoke is not here."""
        latest: dict[str, date] = {}
        for row in self.members:
            first = row["joined_at"].astimezone(ZONE).date()  # type: ignore[attr-defined]
            if first <= self.today:
                quiet = row["quiet_on"] or date.max
                latest[str(row["member_id"])] = max(
                    quiet, latest.get(str(row["member_id"]), date.min)
                )
        return latest

    @cached_property
    def bought(self) -> dict[str, list[date]]:
        found = defaultdict(list)
        rows = zip(
            self.orders["member_id"].to_pylist(),
            self.orders["paid_at"].to_pylist(),
            strict=True,
        )
        for name, at in rows:
            if at.date() <= self.today:
                found[name].append(at.date())
        return found

    @cached_property
    def truth(self) -> dict[str, set[str]]:
        """Sets of members by what was planted."""
        return {
            "lost by leaving": {
                n for n, stays in self.stays.items() if all(s[1] for s in stays)
            },
            "silent or lost": self._silent(30),
            "lost": self._silent(90)
            | {n for n, s in self.stays.items() if all(x[1] for x in s)},
            "customer": set(self.bought),
            "advocate": self._advocates(),
            "inner circles": self._inner("core", "influence"),
            "core": self._inner("core"),
            "mature": self._mature(),
            "new": self._new(),
            "two orders": {n for n, days in self.bought.items() if len(days) > 1},
        }

    def _silent(self, days: int) -> set[str]:
        """Who was to do nothing since so many days: quiet, no order, not just come; or gone."""
        border = self.today - timedelta(days=days)
        found = set()
        for name, stays in self.stays.items():
            began = max(day for day, _ in stays)
            quiet = self.quiet_on.get(name, began)
            ordered = max(self.bought.get(name, [date.min]))
            gone = all(left for _, left in stays)
            if gone or (max(began, ordered) <= border and quiet <= border + timedelta(days=1)):
                found.add(name)
        return found

    def _inner(self, *circles: str) -> set[str]:
        """Who was planted into these circles of a group that lives, and still talks."""
        return {
            str(row["member_id"]) for row in self.members
            if row["circle"] in circles and str(row["member_id"]) in self.talking
        }  # fmt: skip

    @cached_property
    def talking(self) -> set[str]:
        """Who was to be heard in the last four weeks, and was: somebody has to be there."""
        return {
            pk for pk, v in self.found.items()
            if v.values["weeks"] and self.quiet_on.get(pk, date.min) > self.today
        }  # fmt: skip

    def _mature(self) -> set[str]:
        return {n for n in self.bought if len(self.bought[n]) > 1} - self._silent(30)

    def _new(self) -> set[str]:
        border = self.today - timedelta(days=14)
        return {
            n for n, stays in self.stays.items()
            if min(a for a, _ in stays) >= border and n not in self.bought
            and not all(b for _, b in stays)
        }  # fmt: skip

    def _advocates(self) -> set[str]:
        """Who brought somebody at their first joining that stayed a week."""
        moves = pq.read_table(
            self.folder / "events.parquet", columns=["kind", "at", "subject_id", "inviter_id"]
        )
        first: dict[str, tuple[datetime, str | None]] = {}
        for row in moves.filter(pc.equal(moves["kind"], "join")).to_pylist():
            if row["subject_id"] not in first or row["at"] < first[row["subject_id"]][0]:
                first[row["subject_id"]] = (row["at"], row["inviter_id"])
        end = datetime.combine(
            self.today + timedelta(days=1), datetime.min.time(), ZONE
        ).astimezone(UTC)
        return {
            inviter for name, (at, inviter) in first.items()
            if inviter and at < end and self._stayed(name)
        }  # fmt: skip

    def _stayed(self, name: str) -> bool:
        stays = self.stays.get(name, [])
        if not stays:
            return False
        began = min(day for day, _ in stays)
        end = began + timedelta(days=7)
        day = began
        while day <= end:
            if not any(a <= day and (b is None or b > day) for a, b in stays):
                return False
            day += timedelta(days=1)
        return end <= self.today

    def score(self, name: str) -> Score:
        sets = {
            "lost by leaving": self._left(), "silent or lost": self.has("lifecycle", "silent", "lost"),
            "lost": self.has("lifecycle", "lost"), "customer": self.has("trust", 5, 6) & self._ordered(),
            "advocate": self.has("trust", 6), "core": self.has("circle", "core") & self.talking,
            "inner circles": self.has("circle", "core", "influence") & self.talking,
            "mature": self.has("lifecycle", "mature"), "new": self.has("lifecycle", "new"),
            "two orders": self._ordered(2),
        }  # fmt: skip
        planted, found = self.truth[name], sets[name]
        return Score(name, len(planted), len(found), len(planted & found))

    def _left(self) -> set[str]:
        return {pk for pk, v in self.found.items() if "In no group" in v.why["lifecycle"].en}

    def _ordered(self, least: int = 1) -> set[str]:
        return {pk for pk, v in self.found.items() if v.values["orders"] >= least}

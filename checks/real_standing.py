"""RFM of standing against CDNOW: `python checks/real_standing.py DATA`.

DATA holds `cdnow_master.csv`, `cdnow_sample.csv` and `cdnow.expected.json`, computed by
independent scripts. Each order goes the way of a live one: told as an event, added to a sum of
its day, judged by the borders of the night. Prints each comparison; exit code 1 if one differs.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import django
import pyarrow.compute as pc

from qunluo.insight.inputs import read_orders

NAMES = ("recency", "frequency", "monetary")


def judged(path: Path) -> tuple[dict[str, Any], date]:
    """Verdicts by customer, on the day of the last order."""
    from qunluo.events.models import Event  # noqa: PLC0415 - Django is set up first
    from qunluo.standing.archive import judge_sums  # noqa: PLC0415 - settings first
    from qunluo.standing.sums import add_up  # noqa: PLC0415 - settings first

    table = read_orders(path).table
    ids = table["customer_id"].to_pylist()
    number = {name: place for place, name in enumerate(sorted(set(ids)), 1)}
    amounts = pc.fill_null(table["amount_minor"], 0).to_pylist()
    days = [at.date() for at in table["paid_at"].to_pylist()]
    events = (
        Event(community_id=1, kind="order_paid", member_id=number[name],
              at=datetime.combine(day, time(12), UTC), data={"amount_minor": amount})
        for name, day, amount in zip(ids, days, amounts, strict=True)
    )  # fmt: skip
    sums = add_up(events, {1: ZoneInfo("UTC")})
    found = judge_sums(sums, max(days))
    return {name: found[pk] for name, pk in number.items()}, max(days)


def comparisons(want: dict[str, Any], path: Path) -> Iterator[tuple[str, Any, Any]]:
    found, today = judged(path)
    rows = [tuple(int(v.values[name]) for name in NAMES) for v in found.values()]
    for place, letter in enumerate("RFM"):
        counts = Counter(row[place] for row in rows)
        mine = [counts[score] for score in range(1, 6)]
        yield f"{letter} classes", mine, want["rfm_threshold_score_counts"][letter]
    yield "555", rows.count((5, 5, 5)), want["rfm_threshold_555"]
    yield "111", rows.count((1, 1, 1)), want["rfm_threshold_111"]
    for name, days, orders, cents in want["first10_customers_RFM"]:
        values = next(v.values for n, v in found.items() if int(n) == name)
        mine = [(today - values["ordered_on"]).days, values["orders"], values["spent_minor"]]
        yield f"customer {name}", mine, [days, orders, cents]


def main() -> int:
    data = Path(sys.argv[1])
    os.environ["DJANGO_SETTINGS_MODULE"] = "qunluo.server.conf"
    os.environ["QUNLUO_DATA"] = tempfile.mkdtemp(prefix="qunluo-")
    django.setup()
    expected = json.loads((data / "cdnow.expected.json").read_text())
    wrong = 0
    for part in ("master", "sample"):
        for name, mine, theirs in comparisons(expected[part], data / f"cdnow_{part}.csv"):
            wrong += mine != theirs
            print(f"{'equal ' if mine == theirs else 'DIFFER'}  {part}: {name}")
            if mine != theirs:
                print(f"        mine {mine}\n        want {theirs}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

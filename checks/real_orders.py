"""Orders figures against CDNOW: `python checks/real_orders.py DATA`.

DATA holds `cdnow_master.csv`, `cdnow_sample.csv` and `cdnow.expected.json`, computed by
independent scripts. Prints each comparison; exit code 1 if one differs.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from qunluo.insight.figures import Facts
from qunluo.insight.inputs import read_orders
from qunluo.insight.metrics.buying import METRICS, buyers
from qunluo.insight.metrics.member_cubes import ORDERS

RATIO = 5e-7  # expected shares are rounded to six digits


def findings(path: Path) -> tuple[dict[str, Any], list[list[int]]]:
    """Values of the order figures, and recency, orders and amount of the first customers."""
    table = read_orders(path).table
    keys = pa.nulls(table.num_rows, pa.int64())
    cubes = {ORDERS.name: table.append_column("sender_key", keys)}
    facts = Facts("UTC", None, None, frozenset({"orders"}))
    found = buyers(cubes[ORDERS.name])
    rows = zip(found.ids, found.recency, found.orders, found.amount, strict=True)
    first = [[int(value) for value in row] for row in rows][:10]
    return {m.id: m.summarise(cubes, facts).value for m in METRICS}, first


def comparisons(want: dict[str, Any], path: Path) -> Iterator[tuple[str, Any, Any]]:
    found, first = findings(path)
    repeat, rfm = found["orders"], found["rfm"]
    threshold, rank = rfm["by_threshold"], rfm["by_rank"]
    yield "orders", repeat["orders"], want["rows"]
    yield "customers", repeat["customers"], want["customers"]
    yield "amount", repeat["amount_minor"], want["amount_total_cents"]
    yield "zero amounts", repeat["zero_amount"], want["zero_amount_rows"]
    yield "repeat rate by orders", repeat["by_orders"]["share"], want["repeat_rate_rows"]
    yield "repeat rate by days", repeat["by_days"]["share"], want["repeat_rate_days"]
    for name in ("rows", "distinct_days"):
        mine = repeat["by_orders" if name == "rows" else "by_days"]["customers"]
        yield f"repeat by {name}", mine, want[f"repeat_customers_{name}_ge2"]
    histogram = want["orders_per_customer_histogram"]
    yield "orders per customer", repeat["orders_per_customer"], histogram
    months = {k: list(v.values()) for k, v in repeat["months"].items()}
    yield "months", months, want["monthly_orders_amountcents_customers"]
    yield "cohorts", repeat["cohorts"], want["cohort_retention_customers"]
    for part, name in ((0.01, "1pct"), (0.1, "10pct"), (0.2, "20pct")):
        yield f"top {name}", repeat["top_share"][str(part)], want["amount_share_top"][name]
    wanted = want["rfm_cuts_20_40_60_80_nearest_rank"]
    for mine, theirs in (
        ("recency_days",) * 2,
        ("orders",) * 2,
        ("amount_minor", "amount_cents"),
    ):
        yield f"cuts of {mine}", rfm["cuts"][mine], wanted[theirs]
    classes = {name.upper(): threshold[name] for name in "rfm"}
    yield "threshold classes", classes, want["rfm_threshold_score_counts"]
    for cell in ("555", "111"):
        yield f"threshold {cell}", threshold[cell], want[f"rfm_threshold_{cell}"]
        yield f"rank {cell}", rank[cell], want[f"rfm_rank_{cell}"]
    yield "as of", rfm["as_of"], want["rfm_asof"]
    yield "first ten customers", first, want["first10_customers_RFM"]


def equal(mine: Any, theirs: Any) -> bool:
    if isinstance(mine, float):
        return bool(np.isclose(mine, theirs, rtol=0, atol=RATIO))
    return bool(mine == theirs)


def main() -> int:
    data = Path(sys.argv[1])
    expected = json.loads((data / "cdnow.expected.json").read_text())
    wrong = 0
    for part in ("master", "sample"):
        for name, mine, theirs in comparisons(expected[part], data / f"cdnow_{part}.csv"):
            same = equal(mine, theirs)
            wrong += not same
            print(f"{'equal ' if same else 'DIFFER'}  {part}: {name}")
            if not same:
                print(f"        mine {mine}\n        want {theirs}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

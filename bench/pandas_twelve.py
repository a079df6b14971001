"""The twelve count-like figures as an analyst would write them in pandas, and write them well.

The file is read once with the columns that are needed, ids become categories, every figure is
one or two group-bys. Nothing of Qunluo is used: this is what its figures are held against.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

COLUMNS = ["group_id", "sender_id", "sent_at", "kind", "message_id", "reply_to"]
ID = "group_id", "sender_id"


def figures(path: Path, zone: str) -> dict[str, Any]:
    """Each figure as a frame, under the name of the cube that holds the same."""
    messages = _read(path, zone)
    by_account = messages.groupby(list(ID), observed=True)
    return {
        "kind_count": _counted(messages.groupby("kind", observed=True)),
        "account_count": _counted(by_account),
        "speaker_count": _counted(messages.groupby("sender_id", observed=True)),
        "clock_count": _counted(messages.groupby("how")),
        "life_count": _counted(messages.groupby(["group_id", "month"], observed=True)),
        **_spoken(messages),
        "burst_count": _bursts(messages),
        "cohort_count": _cohorts(messages),
        **_answers(messages),
    }


def _read(path: Path, zone: str) -> Any:
    """Messages in order, with the local day, month, minute and hour of the week."""
    messages = pd.read_parquet(path, columns=COLUMNS)
    for name in ("group_id", "sender_id", "kind"):
        messages[name] = messages[name].astype("category")
    local = messages["sent_at"].dt.tz_convert(zone).dt.tz_localize(None)
    messages["day"] = local.dt.floor("D")
    messages["month"] = local.dt.to_period("M")
    messages["minute"] = local.dt.floor("min")
    messages["how"] = local.dt.day_of_week * 24 + local.dt.hour
    return messages


def _counted(groups: Any) -> Any:
    return groups.size().reset_index(name="n")


def _spoken(messages: Any) -> dict[str, Any]:
    """Messages and distinct speakers of each group, day, group's day and month."""
    keys = {
        "activity_count": ["group_id"],
        "day_count": ["day"],
        "group_day_count": ["group_id", "day"],
        "month_count": ["month"],
    }
    return {name: _speakers(messages, by) for name, by in keys.items()}


def _speakers(messages: Any, by: list[str]) -> Any:
    sender = messages.groupby(by, observed=True)["sender_id"]
    return sender.agg(n="size", speakers="nunique").reset_index()


def _bursts(messages: Any) -> Any:
    sizes = messages.groupby(["group_id", "minute"], observed=True).size()
    return sizes.value_counts().rename_axis("size").reset_index(name="minutes")


def _cohorts(messages: Any) -> Any:
    active = messages[["sender_id", "month"]].drop_duplicates()
    first = active.groupby("sender_id", observed=True)["month"].transform("min")
    return _counted(active.assign(first=first).groupby(["first", "month"]))


def _answers(messages: Any) -> dict[str, Any]:
    """Reply and adjacency pairs, and how long explicit answers by another took."""
    second = messages["sent_at"].dt.floor("s")
    rows = messages.assign(second=second)
    told = rows.loc[rows["reply_to"].notna(), [*ID, "second", "reply_to"]]
    known = rows.loc[rows["message_id"].isin(told["reply_to"])]
    known = known[["group_id", "message_id", "sender_id", "second"]]
    known.columns = pd.Index(["group_id", "reply_to", "other_id", "target_second"])
    met = told.merge(known, on=["group_id", "reply_to"])
    pairs = {"reply": met, "next": _neighbours(messages)}
    return {"pair_count": _pairs(pairs), "latency_count": _latency(met)}


def _neighbours(messages: Any) -> Any:
    """Each message with who wrote before it in its group."""
    rows = messages[[*ID, "sent_at"]].sort_values(["group_id", "sent_at"], kind="stable")
    rows["other_id"] = rows["sender_id"].shift()
    same = rows["group_id"].cat.codes.diff() == 0
    return rows[same]


def _pairs(pairs: dict[str, Any]) -> Any:
    """Of each tie, how many different pairs of accounts in a group, and how many times."""
    counts = {
        tie: rows.groupby([*ID, "other_id"], observed=True).size()
        for tie, rows in pairs.items()
    }
    return pd.DataFrame(
        [{"tie": tie, "pairs": len(n), "n": int(n.sum())} for tie, n in counts.items()]
    )


def _latency(met: Any) -> Any:
    others = met[met["sender_id"].astype(object) != met["other_id"].astype(object)]
    delay = (others["second"] - others["target_second"]).dt.total_seconds().astype("int64")
    return _counted(others.assign(delay_s=delay).query("delay_s >= 0").groupby("delay_s"))

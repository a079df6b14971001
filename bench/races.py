"""Interleaved rounds, and what the figures must hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.inputs import ZONE, Sized, child, sized, whatsapp
from bench.measuring import Cost, middle

STUDY = 510_000
LEAST = 500_000  # below, there is nothing to hold: starting Python is most of the cost
MOST_FOR_PANDAS = 20_000_000  # above, it needs more memory than common machines have

Run = Callable[[], Cost]


@dataclass(frozen=True)
class Limit:
    """A ratio of CPU seconds, or a figure of one contender, that must not be passed."""

    what: str
    found: float
    most: float
    unit: str = ""


@dataclass(frozen=True)
class Race:
    """Contenders on the same input with what they cost."""

    title: str
    costs: Mapping[str, Cost]
    limits: tuple[Limit, ...]


def rounds(
    contenders: Mapping[str, Run], count: int, *, warm_up: bool = True
) -> dict[str, Cost]:
    """The median cost of each, from rounds in which all take turns; the first is left out."""
    found: dict[str, list[Cost]] = {name: [] for name in contenders}
    for number in range(count + warm_up):
        for name, contender in contenders.items():
            cost = contender()
            if number or not warm_up:
                found[name].append(cost)
    return {name: middle(costs) for name, costs in found.items()}


def exports(messages: int, count: int, *, all_peers: bool = True) -> Race:
    """A WhatsApp text: Qunluo's import and whole report; the peers' load and statistics."""
    text = whatsapp(messages)
    with TemporaryDirectory(prefix="qunluo-bench-") as name:
        page = Path(name) / "report.html"
        costs = rounds(
            {
                "qunluo report": lambda: child("report", text, page),
                "whatstk": lambda: child("whatstk", text),
            },
            count,
        )
    if all_peers:
        costs["chat-miner (one run)"] = child("chatminer", text)
    ours = costs["qunluo report"]
    limits = (
        Limit("CPU, qunluo report / whatstk", ours.cpu / costs["whatstk"].cpu, 1 / 4),
        Limit("peak memory of qunluo report", ours.peak_mb, 600, " MB"),
    )
    told = limits if messages >= STUDY else ()
    return Race(f"{messages:,} messages of WhatsApp text", costs, told)


def counts(messages: int, count: int) -> Race:
    """The twelve count-like figures of one Parquet archive."""
    made = sized(messages)
    costs = {"qunluo import (once)": made.imported}
    with TemporaryDirectory(prefix="qunluo-bench-") as name:
        scratch = Path(name)
        with_pandas = messages <= MOST_FOR_PANDAS
        if with_pandas:
            agree(made, scratch)
        costs |= rounds(_counting(made, with_pandas=with_pandas), count)
        costs["qunluo twelve, warm, first time (one run)"] = child(
            "warm", made.archive, cache=scratch / "empty"
        )
    costs["qunluo every figure (one run)"] = child("figures", made.archive)
    title = f"{messages:,} messages in Parquet: the twelve counts"
    return Race(title, costs, tuple(_count_limits(messages, costs)))


def _counting(made: Sized, *, with_pandas: bool) -> dict[str, Run]:
    ours: dict[str, Run] = {
        "qunluo twelve, warm": lambda: child("warm", made.archive),
        "qunluo twelve, cold": lambda: child("cold", made.archive),
    }
    if with_pandas:
        ours["pandas twelve"] = lambda: child("pandas", made.messages, ZONE)
    return ours


def agree(made: Sized, scratch: Path) -> None:
    """Ends with an error unless all contenders find the same figures."""
    child("pandas", made.messages, ZONE, scratch / "pandas")
    child("warm", made.archive, scratch / "warm")
    child("cold", made.archive, scratch / "cold")
    child("compare", scratch / "pandas", scratch / "warm", scratch / "cold")


def _count_limits(messages: int, costs: Mapping[str, Cost]) -> list[Limit]:
    warm, cold = costs["qunluo twelve, warm"], costs["qunluo twelve, cold"]
    limits = []
    theirs = costs.get("pandas twelve")
    if theirs and messages >= LEAST:
        few = messages < 10_000_000
        for name, ours, most in (
            ("warm", warm, 1 / 3 if few else 1 / 20),
            ("cold", cold, 1.0 if few else 2 / 3),
        ):
            ratio = (ours.work or 0) / (theirs.work or 1)
            limits.append(Limit(f"CPU of the work, {name} / pandas", ratio, most))
            whole = ours.cpu / theirs.cpu
            limits.append(Limit(f"CPU of the process, {name} / pandas", whole, most))
    if messages >= 100_000_000:
        limits.append(Limit("CPU of the work, warm", warm.work or 0, 5, " s"))
    if messages >= 50_000_000:
        peak = max(costs[n].peak_mb for n in costs if n.startswith("qunluo"))
        limits.append(Limit("peak memory of qunluo", peak, 3_000, " MB"))
    return limits

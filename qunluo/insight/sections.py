"""Which figures a report shows, in which order, under which question."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable
from functools import cache
from importlib import import_module

from qunluo.insight import metrics as families
from qunluo.insight.figures import Metric
from qunluo.kit.text import Text

SECTIONS: tuple[tuple[str, Text, tuple[str, ...]], ...] = (
    ("talk", Text("The talk", "群里的聊天"),
     ("I1", "I3", "calendar", "I6", "bursts", "threads", "latency")),
    ("brand", Text("The brand and its groups", "品牌与群"),
     ("I2", "I4", "I5", "I13", "I14")),
    ("life", Text("Life of the groups", "群的生命"),
     ("I7", "I9", "I10", "I11", "survival_groups")),
    ("people", Text("The people", "群里的人"),
     ("I8", "I12", "circles", "ties", "reply_inference", "drives", "people")),
    ("stay", Text("Who stays", "谁留了下来"),
     ("membership", "retention", "survival_members", "cohorts", "stickiness")),
    ("feel", Text("How it feels", "群的温度"),
     ("presence", "recognition", "belonging", "pride", "needs")),
    ("money", Text("Health and money", "健康与转化"),
     ("health", "funnel", "orders", "rfm")),
)  # fmt: skip
"""Id, title, and the ids of its figures. A figure that no section names comes last."""

REST = ("more", Text("More", "更多"))


@cache
def all_metrics() -> tuple[Metric, ...]:
    """Every metric declared in a module of `insight.metrics`, in module order."""
    names = sorted(m.name for m in pkgutil.iter_modules(families.__path__))
    modules = [import_module(f"{families.__name__}.{n}") for n in names]
    return tuple(metric for m in modules for metric in getattr(m, "METRICS", ()))


def arranged(metrics: Iterable[Metric]) -> tuple[tuple[str, Text, tuple[Metric, ...]], ...]:
    """Sections with their metrics in display order; empty sections are left out."""
    left = {m.id: m for m in metrics}
    made = [
        (i, title, tuple(left.pop(n) for n in ids if n in left)) for i, title, ids in SECTIONS
    ]
    made.append((*REST, tuple(left.values())))
    return tuple(section for section in made if section[2])

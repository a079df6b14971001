"""How long a member's own poster takes, drawn for the first time and again.

`python -m bench --only posters`. Fonts are found once in a process and are told apart; each
poster has another name and another link, as those of different members have.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from dataclasses import dataclass

MOST_P95_MS = 200.0


@dataclass(frozen=True)
class Found:
    """Milliseconds: finding fonts with the first poster, another one's middle and p95 (and what
    of the middle the processor worked), the same one again; and the bytes of one."""

    first_ms: float
    median_ms: float
    p95_ms: float
    worked_ms: float
    again_ms: float
    size: int


def race(posters: int) -> Found:
    os.environ.setdefault("QUNLUO_DATA", tempfile.mkdtemp(prefix="qunluo-bench-"))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "qunluo.server.conf")
    import django

    django.setup()
    from qunluo.campaigns.posters import Poster, draw_png

    def poster(number: int) -> Poster:
        link = f"https://tea.example.com/c/ab12cd34?i={number}.45.1.20500~{number:043}"
        return Poster(
            "春日新茶：砍到底价带回家，三人成团再送品茗杯！", "邀请好友一起把价格砍下来。",
            "山里茶友会", f"王小明 {number}", link, "2026-12-01 截止",
        )  # fmt: skip

    def measured(number: int) -> float:
        began = time.perf_counter()
        draw_png(poster(number))
        return (time.perf_counter() - began) * 1_000

    first, worked = measured(0), time.process_time()
    each = sorted(measured(number) for number in range(1, posters + 1))
    worked = (time.process_time() - worked) * 1_000 / posters
    p95 = each[min(len(each) - 1, int(len(each) * 0.95))]
    again = measured(posters)
    return Found(first, statistics.median(each), p95, worked, again, len(draw_png(poster(1))))


def tell(found: Found) -> list[str]:
    met = "met" if found.p95_ms < MOST_P95_MS else "MISSED"
    return [
        "Posters",
        f"  first (fonts are found) {found.first_ms:8.1f} ms",
        f"  each, median            {found.median_ms:8.1f} ms",
        f"  each, p95               {found.p95_ms:8.1f} ms   < {MOST_P95_MS:.0f} ms: {met}",
        f"  of it, at work          {found.worked_ms:8.1f} ms   (the rest waits for the processor)",
        f"  the same again          {found.again_ms:8.1f} ms",
        f"  size                    {found.size / 1_000:8.1f} kB",
    ]

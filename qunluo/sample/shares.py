"""Shares by which kinds, hours, push sizes and tones are drawn, as lookup tables."""

from __future__ import annotations

import numpy as np

from qunluo.archive.schema import KINDS
from qunluo.sample.numbers import Array, table_of
from qunluo.sample.texts import CODE

UNUSED = ("action", "bot_command", "payment", "game", "mixed", "todo")
"""The study saw 31 kinds; these six of ours are not among a sample's."""

# Rare kinds get what is left, in equal parts, so that all of them turn up.
BRAND_KINDS = {
    "text": 0.355, "image": 0.352, "mini_program": 0.118, "link": 0.058, "video": 0.028,
    "article": 0.02, "sticker": 0.018, "product": 0.012, "announcement": 0.009, "live": 0.007,
    "form": 0.005, "file": 0.004, "voice": 0.003, "channels_video": 0.00355, "red_packet": 0.002,
}  # fmt: skip
MEMBER_KINDS = {
    "text": 0.722, "sticker": 0.105, "image": 0.098, "voice": 0.027, "gif": 0.012,
    "red_packet": 0.007, "mini_program": 0.006, "video": 0.006, "link": 0.005, "forward": 0.002,
    "channels_video": 0.002, "poke": 0.002,
}  # fmt: skip
SYSTEM_KINDS = {"system": 0.84, "recalled": 0.13, "poke": 0.03}
RARE = (
    "music", "location", "contact", "transfer", "forward", "note", "poke", "poll", "calendar",
    "meeting", "document", "call", "other", "gif",
)  # fmt: skip
SHILL_KINDS = {"text": 0.68, "sticker": 0.29, "image": 0.03}

MEMBER_HOURS = (
    2, 1, 0.6, 0.4, 0.5, 1.5, 6, 18, 34, 38, 31, 24, 22, 17, 15, 15, 16, 16, 17, 19, 22, 21, 15, 7,
)  # fmt: skip
BRAND_HOURS = (
    0, 0, 0, 0, 0, 0, 0, 2, 9, 36, 40, 16, 7, 9, 30, 34, 33, 28, 8, 7, 6, 3, 1, 0,
)  # fmt: skip
SYSTEM_HOURS = (1, 1, 1, 1, 1, 1, 2, 5, 8, 10, 10, 9, 8, 8, 9, 9, 9, 9, 8, 8, 8, 7, 5, 2)
PUSH_SIZES = {
    1: 0.57,
    2: 0.27,
    3: 0.06,
    4: 0.02,
    5: 0.01,
    6: 0.006,
    7: 0.004,
    8: 0.038,
    9: 0.022,
}

TALK = (
    {
        "chat": 0.62,
        "question": 0.12,
        "praise": 0.12,
        "complaint": 0.04,
        "need": 0.05,
        "draw": 0.05,
    },
    {"draw": 0.62, "chat": 0.26, "question": 0.06, "praise": 0.06},  # draw-driven
    {"question": 0.52, "chat": 0.28, "complaint": 0.1, "need": 0.1},  # question-driven
    {"chat": 0.5, "praise": 0.22, "question": 0.16, "koc": 0.02, "need": 0.1},  # KOC-driven
    {"need": 0.3, "complaint": 0.25, "chat": 0.35, "question": 0.1},  # one topic, many people
    {"chat": 0.85, "praise": 0.1, "need": 0.05},  # a monologue
    {"shill": 0.82, "praise": 0.08, "chat": 0.1},
)
"""What member messages are about, by tone (`lives.TONES`)."""
KOC_TALK = {"koc": 0.62, "chat": 0.25, "praise": 0.13}
BRAND_TALK = {"product": 0.66, "tip": 0.16, "greet": 0.18}


def kind_table(shares: dict[str, float], rare: bool = True) -> Array:
    """Kinds as numbers of `KINDS`."""
    left = max(0.0, 1 - sum(shares.values()))
    extra = {kind: left / len(RARE) for kind in RARE} if rare else {}
    keys = [*shares, *(k for k in extra if k not in shares)]
    return table_of({KINDS.index(k): shares.get(k, 0) + extra.get(k, 0) for k in keys})


def purpose_table(shares: dict[str, float]) -> Array:
    """Purposes of texts as numbers of `texts.PURPOSES`."""
    return table_of({CODE[p]: share for p, share in shares.items()}, 1 << 12)


def minute_table(hours: tuple[float, ...]) -> Array:
    """Minutes of the day, following a smooth curve through the shares of hours."""
    around = np.array([hours[-1], *hours, hours[0]], np.float64)
    middle = (np.arange(-1, 25) + 0.5) * 60
    curve = np.interp(np.arange(1440) + 0.5, middle, around)
    by_hour = np.maximum(curve.reshape(24, 60), 1e-9)
    exact = by_hour * (np.array(hours) / by_hour.sum(axis=1))[:, None]
    return table_of(exact.ravel().tolist(), 1 << 16)

"""What drawn messages are about: their kind and their text, as numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qunluo.archive.schema import KINDS
from qunluo.sample.draws import BRAND, MEMBER, MENTION, QUOTE, SYSTEM, Rows
from qunluo.sample.groups import Groups
from qunluo.sample.lives import DRAW, Lives
from qunluo.sample.lives import SHILL as SHILL_TONE
from qunluo.sample.numbers import Array, Random, draw
from qunluo.sample.people import KOC, Members
from qunluo.sample.shares import (
    BRAND_KINDS,
    BRAND_TALK,
    KOC_TALK,
    MEMBER_KINDS,
    SHILL_KINDS,
    SYSTEM_KINDS,
    TALK,
    kind_table,
    purpose_table,
)
from qunluo.sample.texts import CODE, Pool

TEXT = KINDS.index("text")
TITLED = (
    "link", "mini_program", "article", "product", "channels_video", "live", "document", "form",
    "meeting", "calendar", "poll", "note", "music", "location",
)  # fmt: skip
ASKING = ("question", "need", "complaint")
NO_TEXT = -1


@dataclass(frozen=True)
class Content:
    """`kind` numbers `KINDS`, `text` the pool (or NO_TEXT)."""

    kind: Array
    text: Array


class Writer:
    """Fills rows with kinds and texts."""

    def __init__(self, pool: Pool, groups: Groups, lives: Lives, members: Members) -> None:
        self.pool, self.members = pool, members
        self.trade = groups.trade.astype(np.int32)
        self.lottery = np.array([c.lottery for c in lives.campaigns], bool)
        self.kinds = {BRAND: kind_table(BRAND_KINDS), MEMBER: kind_table(MEMBER_KINDS),
                      SYSTEM: kind_table(SYSTEM_KINDS, rare=False)}  # fmt: skip
        self.shill_kinds = kind_table(SHILL_KINDS, rare=False)
        self.talk = np.stack([purpose_table(shares) for shares in TALK])
        self.koc, self.brand = purpose_table(KOC_TALK), purpose_table(BRAND_TALK)
        self.titled = np.isin(KINDS, TITLED)
        self.spoken = self.titled | np.isin(KINDS, ("text", "announcement", "system"))

    def write(self, random: Random, rows: Rows) -> Content:
        """Kind and text of every row."""
        kind = self._kinds(random, rows)
        purpose = self._purposes(random, rows)
        purpose[self.titled[kind]] = CODE["title"]
        has = np.flatnonzero(self.spoken[kind])
        text = np.full(len(rows), NO_TEXT, np.int32)
        text[has] = self.pool.pick(random, self.trade[rows.group[has]], purpose[has])
        return Content(kind, text)

    def _kinds(self, random: Random, rows: Rows) -> Array:
        kind = np.empty(len(rows), np.int8)
        for klass, table in self.kinds.items():
            mine = np.flatnonzero(rows.klass == klass)
            kind[mine] = draw(random, table, len(mine))
        shills = np.flatnonzero(rows.tone == SHILL_TONE)
        kind[shills] = draw(random, self.shill_kinds, len(shills))
        worded = (rows.campaign >= 0) | (rows.evidence == MENTION) | (rows.evidence == QUOTE)
        kind[worded | ((rows.klass == BRAND) & (rows.target >= 0))] = TEXT
        return kind

    def _purposes(self, random: Random, rows: Rows) -> Array:
        dice = random.integers(0, self.talk.shape[1], len(rows), dtype=np.int32)
        purpose = self.talk[rows.tone, dice]
        brand = rows.klass == BRAND
        purpose[brand] = self.brand[dice[brand]]
        purpose[rows.klass == SYSTEM] = CODE["system"]
        koc = (rows.member >= 0) & (self.members.part[rows.member] == KOC)
        purpose[koc] = self.koc[dice[koc]]
        self._campaigns(rows, purpose)
        self._answers(random, rows, purpose)
        return purpose

    def _campaigns(self, rows: Rows, purpose: Array) -> None:
        planted = np.flatnonzero(rows.campaign >= 0)
        lottery = self.lottery[rows.campaign[planted]] if len(planted) else np.zeros(0, bool)
        purpose[planted] = np.where(lottery, CODE["lottery"], CODE["campaign"])

    def _answers(self, random: Random, rows: Rows, purpose: Array) -> None:
        """An asked question gets an answer; other talk is answered by talk."""
        answers = np.flatnonzero(rows.target >= 0)
        asked = np.isin(purpose[rows.target[answers]], [CODE[p] for p in ASKING])
        half = random.random(len(answers)) < 0.5
        talk = (rows.klass[answers] == MEMBER) & (rows.tone[answers] != DRAW)
        purpose[answers[talk & (asked | half)]] = CODE["answer"]
        purpose[answers[rows.klass[answers] == BRAND]] = CODE["reply"]

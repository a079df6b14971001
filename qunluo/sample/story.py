"""Everything planned about one sample, from which the rows of any day can be made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from qunluo.sample.accounts import Accounts, plan_accounts
from qunluo.sample.clock import Clock
from qunluo.sample.contents import Content, Writer
from qunluo.sample.counts import plan_counts, plan_slabs
from qunluo.sample.draws import Drawing, Rows
from qunluo.sample.friends import Friends, plan_friends
from qunluo.sample.groups import Groups, plan_groups
from qunluo.sample.lives import Lives, plan_lives
from qunluo.sample.numbers import Random, stream
from qunluo.sample.pace import Pace, plan_pace
from qunluo.sample.people import People, plan_people
from qunluo.sample.plan import Plan
from qunluo.sample.planted import Planted, plan_planted
from qunluo.sample.tables import Typesetter
from qunluo.sample.texts import Pool, text_pool


@dataclass(frozen=True)
class Slab:
    """Some days of messages: their numbers, their content, and how many came before."""

    rows: Rows
    content: Content
    random: Random
    before: int


class Story:
    """Everything planned, from which the rows of any day can be made."""

    def __init__(self, plan: Plan) -> None:
        plan.check()
        self.plan, self.clock = plan, Clock(plan)
        self.groups: Groups = plan_groups(plan)
        self.lives: Lives = plan_lives(plan, self.groups, self.clock)
        self.people: People = plan_people(plan, self.groups, self.lives)
        self.accounts: Accounts = plan_accounts(plan, self.groups, self.people)
        self.pool: Pool = text_pool()
        self.setter = Typesetter(self.pool, self.groups, self.accounts, self.clock)

    @cached_property
    def planted(self) -> Planted:
        return plan_planted(self.plan, self.groups, self.lives, self.people.members)

    @cached_property
    def pace(self) -> Pace:
        """What was to be said, before the dice."""
        return plan_pace(self.groups, self.lives, self.people.members, self.planted)

    @cached_property
    def friends(self) -> Friends:
        return plan_friends(self.plan, self.people.members, self.pace.rate)

    def slabs(self) -> Iterator[Slab]:
        """All messages, in order of time, a bounded number at once."""
        members, planted = self.people.members, self.planted
        counts = plan_counts(self.plan, self.groups, self.lives, members, planted)
        drawing = Drawing(self.plan.seed, self.groups, self.lives, self.people, counts, planted,
                          self.friends)  # fmt: skip
        writer = Writer(self.pool, self.groups, self.lives, members)
        before = 0
        for start, end in plan_slabs(self.clock, counts):
            rows, random = drawing.rows(start, end), stream(self.plan.seed, "content", start)
            yield Slab(rows, writer.write(random, rows), random, before)
            before += len(rows)

"""A member's ties on their page: a small drawing, and the same as a list; who has none yet."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from qunluo.community.models import Community
from qunluo.console.wording import current_lang
from qunluo.groups.models import Group, Membership
from qunluo.members.models import Member
from qunluo.standing.ties import Partner, list_tied, list_ties, medians_of, ties_of

DRAWN = 10
LISTED = 30
NAMED = 30  # members without a tie on a group's page
WIDTH, HEIGHT = 340, 300
MIDDLE = (170, 145)
REACH = (112, 105)
LETTERS = 7  # of a name in the drawing


@dataclass(frozen=True)
class Spot:
    """A circle with its name, in the drawing's units."""

    x: int
    y: int
    name: str
    strong: bool = False
    me: bool = False

    @property
    def below(self) -> int:
        """Where the name stands."""
        return self.y + 27


@dataclass(frozen=True)
class Line:
    x1: int
    y1: int
    x2: int
    y2: int
    look: str  # strong, weak, or aside: between two others


@dataclass(frozen=True)
class Drawing:
    width: int
    height: int
    spots: list[Spot]
    lines: list[Line]


def context_of(member: Member) -> dict[str, Any]:
    """What the part of the page about ties shows."""
    partners, lang = ties_of(member), current_lang()
    return {
        "ties": [(partner, partner.why(lang)) for partner in partners[:LISTED]],
        "ties_more": max(0, len(partners) - LISTED),
        "ties_strong": sum(partner.strong for partner in partners),
        "tie_medians": medians_of(member.community),
        "drawing": draw(member, partners[:DRAWN]) if partners else None,
    }  # fmt: skip


def draw(member: Member, partners: list[Partner]) -> Drawing:
    """The member in the middle, the others around, strong ties thicker."""
    me = Spot(*MIDDLE, _short(member.name), me=True)
    around = {
        partner.member.pk: _place(at, len(partners), partner)
        for at, partner in enumerate(partners)
    }
    lines = [
        Line(around[one].x, around[one].y, around[other].x, around[other].y, "aside")
        for one, other in _between(member.community, list(around))
    ] + [
        Line(me.x, me.y, spot.x, spot.y, "strong" if spot.strong else "weak")
        for spot in around.values()
    ]  # fmt: skip
    return Drawing(WIDTH, HEIGHT, [*around.values(), me], lines)


def _place(at: int, n: int, partner: Partner) -> Spot:
    angle = 2 * math.pi * at / n - math.pi / 2
    x, y = MIDDLE[0] + REACH[0] * math.cos(angle), MIDDLE[1] + REACH[1] * math.sin(angle)
    return Spot(round(x), round(y), _short(partner.member.name), partner.strong)


def _short(name: str) -> str:
    return name if len(name) <= LETTERS else f"{name[: LETTERS - 1]}…"


def _between(community: Community, ids: list[int]) -> list[tuple[int, int]]:
    """Ties among the others, of the last night."""
    return list(list_ties(community, ids).order_by("pk").values_list("one_id", "other_id"))


def lonely_of(group: Group) -> dict[str, Any]:
    """Members of a group who have no tie yet, the newest first: n of m."""
    seats = Membership.objects.filter(
        group=group, left_at=None, member__merged_into=None, member__erased_at=None
    )
    ids = list(seats.order_by("-joined_at", "-pk").values_list("member_id", flat=True))
    tied: set[int] = set()
    for begin in range(0, len(ids), 500):
        tied |= list_tied(group.community, ids[begin : begin + 500])
    lonely = [pk for pk in ids if pk not in tied]
    people = Member.objects.in_bulk(lonely[:NAMED])
    return {
        "lonely": [people[pk] for pk in lonely[:NAMED]], "lonely_n": len(lonely),
        "lonely_of": len(ids), "lonely_more": max(0, len(lonely) - NAMED),
    }  # fmt: skip

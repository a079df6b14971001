"""Who might be introduced to whom, and why. Pure.

Ranked by how much a pair would connect: somebody without a tie and somebody with some, then two
of separate clusters, then two without; what they share decides among equals.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from qunluo.kit.text import Text

MOST_INTEREST = 5.0  # below 10: so the interest never outweighs what connects
MOST_NAMED = 3
Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Person:
    """A member of a group; `cluster` is −1 for who has no tie in it."""

    pk: int
    name: str
    tags: frozenset[int]
    tied: bool  # with anybody of the community
    joined_days: int
    cluster: int = -1
    circle: int = 0  # how many are in the cluster


@dataclass(frozen=True)
class Tagged:
    """What the tags of a group's members say. `shares`: of its members, who have each tag."""

    names: dict[int, str]
    shares: dict[int, float]
    complements: frozenset[Pair] = field(default_factory=frozenset)  # smaller id first


@dataclass(frozen=True, slots=True)
class Match:
    """A pair (smaller id first) with its rank and reasons."""

    one: int
    other: int
    score: float
    reasons: tuple[Text, ...]


def ordered(one: int, other: int) -> Pair:
    return (one, other) if one < other else (other, one)


def find_matches(
    people: Sequence[Person], tagged: Tagged, apart: set[Pair], *, new_days: int
) -> list[Match]:
    """Every pair with something in common or to complement, the most connecting first; but for
    those of `apart`."""
    ready = sorted((p for p in people if p.tags), key=lambda p: p.pk)
    found = []
    for at, one in enumerate(ready):
        for other in ready[at + 1 :]:
            interest = find_interest(one, other, tagged)
            if interest and (one.pk, other.pk) not in apart:
                score = connects(one, other, new_days) + min(interest, MOST_INTEREST) / 10
                found.append((score, one, other))
    found.sort(key=lambda f: (-f[0], f[1].pk, f[2].pk))
    return [
        Match(a.pk, b.pk, round(score, 4), tell_reasons(a, b, tagged, new_days))
        for score, a, b in found
    ]


def find_interest(one: Person, other: Person, tagged: Tagged) -> float:
    """A shared tag counts from a half, where all have it, to one, where few do; one that
    complements another counts one."""
    shared = sum(1 - tagged.shares.get(tag, 1.0) / 2 for tag in one.tags & other.tags)
    return shared + len(list_complements(one, other, tagged))


def list_complements(one: Person, other: Person, tagged: Tagged) -> list[Pair]:
    """Tags of the two that complement each other: the one's, the other's."""
    if not tagged.complements:
        return []
    return [
        (mine, theirs)
        for mine in sorted(one.tags)
        for theirs in sorted(other.tags)
        if mine != theirs and ordered(mine, theirs) in tagged.complements
    ]


def connects(one: Person, other: Person, new_days: int) -> float:
    """How much a tie between them would connect; what newcomers without a tie have of it most."""
    lonely = [p for p in (one, other) if not p.tied]
    new = 1.0 if any(p.joined_days <= new_days for p in lonely) else 0.0
    if len(lonely) == 1:
        return 3.0 + new
    if lonely:
        return 2.0 + new
    return 3.0 if are_apart(one, other) else 0.0


def are_apart(one: Person, other: Person) -> bool:
    """Of two separate clusters of the group."""
    return min(one.cluster, other.cluster) >= 0 and one.cluster != other.cluster


def tell_reasons(one: Person, other: Person, tagged: Tagged, new_days: int) -> tuple[Text, ...]:
    """For those who decide, not for the two."""
    return (
        *_tell_shared(one, other, tagged),
        *_tell_complements(one, other, tagged),
        *_tell_apart(one, other),
        *(_tell_lonely(p, new_days) for p in (one, other) if not p.tied),
    )


def _tell_shared(one: Person, other: Person, tagged: Tagged) -> Iterable[Text]:
    rare = sorted(one.tags & other.tags, key=lambda tag: (tagged.shares.get(tag, 1.0), tag))
    names = [tagged.names[tag] for tag in rare[:MOST_NAMED]]
    if names:
        yield Text(f"Both have: {', '.join(names)}", f"共同标签：{'、'.join(names)}")


def _tell_complements(one: Person, other: Person, tagged: Tagged) -> Iterable[Text]:
    for mine, theirs in list_complements(one, other, tagged)[:MOST_NAMED]:
        a, b = tagged.names[mine], tagged.names[theirs]
        yield Text(f"“{a}” and “{b}” complement each other", f"“{a}”与“{b}”互补")


def _tell_apart(one: Person, other: Person) -> Iterable[Text]:
    if are_apart(one, other):
        a, b = one.circle, other.circle
        yield Text(
            f"They move in separate circles of {a} and {b} members",
            f"分属两个小圈子（{a} 人与 {b} 人）",
        )


def _tell_lonely(person: Person, new_days: int) -> Text:
    name, days = person.name, person.joined_days
    if days <= new_days:
        return Text(
            f"{name} joined {days} days ago and has no tie yet",
            f"{name} 入群 {days} 天，还没有任何关系",
        )
    return Text(f"{name} has no tie yet", f"{name} 还没有任何关系")


def choose(
    matches: Iterable[Match], *, most: int, each: int, taken: dict[int, int] | None = None
) -> list[Match]:
    """The first ones, with nobody in more than `each`; `taken` is how often each is in some
    already."""
    seats, chosen = dict(taken or {}), list[Match]()
    for match in matches:
        if len(chosen) == most:
            break
        if max(seats.get(match.one, 0), seats.get(match.other, 0)) < each:
            chosen.append(match)
            for end in (match.one, match.other):
                seats[end] = seats.get(end, 0) + 1
    return chosen

"""Who brought whom, as a graph: generations, how soon people invite, who brings the most.

A generation is how many invitations lie between somebody and those who came by themselves; K is
how many friends one of a generation brought. Ties to oneself (two accounts that turned out to be
one person) count nowhere.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median

from django.db.models import F, QuerySet, Sum

from qunluo.campaigns.models import Attribution, Campaign
from qunluo.commerce.models import Order
from qunluo.community.models import Community
from qunluo.groups.models import Membership
from qunluo.members.models import Member
from qunluo.members.queries import live_members

PAID = ("paid", "fulfilled", "completed", "refunded")
CORE = 20


@dataclass(frozen=True)
class Generation:
    """`members` who are so far from those who came by themselves, and whom they brought."""

    number: int
    members: int
    brought: int

    @property
    def k(self) -> float:
        return self.brought / self.members if self.members else 0.0


@dataclass(frozen=True)
class Branch:
    """Somebody with what they brought: friends, all below them, who stayed, and what friends
    have paid (less what went back), in minor units."""

    member: Member
    friends: int
    below: int
    stayed: int
    paid_minor: int


@dataclass
class Chain:
    """The graph of a community, or of one campaign."""

    inviter: dict[int, int] = field(default_factory=dict)
    at: dict[int, datetime] = field(default_factory=dict)
    friends: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    alone: set[int] = field(default_factory=set)  # came by themselves

    def depths(self) -> dict[int, int]:
        """The generation of everybody who can be reached from those at the beginning; who is
        part of a circle is not."""
        result = dict.fromkeys(self.roots(), 0)
        edge = list(result)
        while edge:
            following = [
                f for one in edge for f in self.friends.get(one, ()) if f not in result
            ]
            result |= {f: result[self.inviter[f]] + 1 for f in following}
            edge = following
        return result

    def roots(self) -> set[int]:
        return self.alone | {one for one in self.friends if one not in self.inviter}

    def below(self) -> Counter[int]:
        """How many there are under each, friends of friends included."""
        depths = self.depths()
        result: Counter[int] = Counter()
        for one in sorted(depths, key=lambda m: -depths[m]):
            if one in self.inviter:
                result[self.inviter[one]] += result[one] + 1
        return result


# the graph


def read_chain(
    community: Community, *, campaign: Campaign | None = None, since: datetime | None = None
) -> Chain:
    """Who brought whom: all, those who came by one campaign, those who came since."""
    chain = Chain()
    rows = _rows(community, campaign, since).order_by("pk")
    by_themselves = rows.filter(inviter=None)
    chain.alone = set(by_themselves.values_list("member", flat=True))
    brought = rows.filter(inviter__isnull=False)
    for member, inviter, at in brought.values_list("member", "inviter", "at"):
        chain.at[member], chain.inviter[member] = at, inviter
        chain.friends[inviter].append(member)
    return chain


def _rows(
    community: Community, campaign: Campaign | None, since: datetime | None
) -> QuerySet[Attribution]:
    rows = Attribution.objects.filter(community=community).exclude(inviter=F("member"))
    rows = rows.filter(member__merged_into=None)
    rows = rows.filter(campaign=campaign) if campaign else rows
    return rows.filter(at__gte=since) if since else rows


def list_generations(chain: Chain) -> list[Generation]:
    """From those who came by themselves on: how many there are, and whom they brought."""
    members, brought = Counter[int](), Counter[int]()
    for member, depth in chain.depths().items():
        members[depth] += 1
        brought[depth] += len(chain.friends.get(member, ()))
    return [Generation(n, members[n], brought[n]) for n in sorted(members)]


def time_to_invite(chain: Chain, joined: Mapping[int, datetime]) -> timedelta | None:
    """The middle of the times from joining to the first friend; None where nobody brought one.
    `joined`: when those came who brought somebody."""
    first = {one: min(chain.at[f] for f in friends) for one, friends in chain.friends.items()}
    spans = [(at - joined[one]).total_seconds() for one, at in first.items() if one in joined]
    return timedelta(seconds=median(spans)) if spans else None


def joined_at(members: Iterable[int]) -> dict[int, datetime]:
    return dict(Member.objects.filter(pk__in=set(members)).values_list("pk", "made_at"))


def organic_share(community: Community, *, since: datetime | None = None) -> float | None:
    """Of those who came (since), how many came by themselves; None where nobody came."""
    came = live_members(community)
    came = came.filter(made_at__gte=since) if since else came
    total = came.count()
    invited = came.filter(attribution__inviter__isnull=False)
    return 1 - invited.exclude(attribution__inviter=F("pk")).count() / total if total else None


# who brings the most


def list_core(community: Community, chain: Chain, *, most: int = CORE) -> list[Branch]:
    """Who brought the most who stayed and bought: the order is that of friends who stayed, then
    of what friends paid, then of everybody below."""
    below = chain.below()
    some = sorted(chain.friends, key=lambda m: (-len(chain.friends[m]), -below[m], m))
    branches = list_branches(community, chain, some[: most * 5])
    ranked = sorted(branches, key=lambda b: (-b.stayed, -b.paid_minor, -b.below, b.member.pk))
    return ranked[:most]


def list_branches(community: Community, chain: Chain, members: Sequence[int]) -> list[Branch]:
    """What each of them brought, in the given order."""
    below, friends = chain.below(), [f for m in members for f in chain.friends.get(m, ())]
    there, paid = _who_stayed(friends), _what_paid(friends)
    people = Member.objects.filter(community=community).in_bulk(members)
    return [
        Branch(
            people[m], len(chain.friends.get(m, ())), below[m],
            sum(f in there for f in chain.friends.get(m, ())),
            sum(paid.get(f, 0) for f in chain.friends.get(m, ())),
        )
        for m in members if m in people
    ]  # fmt: skip


def _who_stayed(members: Sequence[int]) -> set[int]:
    seats = Membership.objects.filter(member__in=members, left_at=None)
    return set(seats.values_list("member", flat=True))


def _what_paid(members: Sequence[int]) -> dict[int, int]:
    orders = Order.objects.filter(member__in=members, state__in=PAID)
    rows = orders.values_list("member").annotate(n=Sum(F("paid_minor") - F("refunded_minor")))
    return dict(rows.order_by())


def list_path(chain: Chain, member: int) -> list[int]:
    """From the beginning of the chain down to somebody's inviter."""
    path: list[int] = []
    while (member := chain.inviter.get(member, 0)) and member not in path:
        path.append(member)
    return path[::-1]

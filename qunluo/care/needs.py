"""Needs and complaints found in talk, by the rule of the report, feeding the wish list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet

from qunluo.care.errors import NeedGoneError, WhyMissingError
from qunluo.care.models import Need, Wish
from qunluo.care.wishes import do_make_wish
from qunluo.community.models import Community
from qunluo.events.actions import record
from qunluo.events.models import Event
from qunluo.insight.metrics.wishes import FAMILIES, clusters, find_family
from qunluo.kit import clock
from qunluo.kit.text import Text
from qunluo.messaging.models import Message

WINDOW = timedelta(days=30)
READ = 2_000  # needs that suggestions are made from
QUOTES = 4  # of one suggestion
ALONE = 30  # needs that nobody shares, shown one by one


@dataclass(frozen=True)
class Suggestion:
    """What several members said alike, or one said alone; `needs` are the latest first."""

    words: tuple[str, ...]
    needs: tuple[Need, ...]
    people: int

    @property
    def ids(self) -> str:
        """Which needs, as a form names them."""
        return " ".join(str(need.pk) for need in self.needs)

    @property
    def quotes(self) -> tuple[Need, ...]:
        return self.needs[:QUOTES]

    @property
    def title(self) -> str:
        """What a wish made of it may be called."""
        return " ".join(self.needs[0].message.text.split())[:80]


def family_name(family: str) -> Text:
    found = FAMILIES.get(family)
    return found.name if found else Text(family, family)


def is_complaint(family: str) -> bool:
    return family in FAMILIES and FAMILIES[family].complaint


# hearing


def do_hear(events: Sequence[Event]) -> None:
    """Keeps which messages voiced a need, of those that members posted lately. The same event
    twice is once."""
    ids = [e.data.get("message") for e in events if e.data.get("label") == "member"]
    rows = Message.objects.filter(pk__in=[i for i in ids if i], at__gte=clock.now() - WINDOW)
    said = rows.exclude(text="").exclude(member=None).select_related("group").order_by("pk")
    found = ((message, find_family(message.text)) for message in said)
    Need.objects.bulk_create(
        [
            Need(community_id=message.group.community_id, group=message.group,
                 member_id=message.member_id or 0, message=message, family=family, at=message.at)
            for message, family in found if family is not None
        ],
        ignore_conflicts=True,
    )  # fmt: skip


# reading


def list_open_needs(community: Community) -> QuerySet[Need]:
    """What was heard lately and still can be read, the latest first."""
    rows = Need.objects.filter(
        community=community, state="open", at__gte=clock.now() - WINDOW,
        message__recalled_at=None, message__hidden_at=None,
    )  # fmt: skip
    return rows.select_related("message", "member", "group").order_by("-at", "-pk")


def list_suggestions(community: Community) -> tuple[list[Suggestion], list[Suggestion]]:
    """What three members or more said alike, those most say first; and what stands alone."""
    needs = list(list_open_needs(community)[:READ])
    said = [(need.member_id, need.message.text) for need in needs]
    shared = [
        Suggestion(found.words, tuple(needs[row] for row in found.rows), found.people)
        for found in clusters(said)
    ]
    taken = {need.pk for suggestion in shared for need in suggestion.needs}
    alone = [Suggestion((), (need,), 1) for need in needs if need.pk not in taken]
    return shared, alone[:ALONE]


# deciding


@transaction.atomic
def do_take_needs(community: Community, ids: Sequence[int], *, title: str, by: str) -> Wish:
    """Makes a wish of what members said. Nobody has voted for it yet: a vote is one's own.
    Raises `NeedGoneError`, `WordsMissingError`."""
    wish = do_make_wish(community, title=title, by=by)
    n = _decide(community, ids, state="taken", by=by, wish=wish)
    record("needs_taken", community=community.pk, actor=by, data={"wish": wish.pk, "n": n})
    return wish


@transaction.atomic
def do_dismiss_needs(community: Community, ids: Sequence[int], *, why: str, by: str) -> int:
    """Says that nothing comes of it, and why; how many. Raises `NeedGoneError`,
    `WhyMissingError`."""
    why = why.strip()[:200]
    if not why:
        raise WhyMissingError
    n = _decide(community, ids, state="dismissed", by=by, why=why)
    record("needs_dismissed", community=community.pk, actor=by, data={"n": n, "why": why})
    return n


def _decide(community: Community, ids: Sequence[int], **values: object) -> int:
    """Whoever comes first decides."""
    waiting = Need.objects.filter(community=community, pk__in=list(ids)[:READ], state="open")
    n = waiting.update(**values)
    if not n:
        raise NeedGoneError
    return n

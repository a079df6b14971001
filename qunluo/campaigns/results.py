"""What came of a campaign, each figure counted twice: from its own rows, and from the books it
must agree with (the ledger, the record, the shop's payments)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum

from qunluo.campaigns.coupons import UNIT, offer_id
from qunluo.campaigns.live import of_campaign
from qunluo.campaigns.mechanics.kernel import RESERVED, SPENT
from qunluo.campaigns.models import Campaign, Coupon, Deed, Play, Reward
from qunluo.campaigns.words import BOOKS, FIGURES
from qunluo.campaigns.writing import HELPS
from qunluo.commerce.models import Order, OrderLine, Payment, Refund
from qunluo.commerce.pricing import replay
from qunluo.community.queries import settings_of
from qunluo.events.models import Event
from qunluo.kit.text import Text
from qunluo.ledger.models import Account, Entry
from qunluo.ledger.moments import one_moment

COUNT = ""  # the unit of what is counted
OF_MEMBERS = ("campaign_joined", "campaign_helped", "campaign_acted")


@dataclass(frozen=True)
class Figure:
    """A figure: `here` from the campaign's rows, `there` from the book named `book`. `unit` is
    "" for a count, a currency (`CNY`) for money of orders, else a unit of the ledger."""

    name: str
    unit: str
    here: int
    there: int
    book: str

    @property
    def reconciles(self) -> bool:
        return self.here == self.there

    @property
    def title(self) -> Text:
        return FIGURES[self.name][0]

    @property
    def how(self) -> Text:
        """How it is counted."""
        return FIGURES[self.name][1]

    @property
    def against(self) -> Text:
        """What it is compared with."""
        return BOOKS[self.book]


@dataclass(frozen=True)
class Results:
    """Figures of taking part, of orders, and of value, unit by unit."""

    people: tuple[Figure, ...]
    orders: tuple[Figure, ...]
    value: tuple[Figure, ...]

    @property
    def all(self) -> tuple[Figure, ...]:
        return (*self.people, *self.orders, *self.value)

    @property
    def broken(self) -> list[Figure]:
        return [figure for figure in self.all if not figure.reconciles]


def results_of(campaign: Campaign) -> Results:
    """All figures of a campaign, as of one moment."""
    with one_moment():
        return count_results(campaign)


def count_results(campaign: Campaign) -> Results:
    """The same, as the caller's transaction sees it."""
    return Results(tuple(_people(campaign)), tuple(_orders(campaign)), tuple(_value(campaign)))


# taking part


def _people(campaign: Campaign) -> Iterator[Figure]:
    deeds = Deed.objects.filter(campaign=campaign)
    events = Event.objects.filter(
        community_id=campaign.community_id, kind__in=OF_MEMBERS, data__campaign=campaign.pk
    )
    began = deeds.filter(revision=1).count()
    yield Figure("plays", COUNT, Play.objects.filter(campaign=campaign).count(), began, "deeds")
    here = deeds.aggregate(
        people=Count("member", distinct=True), helps=Count("pk", filter=Q(kind__in=HELPS))
    )
    there = events.aggregate(
        people=Count("member_id", distinct=True),
        helps=Count("pk", filter=Q(kind="campaign_helped")),
    )
    yield Figure("participants", COUNT, here["people"], there["people"], "record")
    yield Figure("helps", COUNT, here["helps"], there["helps"], "record")


# orders


def _orders(campaign: Campaign) -> Iterator[Figure]:
    currency = settings_of(campaign.community).currency
    bought = Order.objects.filter(purchase__campaign=campaign)
    sourced = Order.objects.filter(
        community=campaign.community_id, source__startswith=f"campaign:{campaign.pk}:"
    )
    yield Figure("orders", COUNT, bought.count(), sourced.count(), "shop")
    for unit in _currencies(bought, currency):
        rows = bought.filter(currency=unit)
        sums = rows.aggregate(paid=Sum("paid_minor"), back=Sum("refunded_minor"))
        taken = Payment.objects.filter(order__in=rows, verdict="taken")
        given = Refund.objects.filter(order__in=rows, by_itself=False)
        paid = _sum(taken, "amount_minor")
        yield Figure("paid", unit, sums["paid"] or 0, paid, "payments")
        yield Figure("refunds", unit, sums["back"] or 0, _sum(given, "amount_minor"), "refunds")
    yield _pieces(campaign)


def _currencies(bought: QuerySet[Order], usual: str) -> list[str]:
    """The community's currency first; orders keep the one they were made in."""
    others = bought.exclude(currency=usual).order_by().values_list("currency", flat=True)
    return [usual, *sorted(set(others))]


def _pieces(campaign: Campaign) -> Figure:
    """Goods that were paid for and did not come back onto the shelf, against the ledger."""
    orders = Order.objects.filter(purchase__campaign=campaign, paid_at__isnull=False)
    lines = orders.values("lines__pk", "lines__quantity", "lines__hold_id")
    rows = {row["lines__pk"]: row for row in lines if row["lines__pk"]}
    back = Refund.objects.filter(order__in=orders, restocked=True)
    returned = back.aggregate(n=Sum("lines__quantity"))["n"] or 0
    here = sum(row["lines__quantity"] for row in rows.values()) - returned
    causes = [f"capture:{row['lines__hold_id']}" for row in rows.values()]
    causes += [f"refund:{pk}:goods" for pk in back.values_list("pk", flat=True)]
    return Figure("pieces", COUNT, here, _sold(campaign, causes), "ledger")


def _sold(campaign: Campaign, causes: list[str]) -> int:
    entries = Entry.objects.filter(
        transfer__community_id=campaign.community_id, transfer__cause__in=causes,
        account__kind="sold",
    )  # fmt: skip
    return _sum(entries, "amount")


def _sum(rows: QuerySet[Any], name: str) -> int:
    return int(rows.aggregate(total=Sum(name))["total"] or 0)


# value


@dataclass
class Books:
    """What the ledger says of one unit of a campaign, from its entries and its balances."""

    funded: int = 0
    taken_back: int = 0
    moved: int = 0  # in from members and from outside, by moves of plays
    granted: int = 0
    vested: int = 0  # paid at some time
    revoked: int = 0
    restored: int = 0  # of it, after an appeal
    returned: int = 0  # of what stays revoked, from members
    balances: dict[str, int] = field(default_factory=lambda: defaultdict(int))


def _value(campaign: Campaign) -> Iterator[Figure]:
    books, said = _read_books(campaign), _rewards(campaign)
    funded = _funded(campaign)
    for unit in sorted(books.keys() | {u for u, _ in said} | funded.keys()):
        book = books.get(unit) or Books()
        rows = {
            state: said.get((unit, state), 0) for state in ("pending", "paid", "clawed_back")
        }
        yield Figure("granted", unit, sum(rows.values()), book.granted, "ledger")
        yield Figure("pending", unit, rows["pending"], book.balances["granted"], "ledger")
        yield Figure("given", unit, rows["paid"], book.vested - book.returned, "ledger")
        yield Figure(
            "taken_back", unit, rows["clawed_back"], book.revoked - book.restored, "ledger"
        )
        yield from _budget(unit, book, funded.get(unit, 0), rows["paid"])
        if unit.startswith(UNIT):
            yield _over(campaign, unit, book)
    yield from _taken_off(campaign)


def _over(campaign: Campaign, unit: str, book: Books) -> Figure:
    """Coupons that are used or ended, against what lies with the campaign for them."""
    rows = Coupon.objects.filter(reward__campaign=campaign, unit=unit)
    here = rows.filter(state__in=("used", "expired")).count()
    return Figure("coupons_over", unit, here, book.balances["spent"], "balances")


def _taken_off(campaign: Campaign) -> Iterator[Figure]:
    """What coupons took off paid orders: as the lines say it, and reckoned again."""
    rows = Coupon.objects.filter(reward__campaign=campaign, state="used", order__isnull=False)
    used = {row.order_id: row for row in rows.select_related("order")}
    if not used:
        return
    ids = {offer_id(row) for row in rows}
    lines = OrderLine.objects.filter(order__in=used).values_list("reasons", flat=True)
    here = -sum(why["minor"] for whys in lines for why in whys if why["offer"] in ids)
    again = [replay(row.order.snapshot) for row in used.values() if row.order]
    reasons = [why for one in again for line in one.lines for why in line.reasons]
    there = -sum(why.minor for why in reasons if why.offer in ids)
    unit = settings_of(campaign.community).currency
    yield Figure("taken_off", unit, here, there, "snapshots")


def _budget(unit: str, book: Books, funded: int, paid: int) -> Iterator[Figure]:
    """The budget, and where all of it is: what was funded, less what was taken back, is what is
    left, set aside, waiting, spent or given."""
    has = book.balances
    yield Figure("funded", unit, funded, book.funded, "ledger")
    yield Figure("reserved", unit, has["reserved:entries"], has["reserved"], "balances")
    yield Figure("spent", unit, has["spent:entries"], has["spent"], "balances")
    yield Figure("left", unit, has["left:entries"], has["left"], "balances")
    there = has["left"] + has["reserved"] + has["granted"] + has["spent"] + paid
    yield Figure("in_all", unit, funded - book.taken_back + book.moved, there, "sum")


def _rewards(campaign: Campaign) -> dict[tuple[str, str], int]:
    rows = Reward.objects.filter(campaign=campaign).values_list("unit", "state")
    return {(unit, state): n for unit, state, n in rows.annotate(n=Sum("amount")).order_by()}


def _funded(campaign: Campaign) -> dict[str, int]:
    """What the record says was put at its disposal, by unit."""
    events = Event.objects.filter(
        community_id=campaign.community_id, kind="campaign_funded", data__campaign=campaign.pk
    )
    found: dict[str, int] = defaultdict(int)
    for data in events.values_list("data", flat=True):
        found[data["unit"]] += data["amount"]
    return dict(found)


LEGS = {"fund": "funded", "back": "taken_back", "grant": "granted", "vest": "vested",
        "revoke": "revoked", "restore": "restored"}  # fmt: skip
OUTWARDS = ("back", "vest", "restore")


def _read_books(campaign: Campaign) -> dict[str, Books]:
    accounts = Account.objects.filter(of_campaign(campaign))
    entries = Entry.objects.filter(account__in=accounts.values("pk"))
    found: dict[str, Books] = defaultdict(Books)
    _read_balances(found, list(accounts), entries)
    rows = (
        entries.order_by().values("account__unit").annotate(**_sums(f"campaign:{campaign.pk}:"))
    )
    for row in map(_as_dict, rows):
        books = found[row.pop("account__unit")]
        for name, total in row.items():
            setattr(books, name.removeprefix("of_"), _plain(name, total or 0))
    return dict(found)


def _as_dict(row: Any) -> dict[str, Any]:
    return dict(row)


def _sums(lead: str) -> dict[str, Sum]:
    """All that the entries say, in one look: of each leg the one side; of what was revoked and
    restored what did not come from the campaign itself; all others are moves of plays."""
    legs = {name: Q(transfer__cause__startswith=f"{lead}{name}:") for name in LEGS}
    sums = {
        f"of_{wanted}": Sum("amount", filter=legs[name] & (
            Q(amount__lt=0) if name in OUTWARDS else Q(amount__gt=0)))
        for name, wanted in LEGS.items()
    }  # fmt: skip
    sums["of_returned"] = Sum("amount", filter=legs["revoke"] | legs["restore"])
    every = Q()
    for leg in legs.values():
        every |= leg
    return sums | {"of_moved": Sum("amount", filter=~every)}


def _plain(name: str, total: int) -> int:
    """Legs are counted without their sign."""
    return int(total) if name in ("of_returned", "of_moved") else abs(int(total))


def _read_balances(
    found: dict[str, Books], accounts: list[Account], entries: QuerySet[Entry]
) -> None:
    """Each place's balance, as the account says it and as its entries make it."""
    rows = entries.order_by().values_list("account").annotate(total=Sum("amount"))
    booked = dict(rows)
    for account in accounts:
        place = account.owner.partition(":")[2]
        balances = found[account.unit].balances
        balances[_kind_of(place)] += account.balance
        balances[f"{_kind_of(place)}:entries"] += booked.get(account.pk, 0)


def _kind_of(place: str) -> str:
    if place in ("granted", SPENT):
        return place
    return "reserved" if place.startswith(RESERVED) else "left"

"""A world whose rows are in the database: locked, loaded, acted in, and written back.

What an act will touch is not known before its mechanic has decided. So it acts twice: once in a
`Probe`, which only notes what is asked for; then all of that is locked in ascending order, and
the same pure functions decide again on what is really there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q

from qunluo.campaigns.mechanics.kernel import OUT, Act, Buy, Done, Grant, Refused, Revoke
from qunluo.campaigns.mechanics.world import STOCK, Granted, Order, Place, Play, World
from qunluo.campaigns.models import Campaign, CampaignVersion, Deed, Purchase, Reward, Slot
from qunluo.campaigns.models import Play as PlayRow
from qunluo.campaigns.registry import find_mechanic
from qunluo.commerce.models import Order as OrderRow
from qunluo.commerce.models import Variant
from qunluo.ledger.actions import OUTSIDE
from qunluo.ledger.models import Account
from qunluo.members.models import Member

PLENTY = 1 << 60
GRANT, OWED, SKU = "grant:", "owed:", "sku:"
ORDER_STATES: dict[str, Any] = {
    "created": "open", "paid": "paid", "fulfilled": "paid", "completed": "paid",
    "cancelled": "cancelled", "expired": "cancelled", "refunded": "refunded",
}  # fmt: skip


@dataclass
class Asked:
    """The rows that an act looks at."""

    slots: set[str] = field(default_factory=set)
    places: set[Place] = field(default_factory=set)
    grants: set[str] = field(default_factory=set)
    orders: set[str] = field(default_factory=set)


class Played(World):
    """Plays of a campaign as they are in the database, each under the rules it began with."""

    def __init__(self, campaign: Campaign, versions: dict[int, Any] | None = None) -> None:
        self.campaign = campaign
        self.versions: dict[int, Any] = {} if versions is None else versions  # typed rules
        self.began: dict[str, int] = {}  # play → its version
        mechanic = find_mechanic(campaign.mechanic)
        super().__init__(mechanic, None, bytes.fromhex(campaign.seed))
        self.current = campaign.version_id or 0
        self.rules = self.rules_for(self.current)

    def act(self, play: str, act: Act) -> Done[Any] | Refused:
        self.rules = self.rules_for(self.began.get(play, self.current))
        return super().act(play, act)

    def rules_for(self, version: int) -> Any:
        if version not in self.versions:
            now = self.campaign.version
            row = now if now and now.pk == version else CampaignVersion.objects.get(pk=version)
            self.versions[version] = self.mechanic.rules.model_validate(row.rules)
        return self.versions[version]

    def take(self, rows: Iterable[PlayRow]) -> None:
        for row in rows:
            self.began[row.key] = row.version_id
            self.plays[row.key] = self._play(row)

    def _play(self, row: PlayRow) -> Play:
        state = self.mechanic.state.model_validate(row.state)
        return Play(row.key, state, row.revision, row.deadline, row.starter_id)

    def load_all_plays(self) -> Mapping[str, Play]:
        """For what settles a whole campaign: every play, held until the end."""
        rows = PlayRow.objects.filter(campaign=self.campaign).select_for_update()
        missing = [row for row in rows.order_by("key") if row.key not in self.plays]
        self.take(missing)
        return self.plays


class Probe(Played):
    """Takes everything for possible, and notes what was asked for."""

    def __init__(self, campaign: Campaign, versions: dict[int, Any] | None = None) -> None:
        super().__init__(campaign, versions)
        self.asked = Asked()

    def load_slot(self, slot: str) -> int:
        self.asked.slots.add(slot)
        return 0

    def load_balance(self, place: Place) -> int:
        self.asked.places.add(place)
        return PLENTY

    def load_grant(self, grant: str) -> Granted | None:
        self.asked.grants.add(grant)
        return None

    def load_order(self, ref: str) -> Order | None:
        self.asked.orders.add(ref)
        return None


class Live(Played):
    """What is really there. Anything a probe missed is loaded and locked when it is asked for."""

    def __init__(self, campaign: Campaign) -> None:
        super().__init__(campaign)
        self.accounts: dict[Place, Account] = {}
        self.skus: dict[str, Variant] = {}
        self.rewards: dict[str, Reward] = {}
        self.order_rows: dict[str, OrderRow] = {}
        self.known_orders: dict[str, Order] = {}
        self.whys: dict[str, str] = {}  # grant → why it was taken back
        self.known_slots: dict[str, int] = {}  # as they are in the database
        self.members: dict[int, Member] = {}  # who is known to whoever asks
        self.fresh: list[tuple[str, Act, Done[Any]]] = []
        self.sought: set[tuple[str, str]] = (
            set()
        )  # rows that were looked for: known, or not there

    def act(self, play: str, act: Act) -> Done[Any] | Refused:
        before = len(self.answers)
        answer = super().act(play, act)
        if isinstance(answer, Done) and len(self.answers) > before:
            self.fresh.append((play, act, answer))
        return answer

    def list_members(self, keys: Iterable[int]) -> Mapping[int, Member]:
        missing = set(keys) - self.members.keys()
        if missing:
            self.members |= Member.objects.select_related("community").in_bulk(missing)
        return self.members

    def revoke(self, revoke: Revoke) -> bool:
        self.whys[revoke.grant] = revoke.why(self.campaign.community.lang)[:200]
        return super().revoke(revoke)

    # all at once, in ascending order

    def lock(self, asked: Asked) -> None:
        self._lock_slots(asked.slots)
        self._lock_places(asked.places)
        self._lock_grants(asked.grants)
        self._lock_orders(asked.orders)

    def take_sought(self, plays: Iterable[str], rows: Iterable[PlayRow]) -> None:
        """Plays that were looked for and locked; those without a row are not there."""
        self.sought |= {("play", play) for play in plays}
        self.take(rows)

    def lock_deeds(self, acts: Sequence[Act]) -> None:
        rows = Deed.objects.filter(
            campaign=self.campaign, key__among=[act.key for act in acts if act.key]
        )
        self.sought |= {("deed", act.key) for act in acts}
        for row in rows:
            self.answers[row.key] = self._answer(row)

    def _answer(self, row: Deed) -> Done[Any]:
        play = self.plays.get(row.play)
        state = play.state if play is not None else self.mechanic.state.model_construct()
        return Done(state, answer=row.answer)

    def _lock_slots(self, names: Iterable[str]) -> None:
        wanted = sorted(names)
        if not wanted:
            return
        rows = Slot.objects.filter(campaign=self.campaign, name__among=wanted).order_by("name")
        self.known_slots |= dict(rows.select_for_update().values_list("name", "taken"))
        for name in wanted:
            self.slots[name] = self.known_slots.get(name, 0)

    def _lock_places(self, places: Iterable[Place]) -> None:
        wanted = {place: self._account_of(place) for place in sorted(places)}
        named = {key: place for place, key in wanted.items() if key is not None}
        rows = self._find_accounts(named)
        for row in rows:
            place = named.get((row.kind, row.owner, row.unit))
            if place is not None:
                self.accounts[place] = row
        for place, key in wanted.items():
            found = self.accounts.get(place)
            if key is not None:
                self.balances[place] = found.available if found else 0

    def _find_accounts(self, named: Mapping[tuple[str, str, str], Place]) -> list[Account]:
        if not named:
            return []
        kinds, owners, units = (set(part) for part in zip(*named, strict=True))
        rows = Account.objects.filter(
            community_id=self.campaign.community_id, kind__in=kinds, owner__in=owners,
            unit__in=units,
        )  # fmt: skip
        return list(rows.select_for_update().order_by("pk"))

    def _account_of(self, place: Place) -> tuple[str, str, str] | None:
        """The ledger's name of a place; None where a grant says itself what it holds."""
        unit, where = place
        if where.startswith(GRANT):
            return None
        if unit.startswith(SKU):
            return self._stock_of(unit.removeprefix(SKU)) if where == STOCK else None
        kind, owner = address(self.campaign.pk, where)
        return kind, owner, unit

    def _stock_of(self, sku: str) -> tuple[str, str, str] | None:
        variant = self.variant(sku)
        return ("sku", str(variant.pk), "piece") if variant else None

    def variant(self, sku: str) -> Variant | None:
        if sku not in self.skus:
            rows = Variant.objects.select_related("product")
            found = rows.filter(community=self.campaign.community_id, sku=sku).first()
            if found is None:
                return None
            self.skus[sku] = found
        return self.skus[sku]

    def _lock_grants(self, names: Iterable[str]) -> None:
        wanted = sorted(names)
        if not wanted:
            return
        self.sought |= {("grant", name) for name in wanted}
        rows = Reward.objects.filter(campaign=self.campaign, name__among=wanted)
        for row in rows.select_for_update().order_by("name"):
            self._take_reward(row)

    def _take_reward(self, row: Reward) -> Granted:
        grant = Grant(row.rule, row.member_id, row.cause, row.unit, row.amount, row.source,
                      row.vests, row.vests_at)  # type: ignore[arg-type]  # fmt: skip
        state: Any = row.state
        self.rewards[row.name] = row
        self.grants[row.name] = Granted(grant, row.play, state)
        return self.grants[row.name]

    def _lock_orders(self, refs: Iterable[str]) -> None:
        wanted = sorted(refs)
        self.sought |= {("order", ref) for ref in wanted}
        rows = Purchase.objects.filter(campaign=self.campaign, ref__among=wanted)
        found = {row.order_id: row for row in rows} if wanted else {}
        if not found:
            return
        orders = OrderRow.objects.filter(pk__in=found).select_for_update().order_by("pk")
        for order in orders.prefetch_related("lines"):
            self._take_order(found[order.pk], order)

    def _take_order(self, purchase: Purchase, order: OrderRow) -> None:
        line = order.lines.all()[0]
        buy = Buy(purchase.ref, order.member_id, line.sku, line.quantity, order.total_minor,
                  order.pay_by or order.at)  # fmt: skip
        self.order_rows[purchase.ref] = order
        known = Order(buy, purchase.play, ORDER_STATES[order.state], order.refunded_minor)
        self.orders[purchase.ref] = self.known_orders[purchase.ref] = known

    @property
    def actor(self) -> str:
        """How the record and the ledger name what the rules do by themselves."""
        return f"campaign:{self.campaign.pk}"

    def source(self, ref: str) -> str:
        """How commerce knows what an order was asked for by."""
        return f"campaign:{self.campaign.pk}:{ref}"

    # one by one, where the probe did not come

    def load_slot(self, slot: str) -> int:
        self._lock_slots([slot])
        return self.slots[slot]

    def load_balance(self, place: Place) -> int:
        unit, where = place
        if where.startswith(GRANT):
            found = self.grant(where.removeprefix(GRANT))
            return found.grant.amount if found and found.state == "pending" else 0
        if unit.startswith(SKU) and where != STOCK:
            found_order = self.order(where.removeprefix("order:"))
            return found_order.buy.quantity if found_order else 0
        self._lock_places([place])
        return self.balances.get(place, 0)

    def load_grant(self, grant: str) -> Granted | None:
        if ("grant", grant) not in self.sought:
            self._lock_grants([grant])
        return self.grants.get(grant)

    def load_order(self, ref: str) -> Order | None:
        if ("order", ref) not in self.sought:
            self._lock_orders([ref])
        return self.orders.get(ref)

    def load_play(self, key: str) -> Play | None:
        if ("play", key) not in self.sought:
            self.take_sought([key], lock_plays(self.campaign, [key]))
        return self.plays.get(key)


def lock_plays(campaign: Campaign, keys: Iterable[str]) -> list[PlayRow]:
    rows = PlayRow.objects.filter(campaign=campaign, key__among=set(keys))
    return list(rows.select_for_update().order_by("key"))


def address(campaign: int, where: str) -> tuple[str, str]:
    """The ledger's account of a place of a campaign: its kind and owner."""
    if where == OUT:
        return OUTSIDE, "campaigns"
    if where.startswith(OWED):
        return "owed", where.removeprefix(OWED)
    if where.startswith("member:"):
        return "member", where.removeprefix("member:")
    return "campaign", f"{campaign}:{'granted' if where.startswith(GRANT) else where}"


def of_campaign(campaign: Campaign) -> Q:
    """Accounts of a campaign: its budget, its stores, what is reserved, granted and spent."""
    return Q(
        community_id=campaign.community_id, kind="campaign", owner__startswith=f"{campaign.pk}:"
    )

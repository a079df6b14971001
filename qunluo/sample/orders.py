"""Orders of a sample: some members buy, some of them again, some because of a campaign."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from qunluo.sample.clock import DAY, HOUR, Clock
from qunluo.sample.lives import Lives
from qunluo.sample.numbers import Array, Ints, Random, draw, expand, stream, table_of
from qunluo.sample.people import Members, People
from qunluo.sample.plan import Plan
from qunluo.sample.roster import SLICE, Registry, plain_csv, take
from qunluo.sample.stays import Stays

BUYS = (0.68, 0.5, 0.26)  # share of customers by circle
SILENT_BUYS = 0.05
OUTSIDERS = 0.12  # customers who are in no group, per customer who is
REPEATS = 0.46  # of customers, given time enough
MORE, MOST = 0.42, 60  # geometric number of further orders, and its cap
SOURCES, SOURCE_SHARES = (
    ("group", "mini_program", "moments", "store", "referral"),
    (0.42, 0.27, 0.12, 0.11, 0.08),
)
CAMPAIGN_DAYS, CAMPAIGN_BUYS = 7, 0.5
GAP_DAYS = 38
PRICE, SPREAD = (np.log(58), 0.5), 0.35  # lognormal by customer, and around it
NONE = -1
COLUMNS = (
    "order_id", "customer_id", "member_id", "paid_at", "amount", "quantity", "source", "campaign",
)  # fmt: skip
MINOR = pa.decimal128(12, 2)
SCHEMA = pa.schema(
    [(c, {"amount": MINOR, "quantity": pa.int64()}.get(c, pa.string())) for c in COLUMNS]
)


@dataclass(frozen=True)
class Orders:
    """One row per order, in order of time."""

    at: Ints
    customer: Ints
    account: Ints  # or NONE for an outsider
    minor: Ints
    quantity: Ints
    source: Array
    campaign: Ints  # number of the planned campaign, or NONE

    def repeat_rate(self) -> float:
        """Customers with two or more orders ÷ customers."""
        counts = np.bincount(self.customer)
        return float((counts[counts > 0] > 1).mean()) if len(self.at) else 0.0

    def customers(self) -> int:
        return len(np.unique(self.customer))


def plan_orders(plan: Plan, lives: Lives, people: People, stays: Stays) -> Orders:
    """Orders of members from their joining on, and of a few who are in no group."""
    random = stream(plan.seed, "orders")
    account, group, since = _customers(random, plan, people, stays)
    number = 1 + np.where(
        random.random(len(account)) < REPEATS, random.geometric(MORE, len(account)), 0
    )
    number = np.minimum(number, MOST)
    customer = expand(number)
    at = _times(random, since, number)
    kept = np.flatnonzero(at < plan.days * DAY)
    kept = kept[np.argsort(at[kept], kind="stable")]
    at, customer = at[kept], customer[kept]
    price = np.exp(random.normal(*PRICE, len(account)))[customer]
    quantity = 1 + random.poisson(0.4, len(at))
    minor = np.rint(price * quantity * np.exp(random.normal(0, SPREAD, len(at))) * 10) * 10 - 10
    return Orders(
        at=at,
        customer=customer,
        account=account[customer],
        minor=np.maximum(minor, 100).astype(np.int64),
        quantity=quantity,
        source=_sources(random, len(account), customer),
        campaign=_campaigns(random, lives, group[customer], at),
    )


def _customers(
    random: Random, plan: Plan, people: People, stays: Stays
) -> tuple[Ints, Ints, Ints]:
    """Account (or NONE), group and first second of every customer."""
    members: Members = people.members
    rows = np.arange(stays.people.stop)
    chance = np.full(len(rows), SILENT_BUYS)
    chance[: stays.speaking] = np.array(BUYS)[members.circle]
    rows = rows[random.random(len(rows)) < chance]
    _, once = np.unique(stays.account[rows], return_index=True)
    rows = rows[np.sort(once)]
    strangers = round(len(rows) * OUTSIDERS)
    none = np.full(strangers, NONE)
    since = random.integers(0, plan.days * DAY, strangers)
    return (
        np.concatenate([stays.account[rows], none]),
        np.concatenate([stays.group[rows], none]),
        np.concatenate([stays.joined[rows], since]),
    )


def _times(random: Random, since: Ints, number: Ints) -> Ints:
    """Moments of payment between 8:00 and 23:00: gaps differ by customer."""
    pace = random.gamma(2, 0.5, len(since))
    customer = expand(number)
    gap = random.exponential(1, len(customer)) * GAP_DAYS * DAY * pace[customer]
    run = np.cumsum(gap)
    begin = np.cumsum(number) - number
    first = run[begin] - gap[begin]
    day = ((since[customer] + run - first[customer]) // DAY).astype(np.int64)
    # A first order on the day of joining comes after it: late in the evening at the latest.
    moment = day * DAY + random.integers(8 * HOUR, 23 * HOUR, len(day))
    result: Ints = np.maximum(moment, since[customer] + random.integers(60, HOUR, len(day)))
    return result


def _sources(random: Random, customers: int, customer: Ints) -> Array:
    """Everybody has a usual way in; one order in five comes another way."""
    table = table_of(SOURCE_SHARES, 1 << 12)
    usual = draw(random, table, customers)[customer]
    other = draw(random, table, len(customer))
    return np.where(random.random(len(customer)) < 0.2, other, usual)


def _campaigns(random: Random, lives: Lives, group: Ints, at: Ints) -> Ints:
    """A campaign of the group in the week before has its share of the orders."""
    if not lives.campaigns:
        return np.full(len(at), NONE)
    span = 1 << 20  # days
    keys = np.array([c.group * span + c.day for c in lives.campaigns])
    day = at // DAY
    last = np.searchsorted(keys, group * span + day, "right") - 1
    recent = (last >= 0) & (keys[last] >= group * span + day - CAMPAIGN_DAYS) & (group >= 0)
    chosen = recent & (random.random(len(at)) < CAMPAIGN_BUYS)
    result: Ints = np.where(chosen, last, NONE)
    return result


def campaign_ids(lives: Lives) -> pa.Array:
    return pa.array([f"campaign-{k + 1:04d}" for k in range(len(lives.campaigns))], pa.string())


def write_orders(
    to: Path, orders: Orders, lives: Lives, registry: Registry, clock: Clock
) -> None:
    """order_id, customer_id, member_id, paid_at (local), amount, quantity, source, campaign."""
    campaigns = campaign_ids(lives)
    with pa_csv.CSVWriter(to, SCHEMA, write_options=plain_csv()) as out:
        for begin in range(0, len(orders.at), SLICE):
            part = slice(begin, begin + SLICE)
            n = len(orders.at[part])
            columns = [
                _numbered("o", np.arange(begin, begin + n) + 1),
                _numbered("k", orders.customer[part] + 1),
                take(registry.ids, orders.account[part]),
                clock.iso(orders.at[part]),
                _decimal(orders.minor[part]),
                pa.array(orders.quantity[part], pa.int64()),
                pa.array(SOURCES).take(pa.array(orders.source[part])),
                take(campaigns, orders.campaign[part]),
            ]
            out.write_table(pa.Table.from_arrays(columns, schema=SCHEMA))


def _numbered(letter: str, number: Array) -> pa.Array:
    digits = pc.utf8_lpad(pa.array(number).cast(pa.string()), 7, "0")
    return pc.binary_join_element_wise(letter, digits, "")


def _decimal(minor: Ints) -> pa.Array:
    hundred = pa.scalar(100, pa.decimal128(5, 0))
    whole = pa.array(minor).cast(pa.decimal128(19, 0)).cast(pa.decimal128(21, 2))
    return pc.divide(whole, hundred).cast(MINOR, safe=False)

"""Cubes about members: their coming and going, ties and orders; shared by many figures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from qunluo.insight.figures import Cube, Facts
from qunluo.insight.metrics.study_cubes import Array, column

WHO = ["group_key", "sender_key"]


def _member_month(t: Any) -> Any:
    members = t.classes.filter(t.classes["class"] == "member").select(*WHO)
    months = t.person.select(*WHO, "month", "n", "days", "first_at", "last_at")
    return months.semi_join(members, WHO)


MEMBER_MONTH = Cube("member_month", _member_month)
"""group_key, sender_key, month, n, days, first_at, last_at; accounts of class member only."""


def _member_day(t: Any) -> Any:
    members = t.classes.filter(t.classes["class"] == "member").select(*WHO)
    days = t.person_day.semi_join(members, WHO)
    return days.group_by("day").agg(members=lambda d: d.sender_key.nunique())


MEMBER_DAY = Cube("member_day", _member_day)
"""day, members (distinct writing members over all groups)."""


def _membership(t: Any) -> Any:
    events = t.events.filter(
        t.events.kind.isin(["join", "leave", "remove"]) & t.events.subject_key.notnull()
    )
    came = events.kind == "join"
    return events.group_by(["group_key", "subject_key"]).agg(
        first_join=events.local_at.min(where=came),
        last_join=events.local_at.max(where=came),
        last_leave=events.local_at.max(where=~came),
    )


MEMBERSHIP = Cube("membership", _membership)
"""group_key, subject_key, first_join, last_join, last_leave (local; null if none seen)."""

ROSTER = Cube(
    "roster_rows",
    lambda t: t.roster.select("group_key", "sender_key", "joined_at", "left_at"),
)


def _orders(t: Any) -> Any:
    known = t.accounts.group_by("sender_id").agg(sender_key=lambda a: a.sender_key.min())
    rows = t.orders.left_join(known, t.orders.member_id == known.sender_id)
    return rows.group_by(["order_id", "customer_id"]).agg(
        sender_key=lambda r: r.sender_key.min(),
        paid_at=lambda r: r.paid_at.min(),
        amount_minor=lambda r: r.amount_minor.sum(),
        quantity=lambda r: r.quantity.sum(),
        source=lambda r: r.source.min(),
        campaign=lambda r: r.campaign.min(),
    )


ORDERS = Cube("orders_paid", _orders)
"""One row an order: order_id, customer_id, sender_key (null if the customer never wrote),
paid_at (local), amount_minor, quantity, source, campaign."""


def _invites(t: Any) -> Any:
    invited = t.events.filter(
        t.events.inviter_key.notnull() & (t.events.inviter_key != t.events.subject_key)
    )
    return invited.group_by(["inviter_key"]).agg(
        invited=lambda e: e.subject_key.nunique(), first_at=lambda e: e.local_at.min()
    )


INVITES = Cube("invites", _invites)
"""inviter_key, invited (distinct people), first_at."""

PAIRS = Cube("ties", lambda t: t.pair.select(*WHO, "other_key", "tie", "n"))


def month_number(months: Array) -> Array:
    """Months since 1970-01 of dates or times."""
    numbers: Array = months.astype("datetime64[M]").astype(np.int64)
    return numbers


def month_name(number: int) -> str:
    """`2022-03` of months since 1970-01."""
    return str(np.datetime64(number, "M"))


def micros(times: pa.ChunkedArray) -> Array:
    """Local times as microseconds since 1970; null is the smallest int64."""
    found: Array = times.to_numpy().astype("datetime64[us]").astype(np.int64)
    return found


NEVER = np.iinfo(np.int64).min
DAY = 86_400_000_000  # microseconds


def end_of(facts: Facts) -> int:
    """The end of the archive's last day, in local microseconds since 1970 (0 if empty)."""
    if facts.last_on is None:
        return 0
    return int(np.datetime64(facts.last_on, "us").astype(np.int64)) + DAY


def last_whole_month(facts: Facts) -> int:
    """The latest month (since 1970-01) whose last day lies within the archive."""
    if facts.last_on is None:
        return -1
    day = np.datetime64(facts.last_on, "D")
    month = day.astype("datetime64[M]")
    whole = (day + 1).astype("datetime64[M]") > month
    return int(month.astype(np.int64)) - (0 if whole else 1)


def person_months(table: pa.Table) -> tuple[Array, Array]:
    """Distinct (sender_key, month number) over all groups, sorted."""
    rows = np.unique(
        np.stack([column(table, "sender_key"), month_number(column(table, "month"))]), axis=1
    )
    return rows[0], rows[1]


def least(keys: Array, values: Array) -> tuple[Array, Array]:
    """The smallest value of each key; keys ascending."""
    order = np.lexsort((values, keys))
    found, at = np.unique(keys[order], return_index=True)
    return found, values[order][at]


def greatest(keys: Array, values: Array) -> tuple[Array, Array]:
    """The largest value of each key; keys ascending."""
    found, value = least(keys, -values)
    return found, -value


def pairs_in(who: Array, month: Array, keys: Array, months: Array) -> Array:
    """Which (who, month) pairs are among (keys, months)."""
    people = np.union1d(who, keys)
    width = int(max(month.max(initial=0), months.max(initial=0))) + 1
    ours = np.searchsorted(people, who) * width + month
    theirs = np.searchsorted(people, keys) * width + months
    return np.isin(ours, theirs)

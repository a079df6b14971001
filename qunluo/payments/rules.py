"""When a provider is asked how something stands, in case its word got lost. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

UNPAID = timedelta(minutes=30)  # for an order that names no last moment
AFTER_BEGIN = timedelta(minutes=2)
AROUND_END = (  # of the time to pay: money that came is found before the order ends, or goes back
    timedelta(seconds=-45), timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1),
    timedelta(days=1),
)  # fmt: skip


def next_ask(begun_at: datetime, pay_by: datetime | None, now: datetime) -> datetime | None:
    """When to ask next about a payment that was begun; None: not any more."""
    end = pay_by or begun_at + UNPAID
    moments = [begun_at + AFTER_BEGIN, *(end + span for span in AROUND_END)]
    return min((moment for moment in moments if moment > now), default=None)

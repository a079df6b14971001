"""Cubes of plain counts. `TWELVE` are those without classes: small rollups answer them warm."""

from __future__ import annotations

from typing import Any

from qunluo.insight.figures import Cube
from qunluo.insight.tables import NOT_PEOPLE


def _with_class(t: Any, name: str) -> Any:
    classes = t.classes.drop("suspected")
    rows = getattr(t, name).inner_join(classes, ["group_key", "sender_key"])
    return rows.mutate(person=rows["class"].notin(NOT_PEOPLE))


def _class_kind(t: Any) -> Any:
    rows = _with_class(t, "person_kind")
    return rows.group_by("class", "kind").agg(n=rows.n.sum())


def _class_clock(t: Any) -> Any:
    rows = _with_class(t, "person_clock")
    return rows.group_by("class", "how").agg(n=rows.n.sum())


def _month_active(t: Any) -> Any:
    rows = t.own(_with_class(t, "person"))
    return rows.group_by("month").agg(
        n=rows.n.sum(),
        speakers=rows.sender_key.nunique(),
        people_n=rows.n.sum(where=rows.person).fill_null(0),
        people=rows.sender_key.nunique(where=rows.person),
    )


def _cohort_of(active: Any) -> Any:
    """Speakers by month of first activity and month, from their active months."""
    months = active.select("sender_key", "month").distinct()
    return _cohorts(months)


def _cohorts(months: Any) -> Any:
    firsts = months.group_by("sender_key").agg(first=months.month.min())
    both = months.inner_join(firsts, "sender_key")
    return both.group_by("first", "month").agg(n=both.count())


def _people_cohort(t: Any) -> Any:
    rows = t.own(_with_class(t, "person"))
    return _cohort_of(rows.filter(rows.person))


def _people_minute(t: Any) -> Any:
    """Sizes of bursts without bots and system accounts."""
    minutes = t.minutes.filter(t.minutes.people > 0)
    return minutes.group_by(size=minutes.people).agg(minutes=minutes.count())


def _busiest_minute(t: Any) -> Any:
    import ibis  # noqa: PLC0415 - compiled plans are kept

    tops = [
        t.minutes.order_by(ibis.desc(c), "minute", "group_key").limit(5)
        for c in ("n", "people")
    ]
    return tops[0].union(tops[1], distinct=True)


def _thread(t: Any) -> Any:
    import ibis  # noqa: PLC0415

    m = t.messages.filter(t.messages.thread_id.notnull())
    order = ["sent_at", "seq", "sender_key", "nth"]
    within = ibis.window(group_by=["group_key", "thread_id"], order_by=order)
    rows = m.select(
        "group_key", "thread_id", "sender_key", "sent_at",
        starter=m.sender_key.first().over(within),
    )  # fmt: skip
    threads = rows.group_by("group_key", "thread_id").agg(
        n=rows.count(),
        speakers=rows.sender_key.nunique(),
        first_at=rows.sent_at.min(),
        reply_at=rows.sent_at.min(where=rows.sender_key != rows.starter),
    )
    wait = threads.reply_at.epoch_seconds() - threads.first_at.epoch_seconds()
    return threads.select("group_key", "n", "speakers", wait_s=wait)


CLASS_KIND = Cube("class_kind", _class_kind)  # class, kind, n
CLASS_CLOCK = Cube("class_clock", _class_clock)  # class, how (0–167), n
MONTH_ACTIVE = Cube("month_active", _month_active)  # month, n, speakers, people_n, people
PEOPLE_COHORT = Cube("people_cohort", _people_cohort)  # first, month, n
PEOPLE_MINUTE = Cube("people_minute", _people_minute)  # size, minutes
BUSIEST_MINUTE = Cube("busiest_minute", _busiest_minute)  # group_key, minute, n, people
THREAD = Cube("thread", _thread, acting=False)  # group_key, n, speakers, wait_s


def _sum_by(table: str, *keys: str) -> Any:
    def build(t: Any) -> Any:
        rows = t.rows(table)
        return rows.group_by(*keys).agg(n=rows.n.sum())

    return build


def _activity(t: Any) -> Any:
    a = t.account
    return a.group_by("group_key").agg(n=a.n.sum(), speakers=a.count())


def _month_all(t: Any) -> Any:
    a = t.active
    return a.group_by("month").agg(n=a.n.sum(), speakers=a.count())


def _speaker(t: Any) -> Any:
    a = t.account
    return a.group_by("sender_key").agg(n=a.n.sum())


def _bursts(t: Any) -> Any:
    return t.burst.group_by("size").agg(minutes=t.burst.minutes.sum())


def _pairs(t: Any) -> Any:
    import ibis  # noqa: PLC0415 - compiled plans are kept

    rows = t.rows("pair").mutate(reply=lambda p: p.tie == "reply").drop("tie")
    pairs = rows.group_by("group_key", "sender_key", "other_key", "reply").agg(n=rows.n.sum())
    ties = pairs.group_by("reply").agg(pairs=pairs.count(), n=pairs.n.sum())
    return ties.select("pairs", "n", tie=ibis.ifelse(ties.reply, "reply", "next"))


KIND = Cube("kind_count", _sum_by("kind", "kind"), acting=False)
SHARE = Cube("account_count", lambda t: t.account, acting=False)
DAY = Cube("day_count", lambda t: t.day, acting=False)
GROUP_DAY = Cube("group_day_count", lambda t: t.group_day, acting=False)
BURST = Cube("burst_count", _bursts, acting=False)
CLOCK = Cube("clock_count", _sum_by("clock", "how"), acting=False)
ACTIVITY = Cube("activity_count", _activity, acting=False)
LIFE = Cube("life_count", _sum_by("person", "group_key", "month"), acting=False)
COHORT = Cube("cohort_count", lambda t: _cohorts(t.active), acting=False)
PAIR = Cube("pair_count", _pairs, acting=False)
MONTH = Cube("month_count", _month_all, acting=False)
LATENCY = Cube("latency_count", _sum_by("latency", "delay_s"), acting=False)
SPEAKER = Cube("speaker_count", _speaker, acting=False)

TWELVE: tuple[Cube, ...] = (
    KIND, SHARE, GROUP_DAY, BURST, CLOCK, ACTIVITY, LIFE, COHORT, PAIR, DAY, MONTH, LATENCY,
    SPEAKER,
)  # fmt: skip
"""Kinds, shares, days, bursts, hours, activity, monthly life, cohorts, reply and adjacency
pairs, daily and monthly actives, latency, and the speakers that Gini is made of."""

"""What simulated members do for the community, and it for them, while it lives: they buy, wish,
vote, sign up, say what they think of what they bought; the staff keeps its promises."""

from __future__ import annotations

import secrets
from contextlib import suppress

from qunluo.care import gatherings, introductions, promises, testimonies, wishes
from qunluo.care.models import Introduction
from qunluo.kit import clock
from qunluo.kit.errors import QunluoError
from qunluo.living import care_script
from qunluo.living.acts import Stage
from qunluo.living.script import line
from qunluo.members.models import Member
from qunluo.standing.orders import do_note_order

MOST_WISHES, MOST_WAITING = 12, 5  # open ones; beyond that the staff has to decide first


def buy(stage: Stage) -> bool:
    seat = stage.seat()
    if seat is None:
        return False
    items = stage.random.sample(care_script.GOODS, stage.random.choice((1, 1, 2)))
    do_note_order(
        stage.community, order=f"L{secrets.token_hex(5)}", member=seat.member, items=items,
        amount_minor=care_script.PRICE * len(items), paid_at=clock.now(),
        store=stage.random.choice(care_script.STORES),
    )  # fmt: skip
    return True


def vote(stage: Stage) -> bool:
    seat, open_ones = stage.seat(), list(wishes.list_wishes(stage.community))
    if seat is None or not open_ones:
        return False
    wish = stage.random.choice(open_ones)
    return wishes.do_vote(wish, seat.member, by=seat.member.actor)


def wish(stage: Stage) -> bool:
    seat = stage.seat()
    if seat is None or wishes.list_wishes(stage.community).count() >= MOST_WISHES:
        return False
    title = line(stage.random, "need")
    wishes.do_make_wish(stage.community, title=title, member=seat.member, by=seat.member.actor)
    return True


def sign_up(stage: Stage) -> bool:
    seat, ahead = stage.seat(), list(gatherings.list_gatherings(stage.community))
    if seat is None or not ahead:
        return False
    gatherings.do_sign_up(stage.random.choice(ahead), seat.member, by=seat.member.actor)
    return True


def testify(stage: Stage) -> bool:
    seat = stage.seat()
    waiting = stage.community.testimonies.filter(state="waiting").count()
    if seat is None or waiting >= MOST_WAITING:
        return False
    text = line(stage.random, "praise")
    testimonies.do_offer_testimony(seat.member, text, may_show=True, group=seat.group)
    return True


def keep_promise(stage: Stage) -> bool:
    """The staff speaks with the one who was promised it and waited longest, now and then: some
    debt stays, for a visitor to see."""
    owed = [o for o in promises.list_owed(stage.community, clock.now()) if o.late]
    if len(owed) < len(care_script.PROMISES) // 2 or not owed[0].promise.staff:
        return False
    words = stage.random.choice(care_script.EXCHANGES)
    promises.do_note_exchange(owed[0].promise.member, words, by=owed[0].promise.staff.actor)
    return True


def say_yes(stage: Stage) -> bool:
    """Who is asked whether they want to be introduced answers, mostly with yes."""
    rows = Introduction.objects.filter(
        community=stage.community, state="asked", expires_at__gt=clock.now()
    )
    for row in rows.select_related("one", "other").order_by("pk")[:5]:
        for member in _simulated(row):
            with suppress(QunluoError):
                introductions.do_answer(row, member, yes=stage.random.random() < 0.85)
                return True
    return False


def _simulated(row: Introduction) -> list[Member]:
    """A visitor answers for themselves."""
    return [member for member in row.waits_for if member.simulated and not member.erased_at]

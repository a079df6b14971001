"""The sample community lives: one act after the other, where the hour is lively more of them."""

from __future__ import annotations

import logging
import threading
from datetime import timedelta
from random import Random

from django.db import DatabaseError, close_old_connections

from qunluo.kit import clock
from qunluo.kit.errors import QunluoError
from qunluo.living import acts, care_acts, trade_acts
from qunluo.living.acts import Act, Stage
from qunluo.living.founding import find_sample
from qunluo.living.holding import hold_again
from qunluo.living.rhythm import liveliness

ACTS: dict[Act, int] = {  # how often, of all together
    acts.talk: 400, acts.ask: 90, acts.reply: 150, acts.react: 150, acts.join: 55,
    acts.nickname: 45, acts.answer: 60, acts.decide: 20, acts.spam: 14, acts.appeal: 8,
    acts.leave: 14, acts.ask_in: 8, acts.tag: 10,
    care_acts.buy: 15, care_acts.vote: 30, care_acts.wish: 6, care_acts.sign_up: 10,
    care_acts.testify: 6, care_acts.keep_promise: 4, care_acts.say_yes: 12,
    trade_acts.check_in: 40, trade_acts.take_coupon: 8, trade_acts.begin_task: 4,
    trade_acts.help_friend: 14, trade_acts.begin_group: 4, trade_acts.join_group: 14,
    trade_acts.shop: 12, trade_acts.settle_up: 10, trade_acts.ask_back: 1,
    trade_acts.hand_over: 12, trade_acts.restock: 2, hold_again: 4,
}  # fmt: skip
GAP = timedelta(seconds=24)  # of the community's clock between two acts, on average
LONGEST_S, SHORTEST_S = 15.0, 0.2  # of the world's: a visitor never waits long for something
SEARCH_S = 2.0
OPENING: tuple[Act, ...] = (
    acts.join, acts.talk, acts.ask, acts.spam, acts.nickname, trade_acts.join_group,
    trade_acts.check_in, trade_acts.help_friend,
)  # fmt: skip
log = logging.getLogger(__name__)


def play(stop: threading.Event) -> None:
    """Plays until stopped; the act that is under way is finished."""
    random = Random()  # noqa: S311 - a story, not a secret
    stage: Stage | None = None
    opening = list(OPENING)  # so that the first minute shows some of everything
    while not stop.is_set():
        stage = stage or _open(random)
        if stage is None:
            stop.wait(SEARCH_S)
            continue
        perform(opening.pop(0) if opening else choose(random), stage)
        close_old_connections()
        stop.wait(pause_s(random))


def _open(random: Random) -> Stage | None:
    community = find_sample()
    return Stage(community, random) if community is not None else None


def choose(random: Random) -> Act:
    return random.choices(list(ACTS), list(ACTS.values()))[0]


def pause_s(random: Random) -> float:
    """Seconds of the world until the next act."""
    gap = GAP / max(liveliness(clock.now()), 0.05)
    wanted = random.expovariate(1.0) * clock.clock().real_s(gap)
    return min(max(wanted, SHORTEST_S), LONGEST_S)


def perform(act: Act, stage: Stage) -> bool:
    """One act; what the community does not allow (a ban, a full group) is part of the play."""
    try:
        return act(stage)
    except QunluoError:
        return False
    except DatabaseError as error:
        log.warning("%s: %s", getattr(act, "__name__", "act"), type(error).__name__)
        return False

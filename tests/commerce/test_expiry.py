"""What has an end comes to it by itself: the worker sees to points and promises."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from qunluo.kit import clock
from qunluo.ledger.actions import do_hold
from qunluo.ledger.auditing import do_audit
from qunluo.members.models import Member
from qunluo.messaging.worker import step
from tests.commerce.shop import STAFF, give_points

pytestmark = pytest.mark.django_db


def test_the_worker_ends_points_and_promises_whose_time_is_over(
    bob: Member, noon: datetime
) -> None:
    mine = give_points(bob, 30, expires_at=noon + timedelta(days=1))
    give_points(bob, 7)
    do_hold(mine, 5, cause="h", by=STAFF, expires_at=noon + timedelta(hours=1))
    found = []
    for hours in (0, 1, 24):
        with clock.use(clock.faster(0, noon + timedelta(hours=hours))):
            step()
        mine.refresh_from_db()
        found.append((mine.balance, mine.held))
    assert found == [(37, 5), (37, 0), (7, 0)]
    assert [v for v in do_audit(bob.community_id) if not v.holds] == []

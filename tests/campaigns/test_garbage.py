"""Whatever a page sends, in every model: it is done by the rules or refused, and nothing breaks."""

from __future__ import annotations

from datetime import datetime
from importlib import import_module
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qunluo.campaigns.mechanics.kernel import Done, Refused
from qunluo.campaigns.models import Play
from qunluo.campaigns.playing import Tap, do_taps
from qunluo.community.models import Community
from qunluo.kit.errors import QunluoError
from tests.campaigns.running import holds, run
from tests.cast import make_member
from tests.commerce.shop import sell
from tests.h5.test_scenes import RULES

pytestmark = pytest.mark.django_db
NAMES = st.sampled_from([
    "quantity", "quoted_minor", "sku", "ref", "to", "from", "top_up", "title", "category", "team",
    "member", "members", "inviter", "invitee", "new", "date", "day", "lines", "points", "id", "x",
])  # fmt: skip
VALUES = st.sampled_from([
    None, True, 0, -1, 1, 2**70, 1.5, "", "x" * 300, "tea", "1", "2026-03-01", [], [1], {"a": 1},
    "\x00", "\ud800",
])  # fmt: skip


def kinds_of(mechanic: str) -> list[str]:
    """All acts that its module names, and one that nobody knows."""
    names = vars(import_module(f"qunluo.campaigns.mechanics.{mechanic}"))
    found = {
        value for name, value in names.items() if name.isupper() and isinstance(value, str)
    }
    return [*sorted(found), "?"]


@pytest.mark.parametrize("mechanic", sorted(RULES))
def test_no_page_breaks_a_campaign(tea: Community, noon: datetime, mechanic: str) -> None:
    sell(tea, "tea", price_minor=5_000, stock=50)
    campaign = run(tea, mechanic, RULES[mechanic])
    members = [make_member(tea, name) for name in ("Ann", "Eve")]
    kinds, numbers = kinds_of(mechanic), iter(range(10_000))

    @settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        st.sampled_from(kinds), st.dictionaries(NAMES, VALUES, max_size=3), st.integers(0, 3)
    )
    def press(kind: str, data: dict[str, Any], pick: int) -> None:
        plays = [*Play.objects.filter(campaign=campaign).values_list("key", flat=True), "", "?"]
        tap = Tap(members[pick % 2], kind, f"k{next(numbers)}", plays[pick % len(plays)], data)
        (answer,) = do_taps(campaign, [tap])
        assert isinstance(answer, Done | Refused | QunluoError)

    press()
    holds(tea)

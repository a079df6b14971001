"""The timeline says in words what a member bought, won and did in campaigns."""

from __future__ import annotations

import re

import pytest
from django.utils.translation import override

from qunluo.campaigns.models import Campaign
from qunluo.community.models import Community
from qunluo.console.deeds import DEEDS
from qunluo.console.people.timeline import tell, title_of
from qunluo.events.models import Event
from qunluo.kit import clock


@pytest.mark.parametrize("kind", sorted(DEEDS))
def test_whatever_is_recorded_has_a_title_in_the_readers_language(kind: str) -> None:
    with override("zh-hans"):
        assert re.search("[一-鿿]", title_of(kind))
    with override("en"):
        assert not re.search("[一-鿿]", title_of(kind))


def event(community: Community, kind: str, actor: str = "system", **data: object) -> Event:
    return Event(
        community_id=community.pk, kind=kind, at=clock.now(), actor=actor, data=dict(data)
    )


@pytest.mark.django_db
def test_campaigns_acts_and_amounts_are_told_by_their_names(tea: Community) -> None:
    spring = Campaign.objects.create(
        community=tea, name="春茶", mechanic="bargain", made_at=clock.now()
    )
    won = {"campaign": spring.pk, "unit": "points", "amount": 50, "play": "5fca92608157bacc"}
    rows = [
        event(tea, "campaign_won", f"campaign:{spring.pk}", **won),
        event(tea, "campaign_acted", campaign=spring.pk, act="buy", play="5fca92608157bacc"),
        event(tea, "order_paid", order="Q1", amount_minor=5800),
    ]
    with override("zh-hans"):
        lines = tell(rows, tea)
    assert [line.detail for line in lines] == ["春茶 · 50 积分", "春茶 · 已下单", "Q1 · ¥58.00"]
    assert lines[0].actor == "春茶"

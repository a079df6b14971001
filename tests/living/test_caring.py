"""The sample community has been cared for before it begins to live, and goes on being."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

import pytest
from django.test import Client
from django.urls import reverse

from qunluo.campaigns.models import Coupon, Play
from qunluo.care import promises
from qunluo.care.models import (
    Exchange,
    Gathering,
    Incident,
    IncidentNote,
    Patrol,
    Promise,
    SignUp,
    Support,
    Wish,
)
from qunluo.care.models import Testimony as Told  # pytest would take it for a test
from qunluo.community.models import Community, User
from qunluo.events.models import Event
from qunluo.kit import clock
from qunluo.living import care_acts, trade_acts
from qunluo.living.acts import Stage
from qunluo.living.caring import found_care
from qunluo.living.founding import find_sample, found_sample
from qunluo.living.play import perform
from qunluo.members.models import Member
from qunluo.messaging.worker import step
from qunluo.standing.models import Standing
from qunluo.standing.night import do_judge_all
from qunluo.standing.tasks import do_follow
from tests.campaigns.running import holds, work

CARED = (
    Wish, Support, Gathering, SignUp, Promise, Exchange, Told, Incident, Patrol,
)  # fmt: skip
PAGES = {  # and something that is read there
    "wishes": "早上七点开门", "gatherings": "拉花小课堂", "testimonies": "豆子很新鲜",
    "incidents": "午间出杯慢", "patrols": "福利官阿舟", "promises": "年卡会员", "needs": "",
    "introductions": "",
}  # fmt: skip


def test_there_is_something_of_every_kind_and_founding_again_adds_nothing(
    sample: Community,
) -> None:
    counts = {model: model.objects.count() for model in CARED}
    assert all(counts.values()), counts
    assert set(Wish.objects.values_list("state", flat=True)) == {
        "open", "merged", "product", "campaign", "no",
    }  # fmt: skip
    assert set(Incident.objects.values_list("state", flat=True)) == {"open", "closed"}
    assert set(Told.objects.values_list("state", flat=True)) == {
        "waiting", "approved", "refused",
    }  # fmt: skip
    found_sample("en")
    found_care(sample, Random(1))
    assert counts == {model: model.objects.count() for model in CARED}

    _check_times(clock.now())
    _check_promises(sample)


def _check_times(now: datetime) -> None:
    """Everything happened before now, and after its members came."""
    assert not Event.objects.filter(at__gt=now).exists()
    assert not Support.objects.filter(at__gt=now).exists()
    assert not IncidentNote.objects.filter(at__gt=now).exists()
    assert not Patrol.objects.filter(at__gt=now).exists()
    for vote in Support.objects.select_related("member"):
        assert vote.at >= vote.member.made_at
    for gathering in Gathering.objects.all():
        assert gathering.taken == gathering.signups.filter(state="seated").count()
    assert Gathering.objects.filter(starts_at__gt=now).count() == 2
    assert SignUp.objects.filter(state="waiting").exists()


def _check_promises(sample: Community) -> None:
    """Some wait too long for what they were promised, others do not."""
    owed = promises.list_owed(sample, clock.now())
    assert len(owed) == Promise.objects.count()
    assert {one.late for one in owed} == {True, False}


@pytest.mark.django_db(transaction=True)  # a follower reads what was committed only
def test_members_stand_where_their_orders_and_deeds_put_them_and_go_on(noon: datetime) -> None:
    found_sample("en")
    sample = find_sample()
    assert sample is not None
    while do_follow():
        pass
    do_judge_all(sample)
    rows = Standing.objects.filter(community=sample)
    assert rows.filter(trust=5).count() > 10
    assert rows.filter(trust=6).exists()
    assert rows.filter(product__gt=0).exists()
    assert rows.filter(lifecycle="mature").exists()
    assert rows.filter(recency=5).exists()
    assert rows.filter(recency=1).exists()
    _check_acts(sample)
    _check_groups(sample)


def _check_groups(sample: Community) -> None:
    """What became of orders is heard: groups that gather get complete, coupons are used."""
    work()
    groups, stage = (
        Play.objects.filter(campaign__mechanic="group_buy"),
        Stage(sample, Random(2)),
    )
    assert {play.state["stage"] for play in groups} == {"open"}
    for _ in range(12):
        perform(trade_acts.join_group, stage)
        work()
    assert "success" in {play.state["stage"] for play in groups.all()}
    assert Coupon.objects.filter(state="used").exists()
    holds(sample)


def _check_acts(sample: Community) -> None:
    stage, start = Stage(sample, Random(4)), clock.now()
    for act in (care_acts.buy, care_acts.wish, care_acts.sign_up, care_acts.testify):
        with clock.use(clock.faster(0, start + timedelta(minutes=5))):
            assert act(stage), act.__name__
    assert any(care_acts.vote(stage) for _ in range(10))
    with clock.use(clock.faster(0, start + timedelta(days=40))):
        before = Exchange.objects.count()
        assert care_acts.keep_promise(stage)
        assert Exchange.objects.count() == before + 1
    assert not care_acts.say_yes(stage)  # nobody was asked
    assert not Member.objects.filter(community=sample, simulated=False).exists()


def test_the_pages_of_care_show_it(sample: Community) -> None:
    for _ in range(4):
        step()
    client = Client()
    client.force_login(User.objects.get(username="alice"))
    for name, words in PAGES.items():
        page = client.get(reverse(f"care:{name}"))
        assert page.status_code == 200, name
        assert words in page.content.decode(), name

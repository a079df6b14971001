"""Founding the sample, where nothing or another community is."""

from __future__ import annotations

from datetime import datetime

from django.test import Client

from qunluo.community.models import Community, User
from qunluo.events.models import Consumer
from qunluo.groups.models import Group
from qunluo.living.founding import found_sample
from qunluo.messaging.models import Message, Question


def test_a_newcomer_finds_life_and_the_way_in(db: None, noon: datetime) -> None:
    lines = found_sample("en")
    password = lines[1].split("password ")[1].split(" ")[0]
    owner = User.objects.get(username="alice")
    assert owner.check_password(password)
    assert "simulated" in lines[0]
    again = found_sample("zh")
    assert len(again) == 1
    assert Community.objects.filter(simulated=True).count() == 1
    assert Client().login(username="alice", password=password)
    assert Message.objects.count() > 1_500
    assert Question.objects.count() > 50
    assert Group.objects.count() == 6


def test_a_founding_beside_another_community_leaves_its_work_alone(
    tea: Community, noon: datetime
) -> None:
    found_sample("en")
    assert not Consumer.objects.filter(position__gt=0).exists()
    assert User.objects.filter(username="alice2").exists()

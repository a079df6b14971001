"""What a group that is nearly full hands on to its successor: its answers and its guard."""

from __future__ import annotations

import pytest

from qunluo.community.models import Community
from qunluo.events.models import Event
from qunluo.groups.actions import do_join, do_open_successor
from qunluo.groups.models import Group, Membership, ModerationRule
from qunluo.groups.moderation import do_judge, list_rules
from qunluo.kit import clock
from qunluo.messaging.founding import do_found_from_blueprint
from qunluo.messaging.models import AutoReply
from qunluo.messaging.replies import list_replies
from qunluo.messaging.rules import choose_reply, zone_of
from tests.cast import make_group, make_member

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]
AD = "加微信 vx888888 兼职日赚500，刷单返利 https://spam.example.cn"


@pytest.fixture
def place(tea: Community) -> Group:
    """A group of ten with answers and rules of its own, beside those of the community."""
    found = make_group(tea, capacity=10)
    AutoReply.objects.create(community=tea, group=found, how="contains", pattern="几点",
                             answer="9 点开门", priority=3, hours=[[9, 18]])  # fmt: skip
    AutoReply.objects.create(community=tea, group=found, how="exact", pattern="价格",
                             answer="〔价格〕", active=False)  # fmt: skip
    AutoReply.objects.create(community=tea, how="contains", pattern="地址", answer="西湖边")
    for detector, shadow, active in (("ads", False, True), ("links", True, False)):
        ModerationRule.objects.create(community=tea, group=found, detector=detector, shadow=shadow,
                                      active=active, options={"least": 2}, made_at=clock.now())  # fmt: skip
    return found


def fill(group: Group, n: int) -> None:
    for number in range(n):
        do_join(group, make_member(group.community, f"m{number}"), by="system")
    group.refresh_from_db()


def answers(group: Group) -> list[tuple[object, ...]]:
    names = ("how", "pattern", "answer", "priority", "hours", "active", "group_cooldown_s",
             "member_cooldown_s")  # fmt: skip
    return list(AutoReply.objects.filter(group=group).order_by("pk").values_list(*names))


def guard(group: Group) -> list[tuple[object, ...]]:
    names = ("detector", "options", "shadow", "active")
    return list(ModerationRule.objects.filter(group=group).order_by("pk").values_list(*names))


def test_at_nine_tenths_answers_and_rules_go_on(place: Group) -> None:
    fill(place, 9)
    after = place.successor
    assert after is not None
    assert answers(after) == answers(place)
    assert guard(after) == guard(place)
    assert [r.detector for r in list_rules(after)] == [r.detector for r in list_rules(place)]
    opened = Event.objects.get(kind="successor_opened")
    assert opened.data == {"next": after.pk, "rules": 2, "replies": 2}


def test_what_the_first_answered_and_stopped_so_does_the_second(place: Group) -> None:
    after = do_open_successor(place, by="staff:1")
    dora = make_member(place.community, "Dora")
    seat = Membership.objects.create(group=after, member=dora, joined_at=clock.now())
    zone = zone_of(place.community.zone)
    found = choose_reply(list_replies(seat), "几点开门？", clock.now(), zone)
    assert found is not None
    assert found.reply.answer == "9 点开门"
    case = do_judge(after, dora, AD, message_id=None, now=clock.now())
    assert case is not None
    assert not case.shadow


def test_what_changes_in_one_stays_as_it_was_in_the_other(place: Group) -> None:
    after = do_open_successor(place, by="staff:1")
    AutoReply.objects.filter(group=after).delete()
    ModerationRule.objects.filter(group=after).update(active=False)
    assert len(answers(place)) == 2
    assert ("ads", {"least": 2}, False, True) in guard(place)
    assert AutoReply.objects.filter(group=None).count() == 1


def test_a_group_of_a_blueprint_hands_its_drafts_on(tea: Community) -> None:
    first = do_found_from_blueprint(tea, "seeding", lang="zh", by="staff:1")
    after = do_open_successor(first, by="staff:1")
    assert answers(after) == answers(first) != []
    assert guard(after) == guard(first)

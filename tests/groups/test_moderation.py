"""The ladder is climbed one step at a time, and every step can be taken back."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from qunluo.community.models import Community
from qunluo.groups.actions import do_join
from qunluo.groups.errors import (
    AlreadyDecidedError,
    AppealedAlreadyError,
    BannedError,
    NotYoursError,
)
from qunluo.groups.ladder import LADDER, WORDS, tell_act
from qunluo.groups.models import Ban, Case, Group, Membership, ModerationRule, Strike
from qunluo.groups.moderation import (
    RULES,
    do_act,
    do_appeal,
    do_decide_appeal,
    do_ensure_rules,
    do_judge,
    do_set_rule,
    do_undo_case,
    do_uphold_case,
    find_lessons,
)
from qunluo.groups.queries import find_membership, list_cases, list_cases_of
from qunluo.kit.text import Text
from qunluo.members.models import Member
from tests.cast import make_group, make_member

pytestmark = pytest.mark.django_db

AD = "高佣兼职日结，日赚500，加微信 abc12345 免费领取，名额有限，点击链接 http://a.b.top"
MILD = "刷单兼职了解一下，日结"


@pytest.fixture
def armed(group: Group) -> Group:
    """A group whose rules act."""
    for rule in do_ensure_rules(group.community):
        do_set_rule(rule, by="staff:1", shadow=False)
    return group


@pytest.fixture
def seat(armed: Group, bob: Member, noon: datetime) -> Membership:
    """Bob has been here for a week."""
    made = do_join(armed, bob, by=bob.actor)
    Membership.objects.filter(pk=made.pk).update(joined_at=noon - timedelta(days=7))
    return made


def say(
    seat: Membership, text: str, at: datetime, message_id: int | None = None
) -> Case | None:
    return do_judge(seat.group, seat.member, text, message_id=message_id, now=at)


def test_rules_come_in_shadow_once_each(tea: Community) -> None:
    assert {r.detector for r in do_ensure_rules(tea)} == set(RULES)
    assert len(do_ensure_rules(tea)) == len(RULES)
    assert not ModerationRule.objects.filter(shadow=False).exists()


def test_in_shadow_nothing_is_done_and_told_what_would_be(
    group: Group, bob: Member, noon: datetime
) -> None:
    do_join(group, bob, by=bob.actor)
    case = do_judge(group, bob, AD, message_id=1, now=noon)
    assert case is not None
    assert (case.shadow, case.act, case.stands) == (True, "remind", False)
    assert not Strike.objects.exists()
    assert not list_cases_of(bob).exists()


def test_clean_messages_are_counted_and_open_nothing(seat: Membership, noon: datetime) -> None:
    assert say(seat, "早上好，今天喝什么茶？", noon) is None
    seat.member.refresh_from_db()
    assert seat.member.clean_messages == 1


def test_the_ladder_is_climbed_step_by_step(seat: Membership, noon: datetime) -> None:
    acts = []
    for n in range(4):
        case = say(seat, AD, noon + timedelta(hours=n), n)
        assert case is not None
        acts.append(case.act)
    assert tuple(acts) == LADDER
    assert find_membership(seat.group, seat.member) is None
    with pytest.raises(BannedError):
        do_join(seat.group, seat.member, by="staff:1")


def test_doubt_removes_nobody(seat: Membership, noon: datetime) -> None:
    acts = [say(seat, MILD, noon + timedelta(hours=n)) for n in range(5)]
    assert [case.act for case in acts if case] == ["remind", *["warn"] * 4]


def test_strikes_expire(seat: Membership, noon: datetime) -> None:
    say(seat, AD, noon)
    later = say(seat, AD, noon + timedelta(days=31))
    assert later is not None
    assert later.act == "remind"


def test_the_evidence_says_who_found_what(seat: Membership, noon: datetime) -> None:
    case = say(seat, AD, noon, 7)
    assert case is not None
    assert {"ads", "cards", "links"} <= {e["detector"] for e in case.evidence}
    assert all(e["why"]["zh"] and 0 < e["score"] <= 1 for e in case.evidence)
    assert case.message_id == 7


def test_a_newcomers_link_waits_for_a_moderator(
    armed: Group, bob: Member, noon: datetime
) -> None:
    do_join(armed, bob, by=bob.actor)
    case = do_judge(armed, bob, "看这个 https://news.example.com/a", message_id=1, now=noon)
    assert case is not None
    assert case.act == "hold"
    assert not Strike.objects.exists()


def test_the_same_link_from_somebody_known_passes(seat: Membership, noon: datetime) -> None:
    assert say(seat, "看这个 https://news.example.com/a", noon) is None


def test_moderators_and_the_trusted_are_exempt(seat: Membership, noon: datetime) -> None:
    Member.objects.filter(pk=seat.member_id).update(clean_messages=20)
    assert say(seat, AD, noon) is None
    Member.objects.filter(pk=seat.member_id).update(clean_messages=0)
    Membership.objects.filter(pk=seat.pk).update(moderator=True)
    assert say(seat, AD, noon) is None


def test_a_strike_ends_the_trust_that_was_growing(seat: Membership, noon: datetime) -> None:
    Member.objects.filter(pk=seat.member_id).update(clean_messages=19)
    say(seat, AD, noon)
    seat.member.refresh_from_db()
    assert seat.member.clean_messages == 0


def test_a_flood_is_seen(seat: Membership, noon: datetime) -> None:
    cases = [say(seat, f"hello number {n}", noon + timedelta(seconds=n)) for n in range(12)]
    assert cases[:10] == [None] * 10
    assert cases[10] is not None
    assert cases[10].by == "rule:floods"


def test_the_same_text_in_three_groups_is_a_flood(
    tea: Community, seat: Membership, noon: datetime
) -> None:
    for name in ("Two", "Three"):
        case = do_judge(make_group(tea, name), seat.member, "大家好看看我这里！", message_id=None,
                        now=noon)  # fmt: skip
        assert case is None
    assert say(seat, "大家好，看看我这里", noon) is not None


def test_who_bears_a_staff_name_is_asked_to_change_it(
    tea: Community, armed: Group, noon: datetime
) -> None:
    thief = make_member(tea, "A1ice")
    do_join(armed, thief, by=thief.actor)
    case = do_judge(armed, thief, "hi", message_id=None, now=noon)
    assert case is not None
    assert case.evidence[0]["detector"] == "impersonation"


def test_banned_words_are_those_of_the_rule(seat: Membership, noon: datetime) -> None:
    rule = ModerationRule.objects.get(detector="banned")
    do_set_rule(rule, by="staff:1", options={"words": ["坏词", "scam"]})
    assert say(seat, "这是 坏 词", noon) is not None
    assert say(seat, "scampi for dinner", noon) is None


def test_a_groups_own_rule_takes_the_place_of_the_communitys(
    seat: Membership, noon: datetime
) -> None:
    ModerationRule.objects.create(community=seat.group.community, group=seat.group,
                                  detector="ads", active=False, made_at=noon)  # fmt: skip
    assert say(seat, MILD, noon) is None


# taking it back


def removed(seat: Membership, noon: datetime, steps: int = 3) -> Case:
    cases = [say(seat, AD, noon + timedelta(hours=n), n) for n in range(steps)]
    last = cases[-1]
    assert last is not None
    return last


def test_undoing_a_removal_gives_seat_and_standing_back(
    seat: Membership, noon: datetime
) -> None:
    case = removed(seat, noon)
    assert case.act == "remove"
    assert do_undo_case(case, by="staff:1", why="a joke") == [seat]
    seat.refresh_from_db()
    assert (seat.left_at, seat.left_why, case.state) == (None, "", "undone")
    assert Strike.objects.filter(lifted_at=None).count() == 2
    seat.group.refresh_from_db()
    assert seat.group.taken == 1
    with pytest.raises(AlreadyDecidedError):
        do_undo_case(case, by="staff:1", why="again")


def test_undoing_a_ban_opens_every_group_again(
    tea: Community, seat: Membership, noon: datetime
) -> None:
    other = do_join(make_group(tea, "Other"), seat.member, by="system")
    case = do_act(seat.group, seat.member, "ban", by="staff:1", why="ads")
    assert Membership.objects.filter(member=seat.member, left_at=None).count() == 0
    assert set(do_undo_case(case, by="staff:1", why="wrong person")) == {seat, other}
    assert not Ban.objects.filter(lifted_at=None).exists()


def test_who_was_removed_from_a_full_group_comes_back_to_its_successor(
    tea: Community, noon: datetime, bob: Member
) -> None:
    small = make_group(tea, "Small", capacity=1)
    do_join(small, bob, by=bob.actor)
    case = do_act(small, bob, "remove", by="staff:1", why="ads")
    do_join(small, make_member(tea, "Dan"), by="member:9")
    (back,) = do_undo_case(case, by="staff:1", why="sorry")
    assert back.group.name == "Small 2"


def test_an_appeal_is_made_once_by_the_person_and_decided_once(
    tea: Community, seat: Membership, noon: datetime
) -> None:
    case = removed(seat, noon)
    with pytest.raises(NotYoursError):
        do_appeal(case, "let Bob in", member=make_member(tea, "Dan"))
    do_appeal(case, "it was a joke", member=seat.member)
    with pytest.raises(AppealedAlreadyError):
        do_appeal(case, "please", member=seat.member)
    assert list_cases(tea)[0] == case
    assert do_decide_appeal(case, uphold=False, by="staff:1", why="fair") == [seat]
    assert case.state == "undone"


def test_an_upheld_appeal_changes_nothing(seat: Membership, noon: datetime) -> None:
    case = removed(seat, noon)
    do_appeal(case, "why?", member=seat.member)
    assert do_decide_appeal(case, uphold=True, by="staff:1", why="clear advertising") == []
    assert (case.state, find_membership(seat.group, seat.member)) == ("upheld", None)
    with pytest.raises(AlreadyDecidedError):
        do_decide_appeal(case, uphold=True, by="staff:1", why="again")


def test_what_moderators_decide_becomes_a_lesson_in_tens(
    seat: Membership, noon: datetime, tea: Community
) -> None:
    for n in range(10):
        case = do_act(seat.group, seat.member, "none", by="staff:1", why="ad", text=f"text {n}")
        if n % 2:
            do_uphold_case(case, by="staff:1", why="yes")
        else:
            do_undo_case(case, by="staff:1", why="no")
        known = find_lessons(tea.pk)
        assert len(known) == (10 if n == 9 else 0)
    assert [example.ad for example in known] == [False, True] * 5


@pytest.mark.parametrize("act", [*LADDER, "hold"])
def test_every_act_has_words_that_name_the_reason(act: str) -> None:
    words = tell_act(act, name="{Bob}", why=Text("Ads.", "广告。"))
    assert words is not None
    assert "{Bob}" in words.zh
    assert "广告" in words.zh or act == "hold"
    assert set(WORDS) == {*LADDER, "hold"}

"""Every mechanic has a page that says how it stands, what its rules are and what to do; pressing
works, and what is one's own nobody else opens."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from qunluo.campaigns.mechanics.kernel import Refused
from qunluo.campaigns.models import Campaign, Play, Purchase, Reward
from qunluo.campaigns.playing import Asked, do_act_for
from qunluo.campaigns.registry import list_mechanics
from qunluo.commerce.models import Order
from qunluo.community.models import Community
from qunluo.groups.models import Group, Membership
from qunluo.h5.scenes.scene import left, span
from qunluo.h5.scenes.stage import DRAWN
from qunluo.kit import clock
from qunluo.members.models import Member
from tests.campaigns.running import BARGAIN, FLASH, act, done, holds, run, work
from tests.cast import NOON, client_of, make_group, make_member
from tests.commerce.shop import give_points, pay, sell
from tests.h5.test_campaigning import form, forms, press
from tests.h5.test_inviting import browser_of

pytestmark = pytest.mark.django_db
POINTS: dict[str, Any] = {"unit": "points", "amount": 10}
RULES: dict[str, dict[str, Any]] = {
    "bargain": BARGAIN,
    "flash_sale": FLASH,
    "assist": {"tiers": [{"helps": 2, "reward": POINTS}], "tasks": 5},
    "group_buy": {"prices": [{"sku": "tea", "price_minor": 3_000}], "size": 2},
    "tiered_invites": {"tiers": [{"invites": 1, "reward": POINTS}], "inviters": 5},
    "rising_price": {"sku": "tea", "steps": [{"pieces": 5, "price_minor": 2_600}], "per_member": 2},
    "coupon": {"name": "spring", "total": 5, "off_minor": 500, "threshold_minor": 2_000},
    "gift": {"tiers": [{"threshold_minor": 2_000, "gift": "tea", "stock": 2, "worth_minor": 100}]},
    "lucky_draw": {"prizes": [{"name": "A cup", "weight": 1, "unit": "gift:cup", "amount": 1,
                               "stock": 3}], "cost_points": 5},
    "red_packet": {"amount": 30, "shares": 3, "packets": 2, "sender": "members"},
    "check_in": {"reward": POINTS, "members": 5, "cards": 2,
                 "cycle": [{"days": 2, "reward": POINTS}]},
    "contest": {"metric": "cups of tea", "starts_at": NOON.isoformat(),
                "ends_at": (NOON + timedelta(hours=5)).isoformat(),
                "bands": [{"first": 1, "last": 1, "unit": "points", "amount": 10}]},
    "swap": {"categories": ["books"], "deposit": 5},
}  # fmt: skip
FIRST = {
    "flash_sale": "buy", "rising_price": "buy", "coupon": "claim", "lucky_draw": "draw",
    "check_in": "check_in", "gift": "",
}  # fmt: skip
SAID = {
    "bargain": "砍价已发起", "assist": "任务已发起", "tiered_invites": "已参加", "coupon": "领取成功",
    "lucky_draw": "恭喜抽中", "red_packet": "红包已发出", "check_in": "打卡成功", "contest": "已报名",
    "swap": "已发布",
}  # fmt: skip


@pytest.fixture(autouse=True)
def stopped(noon: datetime) -> datetime:
    return noon


@pytest.fixture
def campaigns(tea: Community, group: Group) -> dict[str, Campaign]:
    sell(tea, "tea", price_minor=5_000, stock=20)
    return {name: run(tea, name, rules) for name, rules in RULES.items()}


def test_every_mechanic_is_drawn() -> None:
    assert set(DRAWN) == set(list_mechanics()) == set(RULES)


def test_every_mechanic_has_a_page_for_strangers_and_members_and_a_button_that_works(
    campaigns: dict[str, Campaign], bob: Member
) -> None:
    give_points(bob, 100)
    mine = browser_of(bob, "zh-hans")
    for name, campaign in campaigns.items():
        address = f"/c/{campaign.code}"
        stranger = client_of().get(address).content.decode()
        assert "Join the group to take part" in stranger, name
        assert forms(stranger) == [], name
        text = mine.get(address).content.decode()
        assert not re.search(r"[{}]", text.partition("<main")[2].partition("</main")[0]), name
        kind = FIRST.get(name, "open")
        if not kind:
            assert forms(text) == []
            continue
        more = {"d-title": "Tea for two", "d-category": "books"} if name == "swap" else {}
        said = press(mine, campaign, address, kind, **more)
        if name in SAID:
            assert SAID[name] in said, name
        else:
            assert Order.objects.filter(source__contains=f"campaign:{campaign.pk}:").exists(), (
                name
            )
        again = mine.get(address).content.decode()
        assert "bad" not in re.findall(r'class="told ?(\w*)"', again), name
    work()
    holds(bob.community)


def test_what_is_ones_own_nobody_else_opens(
    campaigns: dict[str, Campaign], bob: Member
) -> None:
    give_points(bob, 100)
    ann = browser_of(make_member(bob.community, "Ann"))
    for name in ("flash_sale", "coupon", "lucky_draw", "check_in", "tiered_invites"):
        done(act(campaigns[name], bob, FIRST.get(name, "open")))
        key = Play.objects.get(campaign=campaigns[name], starter=bob).key
        assert ann.get(f"/c/{campaigns[name].code}/p/{key}").status_code == 404, name
        assert browser_of(bob).get(f"/c/{campaigns[name].code}/p/{key}").status_code == 200


def test_a_red_packet_is_shared_and_a_group_is_joined_by_what_others_began(
    campaigns: dict[str, Campaign], bob: Member
) -> None:
    for name in ("red_packet", "group_buy"):
        done(act(campaigns[name], bob))
    ann = browser_of(make_member(bob.community, "Ann"))
    packet = campaigns["red_packet"]
    key = Play.objects.get(campaign=packet).key
    page = f"/c/{packet.code}/p/{key}"
    assert page in ann.get(f"/c/{packet.code}").content.decode()
    assert "You got" in press(ann, packet, page, "take")
    assert "Ann" in ann.get(page).content.decode()
    assert "Ann" not in client_of().get(f"/c/{packet.code}").content.decode()
    group_buy = campaigns["group_buy"]
    waiting = ann.get(f"/c/{group_buy.code}").content.decode()
    assert "It begins when Bob has paid." in waiting


def kinds(text: str) -> set[str]:
    return set(re.findall(r'name="kind" value="(\w+)"', text))


def test_who_has_had_all_that_one_may_have_is_told_so_and_offered_no_button(
    campaigns: dict[str, Campaign], bob: Member
) -> None:
    mine = browser_of(bob)
    press(mine, campaigns["flash_sale"], f"/c/{campaigns['flash_sale'].code}", "buy")
    rising = campaigns["rising_price"]
    done(act(rising, bob, "buy", quantity=2, quoted_minor=5_200))
    work()
    for name in ("flash_sale", "rising_price"):
        text = mine.get(f"/c/{campaigns[name].code}").content.decode()
        assert "that is as many as one member may have" in text, name
        assert "buy" not in kinds(text)
    ann = browser_of(make_member(bob.community, "Ann"))
    assert "buy" in kinds(ann.get(f"/c/{rising.code}").content.decode())
    assert "cancel" in kinds(mine.get(f"/c/{rising.code}").content.decode())


def test_the_list_price_stands_beside_that_of_the_campaign(
    campaigns: dict[str, Campaign], bob: Member
) -> None:
    mine, struck = browser_of(bob), "<s>CN¥50.00</s>"
    for name, lower in (("flash_sale", True), ("rising_price", True), ("group_buy", True),
                        ("bargain", False)):  # fmt: skip
        assert (struck in mine.get(f"/c/{campaigns[name].code}").content.decode()) is lower, (
            name
        )


@pytest.mark.django_db(transaction=True)  # what happened is followed once it is committed
def test_who_is_in_a_group_is_offered_no_other_and_one_without_points_no_draw(
    campaigns: dict[str, Campaign], bob: Member
) -> None:
    group_buy, ann = campaigns["group_buy"], make_member(bob.community, "Ann")
    done(act(group_buy, ann))
    pay(Purchase.objects.latest("pk").order)
    work()
    address = f"/c/{group_buy.code}/p/{Play.objects.get(starter=ann).key}"
    mine = browser_of(bob)
    assert {"join"} <= kinds(mine.get(address).content.decode())
    done(act(group_buy, bob))
    text = mine.get(address).content.decode()
    assert "You are in a group already" in text
    assert not kinds(text) & {"join", "open"}
    assert not kinds(mine.get(f"/c/{group_buy.code}").content.decode())
    draw = mine.get(f"/c/{campaigns['lucky_draw'].code}").content.decode()
    assert "5 more are needed for a draw" in draw
    assert not kinds(draw)


def test_red_packets_that_wait_come_first_and_the_team_puts_those_of_the_budget_out(
    tea: Community, group: Group, bob: Member
) -> None:
    packet = run(tea, "red_packet", {"amount": 30, "shares": 3, "packets": 3})
    mine, address = browser_of(bob), f"/c/{packet.code}"
    assert not kinds(mine.get(address).content.decode())
    assert isinstance(act(packet, bob), Refused)
    for key in ("one", "two"):
        done(do_act_for(packet, Asked("open", key), by="staff:1"))
    first, second = Play.objects.order_by("deadline", "pk")
    done(act(packet, bob, "take", first.key))
    text = mine.get(address).content.decode()
    at = [text.index(f"{address}/p/{play.key}") for play in (second, first)]
    assert sorted([*at, text.index("The team puts the packets out")]) == [
        *at, text.index("The team puts the packets out"),
    ]  # fmt: skip
    assert f"A red packet of {tea.name}" in text


def test_a_list_of_plays_asks_the_database_no_more_for_more_of_them(
    campaigns: dict[str, Campaign], bob: Member
) -> None:
    mine, asked = browser_of(bob), {}
    mine.get(f"/c/{campaigns['group_buy'].code}")  # what is kept for later is loaded
    for many in (1, 6):
        for n in range(many):
            done(act(campaigns["group_buy"], make_member(bob.community, f"Ann {many}-{n}")))
        with CaptureQueriesContext(connection) as seen:
            assert "Ann" in mine.get(f"/c/{campaigns['group_buy'].code}").content.decode()
        asked[many] = len(seen)
    assert asked[6] <= asked[1]


def test_a_flash_sale_is_called_off_and_its_pieces_counted(
    campaigns: dict[str, Campaign], bob: Member
) -> None:
    flash = campaigns["flash_sale"]
    mine = browser_of(bob)
    address = f"/c/{flash.code}"
    press(mine, flash, address, "buy")
    assert "4 left of 5" in mine.get(address).content.decode()
    assert "called off" in press(mine, flash, address, "cancel")
    assert "5 left of 5" in mine.get(address).content.decode()


def test_check_ins_have_a_calendar_and_their_points_a_statement(
    campaigns: dict[str, Campaign], bob: Member
) -> None:
    mine = browser_of(bob)
    daily = campaigns["check_in"]
    address = f"/c/{daily.code}"
    assert "Checked in: 10 points. 1 day in a row." in press(mine, daily, address, "check_in")
    text = mine.get(address).content.decode()
    assert 'class="in today"' in text
    assert 'value="check_in"' not in text
    points = mine.get(f"/me/{bob.pk}/points").content.decode()
    assert "From “A check_in”" in points
    assert address in points
    assert "+10" in points
    rewards = mine.get(f"/me/{bob.pk}/rewards").content.decode()
    assert "10 points" in rewards
    assert "yours" in rewards


def test_a_missed_day_is_made_up_from_the_calendar(
    campaigns: dict[str, Campaign], bob: Member
) -> None:
    mine, daily = browser_of(bob), campaigns["check_in"]
    Campaign.objects.update(ends_at=NOON + timedelta(days=9))
    daily.refresh_from_db()
    press(mine, daily, f"/c/{daily.code}", "check_in")
    with clock.use(clock.faster(0, NOON + timedelta(days=2))):
        text = mine.get(f"/c/{daily.code}").content.decode()
        assert '<option value="2026-03-03"' in text
        given = {**form(text, "make_up"), "d-date": "2026-03-03"}
        said = mine.post(f"/c/{daily.code}/do", given, follow=True).content.decode()
        assert "That day counts now: 10 points." in said
        assert 'class="made"' in said


def test_coupons_are_listed_with_where_they_came_from(
    campaigns: dict[str, Campaign], bob: Member
) -> None:
    mine = browser_of(bob)
    press(mine, campaigns["coupon"], f"/c/{campaigns['coupon'].code}", "claim")
    text = mine.get(f"/me/{bob.pk}/coupons").content.decode()
    assert "coupon “spring”" in text
    assert "A coupon" in text
    Reward.objects.update(state="clawed_back", why="Did not count")
    assert "Did not count" in mine.get(f"/me/{bob.pk}/rewards").content.decode()


def test_a_running_campaign_shows_in_the_room_and_at_the_door(
    campaigns: dict[str, Campaign], group: Group, bob: Member
) -> None:
    Membership.objects.create(group=group, member=bob, joined_at=clock.now())
    mine = browser_of(bob)
    other = make_group(bob.community, "Coffee")
    Campaign.objects.exclude(mechanic="assist").update(group=other)
    room = mine.get(f"/r/{group.code}").content.decode()
    assert "A assist" in room
    assert "A bargain" not in room
    found = mine.get(f"/r/{group.code}/campaigns").json()["campaigns"]
    assert [row["name"] for row in found] == ["A assist"]
    door = client_of().get(f"/j/{group.code}").content.decode()
    assert "A assist" in door
    assert client_of().get(f"/r/{group.code}/campaigns").status_code == 403
    Campaign.objects.update(state="paused")
    assert mine.get(f"/r/{group.code}/campaigns").json()["campaigns"] == []


def test_the_seed_of_draws_is_told_at_the_end_and_not_before(
    campaigns: dict[str, Campaign],
) -> None:
    lucky = campaigns["lucky_draw"]
    for state, told in (("running", False), ("paused", False), ("ended", True)):
        Campaign.objects.filter(pk=lucky.pk).update(state=state)
        text = client_of().get(f"/c/{lucky.code}").content.decode()
        assert lucky.commitment in text
        assert (lucky.seed in text) is told


def test_time_left_is_never_more_than_there_is() -> None:
    now = NOON
    assert left(now + timedelta(minutes=59, seconds=59), now) == "59 min"
    assert left(now + timedelta(hours=2, minutes=5), now) == "2 h 5 min"
    assert left(now + timedelta(days=3, hours=1, minutes=59), now) == "3 d 1 h"
    assert left(now + timedelta(seconds=20), now) == "less than a minute"
    assert [span(n)("en") for n in (1, 90, 120, 1440, 2880)] == [
        "1 minute", "90 minutes", "2 hours", "1 day", "2 days",
    ]  # fmt: skip

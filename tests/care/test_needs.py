"""What members voice in talk is heard by the report's rule, once, and somebody decides."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qunluo.care.errors import NeedGoneError, WhyMissingError
from qunluo.care.models import Need, Wish
from qunluo.care.needs import do_dismiss_needs, do_take_needs, list_suggestions
from qunluo.care.tasks import follow_talk
from qunluo.community.models import User
from qunluo.events.models import Consumer
from qunluo.groups.models import Group
from qunluo.insight.metrics.wishes import FAMILIES, find_family
from qunluo.kit import clock
from qunluo.members.erasing import do_erase
from qunluo.members.models import Member
from qunluo.messaging.actions import do_post, do_recall
from qunluo.messaging.models import Message
from tests.cast import NOON, client_of, make_member

pytestmark = pytest.mark.django_db(transaction=True)  # what is followed must be committed
STAFF = "staff:1"


def say(group: Group, text: str, member: Member | None = None) -> Message:
    who = member or make_member(group.community, "Dora")
    return do_post(group, text=text, member=who, label="member")


def hear() -> None:
    while follow_talk():
        pass


def test_needs_and_complaints_are_heard_and_small_talk_is_not(group: Group) -> None:
    for text in ("早上好", "茶壶漏了", "能不能出小一点的", "太贵了", "Where is my delivery?"):
        say(group, text)
    do_post(group, text="我们希望大家喜欢", label="auto")
    hear()
    families = Need.objects.order_by("id").values_list("family", flat=True)
    assert list(families) == ["quality", "wish", "price", "delivery"]


def test_what_is_heard_twice_is_kept_once(group: Group) -> None:
    say(group, "茶壶漏了")
    hear()
    Consumer.objects.filter(name="care.talk").update(transaction=0, position=0)
    hear()
    assert Need.objects.count() == 1


def test_what_was_said_long_ago_suggests_nothing(group: Group) -> None:
    with clock.use(clock.faster(0, NOON - timedelta(days=40))):
        say(group, "茶壶漏了")
    with clock.use(clock.faster(0, NOON)):
        hear()
        assert not Need.objects.exists()


def test_what_several_say_alike_is_one_suggestion_with_their_words(group: Group) -> None:
    for text in ("希望有小茶壶套装", "有小茶壶套装吗，求出", "想要小茶壶套装"):
        say(group, text)
    say(group, "快递还没到")
    hear()
    shared, alone = list_suggestions(group.community)
    assert [found.people for found in shared] == [3]
    assert len(shared[0].quotes) == 3
    assert [found.needs[0].family for found in alone] == ["delivery"]


def test_a_need_becomes_a_wish_once(group: Group) -> None:
    say(group, "希望有小茶壶")
    hear()
    ids = list(Need.objects.values_list("pk", flat=True))
    wish = do_take_needs(group.community, ids, title="小茶壶", by=STAFF)
    assert (wish.votes, wish.needs.get().state) == (0, "taken")
    with pytest.raises(NeedGoneError):
        do_take_needs(group.community, ids, title="小茶壶", by=STAFF)
    assert Wish.objects.count() == 1
    assert list_suggestions(group.community) == ([], [])


def test_dismissing_needs_a_reason(group: Group) -> None:
    say(group, "太贵了")
    hear()
    ids = list(Need.objects.values_list("pk", flat=True))
    with pytest.raises(WhyMissingError):
        do_dismiss_needs(group.community, ids, why=" ", by=STAFF)
    assert do_dismiss_needs(group.community, ids, why="we are the cheapest", by=STAFF) == 1


def test_what_was_taken_back_or_erased_is_not_quoted(group: Group) -> None:
    dora = make_member(group.community, "Dora")
    message = say(group, "希望有小茶壶", dora)
    hear()
    do_recall(message, by=dora.actor)
    assert list_suggestions(group.community) == ([], [])
    do_erase(dora, by=dora.actor)
    assert not Need.objects.exists()


def test_staff_decide_on_the_page(alice: User, group: Group) -> None:
    desk = client_of(alice)
    assert "Nothing was heard" in desk.get("/console/care/needs").content.decode()
    say(group, "希望有 <b>小茶壶</b>")
    say(group, "太贵了")
    hear()
    page = desk.get("/console/care/needs").content.decode()
    assert "&lt;b&gt;小茶壶" in page
    wanted = Need.objects.get(family="wish")
    dear = Need.objects.get(family="price")
    desk.post("/console/care/needs/take", {"needs": f"{wanted.pk} x", "title": "小茶壶"})
    desk.post("/console/care/needs/dismiss", {"needs": str(dear.pk), "why": "no"})
    assert set(Need.objects.values_list("state", flat=True)) == {"taken", "dismissed"}
    assert Wish.objects.get().title == "小茶壶"


@given(st.text())
def test_any_text_has_one_family_or_none(text: str) -> None:
    assert find_family(text) in {None, *FAMILIES}

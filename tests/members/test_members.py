"""Meeting members, naming, tagging, describing and reaching them."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from qunluo.community.models import Community
from qunluo.events.models import Event
from qunluo.kit import clock
from qunluo.members.actions import (
    do_expire_tags,
    do_index,
    do_meet,
    do_rename,
    do_reveal_contact,
    do_set_consent,
    do_set_contact,
    do_set_fields,
    do_tag,
    do_untag,
)
from qunluo.members.errors import (
    NoFieldError,
    NoNameError,
    OtherCommunityError,
    WhyMissingError,
    WrongPhoneError,
    WrongValueError,
)
from qunluo.members.models import ChannelCode, Field, Identity, Member, Tag, TagGroup
from qunluo.members.queries import (
    find_source,
    list_tags,
    mask_contact,
    may_send,
    search_members,
)
from tests.cast import NOON, make_member, make_user

pytestmark = pytest.mark.django_db


def meet(tea: Community, name: str = "Bob", **more: object) -> Member:
    values = {"channel": "web", "external_id": name, "name": name, **more}
    return do_meet(tea, **values)  # type: ignore[arg-type]


def make_tag(tea: Community, name: str, *, group: str = "Level", single: bool = False) -> Tag:
    row, _ = TagGroup.objects.get_or_create(
        community=tea, name=group, defaults={"single": single}
    )
    return Tag.objects.create(group=row, name=name)


def kinds(member: Member) -> list[str]:
    return list(
        Event.objects.filter(member_id=member.pk).order_by("id").values_list("kind", flat=True)
    )


def test_an_account_is_met_once(tea: Community) -> None:
    first = meet(tea)
    assert meet(tea, name="Bobby", external_id="Bob") == first
    assert kinds(first) == ["member_met"]
    assert Identity.objects.count() == 1


def test_the_same_union_id_is_the_same_person(tea: Community) -> None:
    first = meet(tea, union_id="u1")
    again = meet(tea, "Robert", channel="wecom", union_id="u1")
    assert again == first
    assert kinds(first) == ["member_met"]
    assert first.identities.count() == 2


def test_first_and_last_touch_tell_the_source(tea: Community) -> None:
    make = {"community": tea, "made_at": clock.now()}
    poster = ChannelCode.objects.create(code="poster", name="Poster", **make)
    stall = ChannelCode.objects.create(code="stall", name="Stall", **make)
    member = meet(tea, code=poster, page="/c/poster")
    meet(tea)
    meet(tea, code="stall", inviter=make_member(tea, "Dora"), utm={"utm_source": "wechat"})
    first, last = find_source(member)
    assert first is not None
    assert last is not None
    assert (first.code, last.code) == (poster, stall)
    assert last.inviter is not None
    assert last.inviter.name == "Dora"
    assert member.touches.count() == 2


def test_nobody_invites_themselves(tea: Community) -> None:
    member = meet(tea)
    meet(tea, inviter=member, page="/x")
    assert set(member.touches.values_list("inviter", flat=True)) == {None}


def test_a_hostile_name_is_one_plain_line(tea: Community) -> None:
    assert meet(tea, "a\u202ebc\n\x00 d").name == "a bc d"
    assert meet(tea, "\u200b\u202e").name == "?"
    assert len(meet(tea, "长" * 500).name) == 80


def test_a_new_name_is_found_and_the_old_is_not(tea: Community) -> None:
    member = do_rename(make_member(tea, "Robert"), "王小明", by="staff:1")
    assert search_members(tea, "小明") == [member]
    with pytest.raises(NoNameError):
        do_rename(member, "  ", by="staff:1")


def test_tags_say_who_why_and_until_when(tea: Community, bob: Member, noon: datetime) -> None:
    tag = make_tag(tea, "VIP")
    row = do_tag(bob, tag, by="staff:1", why="asked", expires_at=noon + timedelta(days=1))
    assert (row.by, row.why, row.at) == ("staff:1", "asked", noon)
    assert do_tag(bob, tag, by="staff:2", why="again").pk == row.pk
    assert kinds(bob) == ["member_tagged"]
    assert do_untag(bob, tag, by="staff:1", why="over")
    assert not do_untag(bob, tag, by="staff:1", why="over")
    assert kinds(bob) == ["member_tagged", "member_untagged"]


def test_a_single_choice_takes_the_others_off(tea: Community, bob: Member) -> None:
    gold, iron = (make_tag(tea, name, single=True) for name in ("gold", "iron"))
    other = make_tag(tea, "likes oolong", group="Taste")
    for tag in (other, iron, gold):
        do_tag(bob, tag, by="rule:1", why="spent")
    assert {row.tag for row in list_tags(bob)} == {gold, other}


def test_a_tag_ends_when_its_time_is_over(tea: Community, bob: Member) -> None:
    tag = make_tag(tea, "trial")
    with clock.use(clock.faster(0, NOON)):
        do_tag(bob, tag, by="staff:1", why="trial", expires_at=NOON + timedelta(hours=1))
        assert do_expire_tags() == 0
        assert len(list_tags(bob)) == 1
    with clock.use(clock.faster(0, NOON + timedelta(hours=1))):
        assert list_tags(bob) == []
        assert do_expire_tags() == 1
        assert do_expire_tags() == 0
    assert kinds(bob)[-1] == "member_untagged"


def test_a_tag_of_another_community_is_refused(tea: Community, bob: Member) -> None:
    from qunluo.community.actions import do_found  # noqa: PLC0415

    other = do_found("Coffee", make_user("dave"))
    with pytest.raises(OtherCommunityError):
        do_tag(bob, make_tag(other, "VIP"), by="staff:1", why="")


def test_fields_are_typed(tea: Community, bob: Member) -> None:
    for key, kind in (("age", "number"), ("since", "date"), ("pro", "yes_no")):
        Field.objects.create(community=tea, key=key, label=key, kind=kind)
    Field.objects.create(
        community=tea, key="skin", label="肤质", kind="choice", choices=["干性"]
    )
    values = {"age": "3", "since": "2026年3月1日", "pro": "是", "skin": "干性"}
    do_set_fields(bob, values, by="staff:1", why="form")
    bob.refresh_from_db()
    assert bob.fields == {"age": 3, "since": "2026-03-01", "pro": True, "skin": "干性"}
    assert search_members(tea, "干性") == [bob]
    do_set_fields(bob, {"age": ""}, by="staff:1", why="wrong")
    bob.refresh_from_db()
    assert "age" not in bob.fields
    with pytest.raises(WrongValueError, match="must be a number"):
        do_set_fields(bob, {"pro": "no", "age": "old"}, by="staff:1", why="")
    with pytest.raises(NoFieldError):
        do_set_fields(bob, {"unknown": "1"}, by="staff:1", why="")
    bob.refresh_from_db()
    assert bob.fields["pro"] is True


def test_contact_is_sealed_masked_and_revealed_for_a_reason(
    tea: Community, bob: Member
) -> None:
    do_set_contact(bob, phone="138 0013 8000", email="Bob@Example.com", by="staff:1")
    bob.refresh_from_db()
    assert "138" not in bob.phone_sealed
    assert mask_contact(bob) == {"phone": "138****8000", "email": "b***@example.com"}
    with pytest.raises(WhyMissingError):
        do_reveal_contact(bob, by="staff:1", why=" ")
    shown = do_reveal_contact(bob, by="staff:1", why="parcel came back")
    assert shown == {"phone": "+8613800138000", "email": "bob@example.com"}
    event = Event.objects.get(kind="contact_revealed")
    assert (event.actor, event.data) == ("staff:1", {"why": "parcel came back"})
    with pytest.raises(WrongPhoneError):
        do_set_contact(bob, phone="call me", by="staff:1")


def test_a_member_is_found_by_whole_number_address_and_account(
    tea: Community, bob: Member
) -> None:
    do_set_contact(bob, phone="13800138000", email="bob@example.com", by=bob.actor)
    account = bob.identities.get().external_id
    do_index(bob)
    for text in ("+86 138-0013-8000", "BOB@example.com", account, "bo"):
        assert search_members(tea, text) == [bob]
    assert search_members(tea, "1380013") == []


def test_a_new_number_is_not_proven_by_the_old(bob: Member) -> None:
    do_set_contact(bob, phone="13800138000", verified=True, by=bob.actor)
    assert bob.verified == ["phone"]
    do_set_contact(bob, phone="13800138001", by=bob.actor)
    bob.refresh_from_db()
    assert (bob.verified, bob.claimed) == ([], ["phone"])


def test_the_last_word_on_consent_counts(bob: Member) -> None:
    assert may_send(bob, "service", "web")
    assert not may_send(bob, "marketing", "web")
    do_set_consent(bob, "marketing", "all", True, words="News, please", by=bob.actor)
    assert may_send(bob, "marketing", "web")
    do_set_consent(bob, "marketing", "web", False, words="No more", by=bob.actor)
    assert not may_send(bob, "marketing", "web")
    assert may_send(bob, "marketing", "sms")
    do_set_consent(bob, "service", "web", False, words="Silence", by=bob.actor)
    assert not may_send(bob, "service", "web")


def test_search_finds_chinese_beginnings_and_only_in_the_community(
    tea: Community,
) -> None:
    from qunluo.community.actions import do_found  # noqa: PLC0415

    meet(do_found("Coffee", make_user("dave")), "王小明")
    mine = meet(tea, "王小明 Tea-Master")
    other = meet(tea, "李小红")
    assert search_members(tea, "王小明") == [mine]
    assert search_members(tea, "小") == [other, mine]
    assert search_members(tea, "master te") == [mine]
    assert search_members(tea, "红") == [other]
    assert search_members(tea, "_1") == []
    for hostile in ("", '"', "' OR 1=1 --", "a' | 'b", "*", "NEAR(", "\x00"):
        search_members(tea, hostile)

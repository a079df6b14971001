"""The page behind a join link: what it shows, who gets in, and what the others are told."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from qunluo.channels.web.links import invite_token
from qunluo.channels.web.sessions import COOKIE
from qunluo.community.models import Community
from qunluo.groups.models import Ban, Case, Group, JoinRequest, Membership
from qunluo.h5.joining import UTM
from qunluo.kit import clock
from qunluo.members.models import ChannelCode, Consent, Member, Touch
from tests.cast import client_of, make_group, make_member

pytestmark = pytest.mark.django_db
YES = {"name": "Dora", "consent": "yes"}


def enter(client: Client, code: str, **more: str) -> Any:
    return client.post(f"/j/{code}", {**YES, **more})


def test_it_shows_what_the_group_gives_its_rules_and_who_runs_it(tea: Community) -> None:
    group = make_group(tea, "Green", gives="A tasting each Friday", rules="Be kind")
    page = client_of().get(f"/j/{group.code}").content.decode()
    for words in ("Green", "A tasting each Friday", "Be kind", "Tea friends", "I agree that"):
        assert words in page


def test_a_visitor_comes_in_with_a_name_and_consent(tea: Community, group: Group) -> None:
    client = client_of()
    answer = enter(client, group.code)
    assert answer["Location"] == f"/r/{group.code}"
    member = Member.objects.get(name="Dora")
    assert Membership.objects.filter(group=group, member=member, left_at=None).exists()
    consent = Consent.objects.get(member=member)
    assert (consent.purpose, consent.granted) == ("service", True)
    assert "Tea friends" in consent.words
    assert client.get(f"/r/{group.code}").status_code == 200


def test_nothing_is_kept_of_a_visitor_who_does_not_consent(
    tea: Community, group: Group
) -> None:
    before = Member.objects.count()
    answer = client_of().post(f"/j/{group.code}", {"name": "Dora"})
    assert answer.status_code == 400
    assert "Without your agreement" in answer.content.decode()
    assert Member.objects.count() == before
    assert COOKIE not in answer.cookies


@pytest.mark.parametrize("name", ["", "   ", "\u200b\u202e", "\n\t"])
def test_a_name_that_shows_nothing_is_asked_for_again(group: Group, name: str) -> None:
    answer = enter(client_of(), group.code, name=name)
    assert answer.status_code == 400
    assert "Say by which name" in answer.content.decode()


def test_the_cookie_can_not_be_read_by_a_script_and_lasts(group: Group) -> None:
    cookie = enter(client_of(), group.code).cookies[COOKIE]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert int(cookie["max-age"]) > 300 * 24 * 3600


def test_who_is_in_goes_straight_to_the_room(group: Group) -> None:
    client = client_of()
    enter(client, group.code)
    assert client.get(f"/j/{group.code}")["Location"] == f"/r/{group.code}"


def test_joining_twice_is_one_member_and_one_seat(group: Group) -> None:
    client = client_of()
    enter(client, group.code)
    enter(client, group.code)
    assert Member.objects.filter(name="Dora").count() == 1
    assert Membership.objects.filter(group=group).count() == 1


def test_a_gate_says_what_would_admit_and_keeps_the_name(tea: Community) -> None:
    group = make_group(tea, gate={"kind": "invited"})
    answer = enter(client_of(), group.code)
    page = answer.content.decode()
    assert answer.status_code == 400
    assert "Ask a member for their own invite link" in page
    assert 'value="Dora"' in page


def test_an_invite_link_opens_the_gate_for_the_invited(tea: Community) -> None:
    group = make_group(tea, gate={"kind": "invited"})
    host = make_member(tea, "Host")
    Membership.objects.create(group=group, member=host, joined_at=clock.now())
    client = client_of()
    address = f"/j/{group.code}?i={invite_token(host)}"
    assert "Host invites you." in client.get(address).content.decode()
    assert client.post(address, YES).status_code == 302
    assert Touch.objects.filter(inviter=host, member__name="Dora").exists()


def test_a_forged_invite_names_nobody(tea: Community, group: Group) -> None:
    host = make_member(tea, "Host")
    page = client_of().get(f"/j/{group.code}?i={host.pk}~forged").content.decode()
    assert "invites you" not in page


def test_an_approval_gate_leads_to_a_waiting_page(tea: Community) -> None:
    group = make_group(tea, gate={"kind": "approval"})
    client = client_of()
    assert enter(client, group.code, text="I like tea").status_code == 302
    assert "Your request has arrived" in client.get(f"/r/{group.code}").content.decode()
    assert JoinRequest.objects.get(group=group).text == "I like tea"


def test_a_channel_code_routes_to_the_best_group_and_says_why(tea: Community) -> None:
    full = make_group(tea, "Full", capacity=1, taken=1)
    free = make_group(tea, "Free")
    code = ChannelCode.objects.create(
        community=tea, code="shop", name="Shop", groups=[full.pk, free.pk], made_at=clock.now()
    )
    client = client_of()
    answer = client.post("/j/shop?utm_source=poster", YES)
    assert answer["Location"] == f"/r/{free.code}?routed=1"
    assert "You came into this group because" in client.get(answer["Location"]).content.decode()
    touch = Touch.objects.get(member__name="Dora")
    assert (touch.code, touch.utm) == (code, {UTM[0]: "poster"})


def test_a_code_that_nobody_made_or_that_is_off_is_not_there(tea: Community) -> None:
    ChannelCode.objects.create(
        community=tea, code="off", name="Off", active=False, made_at=clock.now()
    )
    assert [client_of().get(f"/j/{c}").status_code for c in ("none", "off")] == [404, 404]


def test_somebody_banned_is_told_why_and_can_appeal(tea: Community, group: Group) -> None:
    client = client_of()
    enter(client, group.code)
    member = Member.objects.get(name="Dora")
    Membership.objects.filter(member=member).update(left_at=clock.now(), left_why="removed")
    case = Case.objects.create(
        community=tea, group=group, member=member, score=0.95, evidence=[], act="ban",
        text="Buy now", by="rule:1", at=clock.now(),
    )  # fmt: skip
    Ban.objects.create(
        community=tea, member=member, case=case, why="advertising", by="rule:1", at=clock.now()
    )
    assert enter(client, group.code)["Location"] == f"/r/{group.code}"
    page = client.get(f"/r/{group.code}").content.decode()
    assert "advertising" in page
    assert f"/me/cases/{case.pk}/appeal" in page
    client.post(f"/me/cases/{case.pk}/appeal", {"text": "I only shared a recipe"})
    case.refresh_from_db()
    assert (case.state, case.appeal) == ("appealed", "I only shared a recipe")
    page = client.get(f"/r/{group.code}").content.decode()
    assert "being looked at by a person" in page


def test_nobody_appeals_for_somebody_else(tea: Community, group: Group, bob: Member) -> None:
    case = Case.objects.create(
        community=tea, group=group, member=bob, score=0.9, evidence=[], act="warn",
        by="rule:1", at=clock.now(),
    )  # fmt: skip
    client = client_of()
    enter(client, group.code)
    answer = client.post(f"/me/cases/{case.pk}/appeal", {"text": "Let him"})
    assert answer.status_code == 400
    case.refresh_from_db()
    assert case.state == "open"


def test_the_qr_code_is_a_picture_of_the_address(group: Group) -> None:
    answer = client_of().get(f"/j/{group.code}/qr.svg")
    assert answer["Content-Type"] == "image/svg+xml"
    assert answer.content.startswith(b"<?xml")
    assert client_of().get("/j/none/qr.svg").status_code == 404


def test_a_post_without_the_token_is_refused(group: Group) -> None:
    client = Client(enforce_csrf_checks=True, headers={"host": "localhost"})
    assert client.post(f"/j/{group.code}", YES).status_code == 403


def test_too_many_joins_from_one_address_have_to_wait(group: Group, quick: None) -> None:
    for number in range(60):
        enter(client_of(), group.code, name=f"Dora {number}", consent="")
    answer = enter(client_of(), group.code)
    assert answer.status_code == 429
    assert "a bit too fast" in answer.content.decode()


NEAR = {"kind": "near", "lat": 31.3, "lon": 120.62, "km": 3, "store": "Guanqian"}
HERE = {"place": "yes", "lat": "31.3004", "lon": "120.6205"}


def test_who_is_near_comes_in_by_telling_where_they_are(tea: Community) -> None:
    group = make_group(tea, "Store", gate=NEAR)
    shown = client_of().get(f"/j/{group.code}")
    assert "geolocation=(self)" in shown["Permissions-Policy"]
    client = client_of()
    assert enter(client, group.code).status_code == 400
    assert enter(client, group.code, **HERE)["Location"] == f"/r/{group.code}"
    dora = Member.objects.get(name="Dora", lat__isnull=False)
    assert (dora.lat, dora.lon) == (31.3, 120.621)
    consent = Consent.objects.get(member=dora, purpose="location")
    assert consent.granted
    assert "100 metres" in consent.words


def test_a_place_is_kept_only_where_it_was_allowed(tea: Community) -> None:
    group = make_group(tea, "Store", gate=NEAR)
    enter(client_of(), group.code, lat=HERE["lat"], lon=HERE["lon"])
    assert not Member.objects.exclude(lat=None).exists()
    assert "data-place" not in client_of().get(f"/j/{make_group(tea).code}").content.decode()


@pytest.mark.parametrize("lat", ["91", "nan", "inf", "here", "1e999"])
def test_a_place_on_no_map_is_refused_in_words(tea: Community, lat: str) -> None:
    group = make_group(tea, "Store", gate=NEAR)
    answer = enter(client_of(), group.code, place="yes", lat=lat, lon="120")
    assert answer.status_code == 400
    assert "no place on earth" in answer.content.decode()


def test_a_place_is_forgotten_when_its_owner_says_so(tea: Community) -> None:
    group, client = make_group(tea, "Store", gate=NEAR), client_of()
    enter(client, group.code, **HERE)
    dora = Member.objects.get(name="Dora")
    assert "Forget where I am" in client.get("/me").content.decode()
    client.post(f"/me/{dora.pk}/forget-place")
    dora.refresh_from_db()
    assert dora.lat is None
    assert not Consent.objects.filter(member=dora, purpose="location").latest("id").granted

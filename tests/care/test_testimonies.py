"""Testimonies are shown only while staff approve and their member allows it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import datetime

import pytest
from django.conf import settings
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from qunluo.care import errors, models  # names that begin with Test are no tests
from qunluo.care.errors import (
    NotInGroupError,
    TooManyTestimoniesError,
    WhyMissingError,
    WordsMissingError,
)
from qunluo.care.rules import judge_proof
from qunluo.care.testimonies import (
    MOST_WAITING,
    do_allow_testimony,
    do_approve_testimony,
    do_offer_testimony,
    do_refuse_testimony,
    find_proof,
    list_shown,
)
from qunluo.community.actions import do_found
from qunluo.community.models import User
from qunluo.events.actions import record
from qunluo.events.models import Event
from qunluo.groups.models import Group
from qunluo.kit.settings import prepare_folder
from qunluo.members.erasing import do_erase
from qunluo.members.models import Member
from qunluo.messaging.models import Delivery
from tests.cast import client_of, make_member, make_user
from tests.h5.people import seated

pytestmark = pytest.mark.django_db
STAFF = "staff:1"


@pytest.fixture(autouse=True)
def quick(noon: datetime) -> Iterator[None]:
    prepare_folder(settings.QUNLUO)
    cache.clear()
    yield
    cache.clear()


def offer(
    group: Group, member: Member, *, may_show: bool = True, **more: str
) -> models.Testimony:
    return do_offer_testimony(member, "It keeps warm", may_show=may_show, group=group, **more)


def picture() -> SimpleUploadedFile:
    kept = io.BytesIO()
    Image.new("RGB", (20, 10), "green").save(kept, "PNG")
    return SimpleUploadedFile("pot.png", kept.getvalue(), "image/png")


def test_it_is_shown_while_approved_and_allowed(group: Group) -> None:
    _, bob = seated(group)
    testimony = offer(group, bob, may_show=False)
    do_approve_testimony(testimony, by=STAFF)
    assert not list_shown(group.community).exists()
    do_allow_testimony(testimony, True)
    assert list(list_shown(group.community, group)) == [testimony]
    do_allow_testimony(testimony, False)
    assert not list_shown(group.community).exists()
    do_allow_testimony(testimony, True)
    do_refuse_testimony(testimony, why="a mistake", by=STAFF)
    assert not list_shown(group.community).exists()


def test_it_counts_once_as_posted_and_a_decision_once(group: Group) -> None:
    _, bob = seated(group)
    testimony = offer(group, bob)
    do_approve_testimony(testimony, by=STAFF)
    with pytest.raises(errors.TestimonyDecidedError):
        do_approve_testimony(testimony, by=STAFF)
    do_refuse_testimony(testimony, why="a mistake", by=STAFF)
    do_approve_testimony(testimony, by=STAFF)
    posted = Event.objects.filter(kind="testimony_posted")
    assert [event.member_id for event in posted] == [bob.pk]
    causes = Delivery.objects.filter(member=bob).values_list("cause", flat=True)
    assert sorted(causes) == [
        f"testimony:{testimony.pk}:posted",
        f"testimony:{testimony.pk}:refused",
    ]


def test_what_is_refused_is_refused_for_a_reason(group: Group) -> None:
    _, bob = seated(group)
    testimony = offer(group, bob)
    with pytest.raises(WhyMissingError):
        do_refuse_testimony(testimony, why=" ", by=STAFF)


def test_strangers_say_nothing_and_nobody_floods_the_team(group: Group) -> None:
    with pytest.raises(NotInGroupError):
        offer(group, make_member(group.community, "Eve"))
    _, bob = seated(group)
    with pytest.raises(WordsMissingError):
        do_offer_testimony(bob, " ", may_show=True)
    for _ in range(MOST_WAITING):
        offer(group, bob)
    with pytest.raises(TooManyTestimoniesError):
        offer(group, bob)


def test_the_record_tells_whether_they_bought(group: Group) -> None:
    _, bob = seated(group)
    testimony = offer(group, bob, order="a-17")
    assert find_proof(testimony) == "none"
    record("order_paid", community=group.community_id, member=bob.pk, data={"order": "B-1"})
    assert find_proof(testimony) == "buyer"
    record("order_paid", community=group.community_id, member=bob.pk, data={"order": "A-17"})
    assert find_proof(testimony) == "order"


def test_erasing_takes_it_away(group: Group) -> None:
    _, bob = seated(group)
    do_approve_testimony(offer(group, bob), by=STAFF)
    do_erase(bob, by=bob.actor)
    assert not models.Testimony.objects.exists()


def test_from_a_members_picture_to_the_door_and_gone_at_once(alice: User, group: Group) -> None:
    client, bob = seated(group)
    base = f"/me/{bob.pk}/testimonies"
    sent = {"text": "<b>Warm</b>", "picture": picture(), "show": "yes", "group": group.pk}
    assert client.post(base, sent).status_code == 302
    testimony = models.Testimony.objects.get()
    assert testimony.image
    door = f"/j/{group.code}"
    assert "&lt;b&gt;Warm" not in client_of().get(door).content.decode()
    assert client_of().get(f"{door}/said/{testimony.pk}").status_code == 404
    desk = client_of(alice)
    assert "&lt;b&gt;Warm" in desk.get("/console/care/testimonies").content.decode()
    image = desk.get(f"/console/care/testimonies/{testimony.pk}/image")
    assert b"WEBP" in b"".join(image.streaming_content)
    assert "&lt;b&gt;Warm" in desk.get("/console/").content.decode()
    desk.post(f"/console/care/testimonies/{testimony.pk}/approve")
    assert "&lt;b&gt;Warm" in client_of().get(door).content.decode()
    shown = client_of().get(f"{door}/said/{testimony.pk}")
    assert (shown.status_code, shown["Cache-Control"]) == (200, "no-store")
    assert b"WEBP" in b"".join(shown.streaming_content)
    client.post(f"{base}/{testimony.pk}/allow", {})
    assert "&lt;b&gt;Warm" not in client_of().get(door).content.decode()
    assert client_of().get(f"{door}/said/{testimony.pk}").status_code == 404
    client.post(f"{base}/{testimony.pk}/delete")
    assert not models.Testimony.objects.exists()
    assert not (settings.QUNLUO.data / testimony.image).exists()


def test_what_is_no_picture_is_refused_in_a_sentence(group: Group) -> None:
    client, bob = seated(group)
    bad = SimpleUploadedFile("pot.png", b"<script>", "image/png")
    answer = client.post(f"/me/{bob.pk}/testimonies", {"text": "Warm", "picture": bad})
    assert answer.status_code == 415
    assert not models.Testimony.objects.exists()


def test_nobody_touches_what_somebody_else_said(group: Group) -> None:
    _, bob = seated(group)
    dora, eve = seated(group, "Dora")
    testimony = offer(group, bob, image="media/web/1/1-x.webp")
    for path in ("allow", "delete"):
        for owner in (bob, eve):
            address = f"/me/{owner.pk}/testimonies/{testimony.pk}/{path}"
            assert dora.post(address).status_code == 404
    assert dora.get(f"/me/{eve.pk}/testimonies/{testimony.pk}/image").status_code == 404
    other = make_user("dave")
    do_found("Coffee", other)
    address = f"/console/care/testimonies/{testimony.pk}/approve"
    assert client_of(other).post(address).status_code == 404


@given(st.text(max_size=5), st.lists(st.text(max_size=5), max_size=3))
def test_proof_is_the_order_only_where_it_is_named_and_paid(
    order: str, paid: list[str]
) -> None:
    proof = judge_proof(order, paid)
    assert (proof == "none") <= (not paid)
    if proof == "order":
        assert order.strip().casefold() in [number.strip().casefold() for number in paid]

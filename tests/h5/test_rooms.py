"""The room: saying, pictures, reactions, recall, search, and who may do none of it."""

from __future__ import annotations

import io
import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from qunluo.channels.web.images import find_image
from qunluo.channels.web.models import DirectItem
from qunluo.community.models import Community
from qunluo.groups.models import Group, Membership
from qunluo.h5.pages import one_line, several_lines
from qunluo.kit import clock
from qunluo.members.models import Member
from qunluo.messaging.actions import do_hide, do_post, do_restore
from qunluo.messaging.models import Message
from tests.cast import client_of, make_group
from tests.h5.people import seated, send

pytestmark = pytest.mark.django_db
KEY = "11111111-2222-3333-4444-555555555555"
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>"


def say(client: Client, group: Group, text: str = "Hello", key: str = KEY, **more: Any) -> Any:
    return send(client, f"/r/{group.code}/say", key=key, text=text, **more)


def picture(kind: str = "PNG", size: tuple[int, int] = (40, 30)) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", size, "red").save(made, kind)
    return made.getvalue()


def upload(client: Client, group: Group, data: bytes) -> Any:
    return client.post(f"/r/{group.code}/image", data, content_type="application/octet-stream")


def items_on(client: Client, group: Group) -> list[dict[str, Any]]:
    page = client.get(f"/r/{group.code}").content.decode()
    found = re.search(r'<script id="room-items"[^>]*>(.*?)</script>', page, re.DOTALL)
    assert found
    items: list[dict[str, Any]] = json.loads(found[1])
    return items


def test_what_is_said_is_in_the_room(group: Group) -> None:
    client, bob = seated(group)
    answer = say(client, group, "Hello\nthere")
    item = answer.json()["item"]
    assert (item["text"], item["member"], item["key"]) == (
        "Hello\nthere",
        bob.pk,
        f"{bob.pk}:{KEY}",
    )
    assert [i["text"] for i in items_on(client, group)] == ["Hello\nthere"]


def test_the_same_key_again_is_the_same_message(group: Group) -> None:
    client, _ = seated(group)
    first, second = say(client, group), say(client, group, "Hello, changed")
    assert first.json() == second.json()
    assert Message.objects.count() == 1


def test_two_members_may_have_the_same_key(group: Group) -> None:
    (one, _), (two, _) = seated(group, "Bob"), seated(group, "Dora")
    assert (
        say(one, group, "from Bob").json()["item"]["id"]
        != say(two, group, "from Dora").json()["item"]["id"]
    )


def test_news_are_what_came_after_a_revision(group: Group) -> None:
    client, _ = seated(group)
    say(client, group)
    news = client.get(f"/r/{group.code}/news?after=0").json()
    assert [i["text"] for i in news["items"]] == ["Hello"]
    later = client.get(f"/r/{group.code}/news?after={news['revision']}").json()
    assert later["items"] == []
    assert later["revision"] == news["revision"]


def test_earlier_messages_come_in_pages(group: Group) -> None:
    client, bob = seated(group)
    for number in range(45):
        do_post(group, text=f"number {number}", label="member", member=bob)
    shown = items_on(client, group)
    assert len(shown) == 40
    earlier = client.get(f"/r/{group.code}/before?id={shown[0]['id']}").json()
    assert [i["text"] for i in earlier["items"]] == [f"number {n}" for n in range(5)]
    assert not earlier["more"]


def test_search_finds_chinese_words_of_this_group_only(tea: Community, group: Group) -> None:
    client, bob = seated(group)
    other = make_group(tea, "Other")
    do_post(group, text="周五有品茶会", label="member", member=bob)
    do_post(other, text="品茶不在这里", label="auto")
    found = client.get(f"/r/{group.code}/search", {"q": "品茶"}).json()["items"]
    assert [i["text"] for i in found] == ["周五有品茶会"]
    assert client.get(f"/r/{group.code}/search?q=").json()["items"] == []


def test_replies_and_mentions_reach_whom_they_name(tea: Community, group: Group) -> None:
    client, _ = seated(group)
    _, dora = seated(group, "Dora")
    outsider = Member.objects.create(community=tea, name="Eve", made_at=clock.now())
    first = say(client, group).json()["item"]["id"]
    answer = say(
        client,
        group,
        "@Dora look",
        key="k" * 12,
        reply_to=first,
        mentions=[dora.pk, outsider.pk],
    )
    item = answer.json()["item"]
    assert item["reply"]["id"] == first
    assert item["mentions"] == [dora.pk]


def test_names_to_mention_are_those_of_the_group(group: Group) -> None:
    client, _ = seated(group)
    _, dora = seated(group, "Dora")
    found = client.get(f"/r/{group.code}/people?q=do").json()["people"]
    assert found == [{"id": dora.pk, "name": "Dora"}]


def test_a_reaction_goes_on_and_off(group: Group) -> None:
    client, bob = seated(group)
    number = say(client, group).json()["item"]["id"]
    for on, expected in ((True, [bob.pk]), (True, [bob.pk]), (False, None)):
        answer = send(client, f"/r/{group.code}/react", message=number, emoji="👍", on=on)
        shown = {r["emoji"]: r["members"] for r in answer.json()["item"]["reactions"]}
        assert shown.get("👍") == expected
    assert (
        send(client, f"/r/{group.code}/react", message=number, emoji="<b>", on=True).status_code
        == 400
    )


def test_a_message_can_be_recalled_for_two_minutes(group: Group, noon: Any) -> None:
    client, _ = seated(group)
    number = say(client, group).json()["item"]["id"]
    with clock.use(clock.faster(0, noon + timedelta(minutes=2, seconds=1))):
        late = send(client, f"/r/{group.code}/recall", message=number)
    assert (late.status_code, late.json()["code"]) == (400, "too_late")
    item = send(client, f"/r/{group.code}/recall", message=number).json()["item"]
    assert (item["recalled"], item["text"]) == (True, "")


def test_a_picture_that_was_taken_back_is_gone(group: Group) -> None:
    client, _ = seated(group)
    name = upload(client, group, picture("JPEG")).json()["image"]
    number = say(client, group, "", image=name).json()["item"]["id"]
    address = f"/r/{group.code}/media/{name.rsplit('/')[-1]}"
    assert b"".join(client.get(address))
    send(client, f"/r/{group.code}/recall", message=number)
    assert client.get(address).status_code == 404


def test_a_picture_that_was_removed_is_shown_to_nobody_until_it_is_restored(
    group: Group,
) -> None:
    client, _ = seated(group)
    name = upload(client, group, picture("JPEG")).json()["image"]
    number = say(client, group, "", image=name).json()["item"]["id"]
    message = Message.objects.get(pk=number)
    address = f"/r/{group.code}/media/{name.rsplit('/')[-1]}"
    do_hide(message, by="system", why="test")
    assert client.get(address).status_code == 404
    do_restore(message, by="system")
    assert b"".join(client.get(address))


def test_nobody_recalls_what_somebody_else_said(group: Group) -> None:
    (bob, _), (dora, _) = seated(group), seated(group, "Dora")
    number = say(bob, group).json()["item"]["id"]
    answer = send(dora, f"/r/{group.code}/recall", message=number)
    assert answer.json()["code"] == "not_your_message"


def test_what_was_removed_is_not_told_to_anybody(group: Group) -> None:
    client, bob = seated(group)
    message = do_post(group, text="secret words", label="member", member=bob)
    do_hide(message, by="system", why="test")
    assert "secret words" not in client.get(f"/r/{group.code}").content.decode()
    assert "secret words" not in client.get(f"/r/{group.code}/news?after=0").content.decode()


def test_a_picture_is_drawn_anew_and_only_its_group_sees_it(
    tea: Community, group: Group
) -> None:
    client, _ = seated(group)
    name = upload(client, group, picture("JPEG")).json()["image"]
    item = say(client, group, "", image=name).json()["item"]
    assert (item["kind"], item["image"]) == ("image", name)
    address = f"/r/{group.code}/media/{name.rsplit('/')[-1]}"
    shown = client.get(address)
    assert shown["Content-Type"] == "image/webp"
    assert "sandbox" in shown["Content-Security-Policy"]
    assert Image.open(io.BytesIO(b"".join(shown))).format == "WEBP"
    stranger, _ = seated(make_group(tea, "Other"), "Dora")
    assert [c.get(address).status_code for c in (client_of(), stranger)] == [404, 404]


def test_where_a_picture_was_taken_is_left_behind(group: Group) -> None:
    client, _ = seated(group)
    made, told = io.BytesIO(), Image.Exif()
    told[0x010E] = "at home"
    Image.new("RGB", (40, 30)).save(made, "JPEG", exif=told)
    path = find_image(upload(client, group, made.getvalue()).json()["image"])
    assert path is not None
    with Image.open(path) as kept:
        assert not kept.getexif()
    assert b"at home" not in path.read_bytes()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GIF89a",
        HOSTILE.encode(),
        b"<svg onload=alert(1)>",
        picture()[:60],
        b"%PDF-1.7 junk",
    ],
)
def test_what_is_no_picture_is_refused(group: Group, data: bytes) -> None:
    client, _ = seated(group)
    answer = upload(client, group, data)
    assert (answer.status_code, answer.json()["code"]) == (415, "not_an_image")


def test_a_picture_that_would_fill_the_memory_is_refused(group: Group) -> None:
    client, _ = seated(group)
    made = io.BytesIO()
    Image.new("1", (9_000, 9_000)).save(made, "PNG")
    assert upload(client, group, made.getvalue()).status_code == 413
    assert upload(client, group, b"x" * 8_000_001).status_code == 413


def test_nobody_sends_a_picture_that_is_not_theirs(group: Group) -> None:
    (bob, _), (dora, _) = seated(group), seated(group, "Dora")
    name = upload(bob, group, picture()).json()["image"]
    for stolen in (name, "qunluo.sqlite3", "../../secret", "media/web/1/x.webp"):
        assert say(dora, group, "", image=stolen).status_code == 400


@pytest.mark.parametrize(
    "body",
    ["", "[]", "null", '{"key": 5}', '{"key": "short", "text": "x"}', "[" * 40_000,
     '{"key": "' + KEY + '", "text": "x", "reply_to": "1e9"}',
     '{"key": "' + KEY + '", "text": "   "}', '{"key": "' + KEY + '", "text": "' + "x" * 4001 + '"}'],
)  # fmt: skip
def test_strange_bodies_are_refused(group: Group, body: str) -> None:
    client, _ = seated(group)
    answer = client.post(f"/r/{group.code}/say", body, content_type="application/json")
    assert answer.status_code == 400
    assert Message.objects.count() == 0


@pytest.mark.parametrize("path", ["news", "before", "search", "people"])
def test_who_is_not_in_the_group_hears_nothing(tea: Community, group: Group, path: str) -> None:
    stranger, _ = seated(make_group(tea, "Other"), "Dora")
    answers = [c.get(f"/r/{group.code}/{path}") for c in (client_of(), stranger)]
    assert [a.status_code for a in answers] == [403, 403]


@pytest.mark.parametrize("path", ["say", "react", "recall", "read", "image"])
def test_who_is_not_in_the_group_says_nothing(tea: Community, group: Group, path: str) -> None:
    stranger, _ = seated(make_group(tea, "Other"), "Dora")
    answers = [
        send(c, f"/r/{group.code}/{path}", key=KEY, text="x", message=1)
        for c in (client_of(), stranger)
    ]
    assert [a.status_code for a in answers] == [403, 403]
    assert client_of().get(f"/r/{group.code}")["Location"] == f"/j/{group.code}"


def test_who_left_says_nothing_more(group: Group) -> None:
    client, _ = seated(group)
    Membership.objects.update(left_at=clock.now(), left_why="left")
    assert say(client, group).status_code == 403


def test_hostile_words_stand_in_the_page_as_words(group: Group) -> None:
    client, bob = seated(group, HOSTILE)
    Group.objects.filter(pk=group.pk).update(
        name=HOSTILE, pinned=[{"title": HOSTILE, "text": HOSTILE}]
    )
    say(client, group, HOSTILE)
    page = client.get(f"/r/{group.code}").content.decode()
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert bob.name == HOSTILE


def test_the_page_runs_no_script_but_ours_and_is_light(group: Group) -> None:
    client, bob = seated(group)
    for _ in range(60):
        do_post(group, text="ten words and a bit more " * 2, label="member", member=bob)
    answer = client.get(f"/r/{group.code}")
    policy, page = answer["Content-Security-Policy"], answer.content.decode()
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    live = re.search(r'data-live="(http://localhost:\d+)/live/', page)
    assert live
    assert live[1] in policy
    looks = [client_of().get(a).content for a in re.findall(r'"(/h5/[^"]+)"', page)]
    assert len(looks) == 2
    assert len(answer.content) + sum(map(len, looks)) < 60_000


def test_scripts_and_style_are_kept_by_browsers_for_ever(group: Group) -> None:
    page = client_of().get(f"/j/{group.code}").content.decode()
    for address in re.findall(r'"(/h5/[^"]+)"', page):
        assert "immutable" in client_of().get(address)["Cache-Control"]
    assert client_of().get("/h5/x/h5.css")["Cache-Control"] == "no-cache"
    assert client_of().get("/h5/x/none.css").status_code == 404


def test_reading_is_remembered_and_never_goes_back(group: Group) -> None:
    client, bob = seated(group)
    DirectItem.objects.create(member=bob, key="d", text="Welcome", at=clock.now())
    direct = client.get(f"/r/{group.code}/news?after=0").json()["direct"][0]
    assert direct["text"] == "Welcome"
    for number in (7, 3):
        send(client, f"/r/{group.code}/read", id=number, direct=direct["id"])
    assert Membership.objects.get(member=bob).read_id == 7
    assert client.get(f"/r/{group.code}/news?after=0").json()["direct"] == []


def test_too_many_messages_have_to_wait(group: Group) -> None:
    client, _ = seated(group)
    codes = [say(client, group, key=f"key-{n:08}").status_code for n in range(31)]
    assert (codes[0], codes[-1]) == (200, 429)


def test_the_room_speaks_chinese(group: Group) -> None:
    client, _ = seated(group)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "zh-CN"
    assert client.get(f"/r/{group.code}/news?after=x").json()["error"].startswith("无法识别")


@given(st.text())
def test_a_name_is_one_line_that_shows_what_it_is(text: str) -> None:
    name = one_line(text, 40)
    assert len(name) <= 40
    assert name == one_line(name, 40)
    assert not set(name) & {"\n", "\r", "\u202e", "\u2066", "\x00"}


@given(st.text())
def test_a_message_keeps_its_lines_and_no_control_signs(text: str) -> None:
    said = several_lines(text)
    assert said == several_lines(said)
    assert "\x00" not in said

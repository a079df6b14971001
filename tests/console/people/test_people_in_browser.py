"""The pages about people in a real browser: hostile words stay words, one tap does what it says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from playwright.sync_api import Browser, ConsoleMessage, Page, expect
from pytest_django.live_server_helper import LiveServer

from qunluo.community.models import User
from qunluo.groups.models import Case
from qunluo.members.actions import do_tag
from qunluo.members.models import ChannelCode, Field
from qunluo.messaging.actions import do_post
from qunluo.messaging.models import AutoReply
from tests.browser import browser as start_browser
from tests.browser import too_wide
from tests.cast import NOON, client_of
from tests.console.people.conftest import HOSTILE, SCRIPT, Scene

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PAGES = ("members", "tags", "codes", "imports", "inbox", "rooms", "moderation", "search?q=Tea")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with pytest.MonkeyPatch.context() as patch, start_browser() as started:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # the driver runs a loop of its own
        yield started


@pytest.fixture
def page(browser: Browser, live_server: LiveServer, alice: User) -> Iterator[Page]:
    """Alice's phone, signed in; nothing that anybody wrote ever ran in it."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="en")
    session = client_of(alice).cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    tab, broken = context.new_page(), []
    tab.on("console", lambda said: broken.append(said.text) if _is_bad(said) else None)
    tab.on("pageerror", lambda error: broken.append(str(error)))
    tab.on("dialog", lambda dialog: broken.append(dialog.message))
    yield tab
    assert broken == []
    assert tab.title() != "owned"
    context.close()


def _is_bad(said: ConsoleMessage) -> bool:
    """An error, or something that the page's policy had to stop; the live stream runs elsewhere."""
    return said.type == "error" and "ERR_CONNECTION" not in said.text


def spoil(scene: Scene) -> None:
    """Everything that a stranger can name is named to run."""
    Field.objects.create(
        community=scene.community, key="taste", label=HOSTILE[:60], kind="text"
    )
    scene.bob.fields = {"taste": HOSTILE}
    do_tag(scene.bob, scene.tag, by="system", why=SCRIPT)
    ChannelCode.objects.create(
        community=scene.community,
        name=HOSTILE,
        code="shop",
        utm={"source": SCRIPT},
        made_at=NOON,
    )
    Case.objects.filter(pk=scene.case.pk).update(text=SCRIPT, why=HOSTILE, evidence=[
        {"detector": "ads", "score": 1, "words": [HOSTILE], "why": {"en": SCRIPT, "zh": SCRIPT}}
    ])  # fmt: skip
    AutoReply.objects.create(
        community=scene.community,
        group=scene.group,
        how="exact",
        pattern=HOSTILE,
        answer=SCRIPT,
    )
    scene.group.pinned = [{"title": HOSTILE, "text": SCRIPT}]
    scene.group.welcome = scene.group.rules = scene.group.gives = SCRIPT
    scene.question.message.text = HOSTILE
    scene.question.message.save()
    scene.bob.name, scene.group.name, scene.group.purpose = HOSTILE, SCRIPT, HOSTILE
    scene.tag.name = HOSTILE[:60]
    for row in (scene.bob, scene.group, scene.tag):
        row.save()
    said = f"{HOSTILE}{SCRIPT} javascript:document.title='owned' https://x.example/'onclick=1"
    do_post(scene.group, text=said, label="member", member=scene.bob)


def test_hostile_words_run_on_no_page_and_none_is_too_wide(
    page: Page, live_server: LiveServer, scene: Scene, alice: User
) -> None:
    spoil(scene)
    cells = f'"{HOSTILE.replace(chr(34), chr(39))}",13800000000\n'
    file = SimpleUploadedFile(f"{HOSTILE}.csv".replace("/", ""), f"{cells}{cells}".encode())
    sent = client_of(alice).post("/console/imports", {"file": file})
    imported = sent["Location"].removeprefix("/console/")
    group, reply = scene.group.pk, AutoReply.objects.get().pk
    own = [
        f"members/{scene.bob.pk}", f"rooms/{group}", f"groups/{group}", f"groups/{group}/edit",
        f"groups/{group}/replies/{reply}", "", "groups", "groups/new", "record", "members?q=img",
        "search?q=img", imported, "search?q=%3Cimg%20src=x%20onerror=alert(1)%3E", "inbox?show=mine",
        "moderation?show=open", "moderation?show=decided", "members?tag=%3Cscript%3E",
    ]  # fmt: skip
    for path in (*PAGES, *own):
        page.goto(f"{live_server.url}/console/{path}")
        expect(page.locator("h1").first).to_be_visible()
        assert page.title() != "owned", path
        assert page.locator("img[src=x], [onerror], [onclick]").count() == 0, path
        assert page.locator("[href^='javascript:' i]").count() == 0, path
        assert too_wide(page) <= 1, path


def test_the_room_is_live_where_only_asking_comes_through(
    page: Page, live_server: LiveServer, scene: Scene
) -> None:
    page.goto(f"{live_server.url}/console/rooms/{scene.group.pk}")
    expect(page.get_by_text(scene.asked.text)).to_be_visible()
    do_post(scene.group, text="<b>just now</b>", label="member", member=scene.bob)
    expect(page.get_by_text("<b>just now</b>")).to_be_visible()
    page.get_by_label("Message to the group").fill("大家好")
    page.get_by_role("button", name="Send").click()
    mine = page.locator(".r-staff", has_text="大家好")
    expect(mine.get_by_text("staff", exact=True)).to_be_visible()


def test_a_warning_is_two_taps_and_a_reason(
    page: Page, live_server: LiveServer, scene: Scene
) -> None:
    page.goto(f"{live_server.url}/console/rooms/{scene.group.pk}")
    row = page.locator(".r-item", has_text=scene.asked.text)
    row.get_by_role("button", name="Warn").click()
    page.get_by_label("Why? It is kept in the record.").fill("too loud")
    page.get_by_role("button", name="Do it").click()
    expect(page.get_by_text("Done: Warn.")).to_be_visible()
    assert Case.objects.filter(act="warn", why="too loud").exists()
    expect(page.get_by_text("hidden by moderation").first).to_be_visible()


def test_the_keys_search_and_walk_the_queue(
    page: Page, live_server: LiveServer, scene: Scene
) -> None:
    page.goto(f"{live_server.url}/console/moderation")
    page.keyboard.press("j")
    expect(page.locator(f"#case-{scene.case.pk}")).to_be_focused()
    page.keyboard.press("u")
    page.keyboard.type("my mistake")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Undone: strike")).to_be_visible()
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()

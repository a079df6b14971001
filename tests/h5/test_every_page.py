"""Every page that a member can meet, in a real browser: phone and desk, both languages, with
names that mean harm. A new address joins by one line; the first test finds it where it lacks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from qunluo.channels.web.links import invite_token
from qunluo.channels.web.models import DirectItem
from qunluo.channels.web.sessions import COOKIE, do_open_session
from qunluo.community.models import Community
from qunluo.groups.actions import do_close_group, do_request
from qunluo.groups.models import Ban, Group, JoinRequest, Membership
from qunluo.groups.moderation import do_act
from qunluo.h5.urls import urlpatterns
from qunluo.kit import clock
from qunluo.members.models import ChannelCode, Identity, Member
from qunluo.messaging.actions import do_post
from tests.browser import assert_fits, find_cut, shoot
from tests.browser import browser as start_browser
from tests.cast import client_of, make_group, make_member
from tests.running import servers

HOSTILE = '<img src=x onerror="window.hurt=1"><script>window.hurt=1</script>'
LONG = "averyveryverylongwordwithoutanyblank" * 5 + "一个没有空格的很长的词" * 8
SHOWN = {"join", "room", "me", "appeal", "rename", "leave", "erase", "sign_out"}
UNSEEN = {
    "look", "qr", "media", "export",  # files
    "news", "before", "search", "people", "say", "image", "react", "recall", "read",  # scripts
    "nickname", "consent", "opt_out", "forget_place",  # lead back to a page
}  # fmt: skip
CARE = {  # looked at in tests/care/test_in_browser.py
    "wishes", "wish", "make_wish", "vote", "testimonies", "allow_testimony", "delete_testimony",
    "testimony_image", "gatherings", "gathering", "gathering_seat", "attend", "introduction",
    "introduction_answer", "shown_image",
}  # fmt: skip
INVITING = {  # looked at in tests/h5/test_inviting_in_browser.py
    "share", "invites", "appeal_invite", "poster", "poster_svg",
}  # fmt: skip
CAMPAIGNS = {  # looked at in tests/h5/test_campaigns_in_browser.py
    "campaign", "play", "act", "press", "strip",
    "orders", "order", "ask_back", "points", "coupons", "rewards",
}  # fmt: skip
SHOPPING = {  # looked at in tests/h5/test_shopping_in_browser.py
    "shop", "product", "product_picture", "till", "order_now", "cancel", "draws", "draws_file",
}  # fmt: skip
PAYING = {"pay", "pay_code", "sandbox"}  # looked at in tests/payments/test_in_browser.py
WIDTHS, LANGS = (1440, 390), ("en", "zh-CN")


def test_no_address_is_forgotten() -> None:
    names = {str(pattern.name) for pattern in urlpatterns}
    assert names == SHOWN | UNSEEN | CARE | PAYING | INVITING | CAMPAIGNS | SHOPPING
    assert not SHOWN & UNSEEN


CUT = """() => [...document.querySelectorAll(
    'main :is(p, h1, h2, h3, input, textarea, button, .button, img, blockquote, summary)')]
  .filter(e => e.checkVisibility() && (e.getBoundingClientRect().right > innerWidth + 1
            || e.getBoundingClientRect().left < -1) && !e.closest('.skip'))
  .map(e => e.tagName + '.' + e.className).slice(0, 5)"""
"""What sticks out although the page hides it."""
TOFU = r"""() => {
  const pen = Object.assign(document.createElement('canvas'), {width: 20, height: 20})
    .getContext('2d', {willReadFrequently: true});
  pen.font = '14px ' + getComputedStyle(document.body).fontFamily;
  const draw = sign => {
    pen.clearRect(0, 0, 20, 20); pen.fillText(sign, 2, 15);
    return pen.getImageData(0, 0, 20, 20).data.join();
  };
  const box = draw('\u{10FFFE}');
  const signs = new Set(document.body.innerText.match(/[\p{L}\p{N}\p{P}]/gu));
  return [...signs].filter(s => s === '\uFFFD' || draw(s) === box);
}"""
"""Letters that no font of this computer draws."""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with pytest.MonkeyPatch.context() as patch, start_browser() as started:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # Playwright keeps a loop on this thread
        yield started


@dataclass
class Reader:
    """A page of a size that is looked at: nothing sticks out, breaks, or runs."""

    page: Page
    address: str
    lang: str
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("dialog", lambda dialog: self.wrong.append(dialog.message))

    def _hear(self, message: object) -> None:
        text = str(getattr(message, "text", ""))
        expected = "status of 40" in text  # a refusal that was asked for
        if getattr(message, "type", "") == "error" and not expected:
            self.wrong.append(text)

    def be(self, member: Member | None) -> None:
        """The browser of a member, or of nobody."""
        self.page.context.clear_cookies()
        if member is not None:
            account = Identity.objects.get(member=member).external_id
            cookie = do_open_session(account)[1]
            kept = {"name": COOKIE, "value": cookie, "url": self.address}
            self.page.context.add_cookies([kept])  # type: ignore[list-item]

    def see(self, name: str, path: str = "") -> None:
        """Goes there, if somewhere is named, and looks at all of it."""
        if path:
            self.page.goto(self.address + path)
        self.page.wait_for_load_state("load")
        for width in WIDTHS:
            mark = f"{name}-{width}-{self.lang}"
            self.page.set_viewport_size({"width": width, "height": 844})
            assert_fits(self.page, mark)
            assert find_cut(self.page, CUT) == [], mark
            shoot(self.page, mark)
        assert self.page.evaluate(TOFU) == [], mark
        assert self.page.evaluate("window.hurt") is None, mark
        assert self.wrong == [], mark

    def press(self, name: str, place: str) -> None:
        """Sends the form of an address, and looks at what comes."""
        with self.page.expect_navigation():
            self.page.locator(
                f"form[action$='{place}'] button:not([type=button])"
            ).first.click()
        self.see(name)


@dataclass
class Town:
    """Groups and people in every state that has a page."""

    open: Group
    asking: Group
    closed: Group
    invited: Group
    code: ChannelCode
    inviter: Member

    def member(self, name: str, group: Group | None = None) -> Member:
        made = make_member(self.open.community, name)
        if group is not None:
            Membership.objects.create(group=group, member=made, joined_at=clock.now())
        return made


def found(tea: Community) -> Town:
    tea.name = f"{HOSTILE}{LONG}"[:80]
    tea.save()
    texts = {"rules": f"Be kind.\n{LONG}", "gives": LONG, "purpose": f"to talk {LONG}",
             "nickname": "{city}-{nick}", "pinned": [{"title": LONG[:80], "text": HOSTILE}]}  # fmt: skip
    group = make_group(tea, HOSTILE, **texts)
    inviter = make_member(tea, f"{HOSTILE}"[:40])
    closed = make_group(tea, "Summer tea", **texts)
    do_close_group(closed, by="system", why="over")
    return Town(
        group, make_group(tea, LONG[:80], gate={"kind": "approval"}, **texts), closed,
        make_group(tea, "Inner circle", gate={"kind": "invited"}),
        ChannelCode.objects.create(community=tea, name=HOSTILE, code="shop", made_at=clock.now()),
        inviter,
    )  # fmt: skip


def see_doors(reader: Reader, town: Town) -> None:
    reader.be(None)
    reader.see("nobody", "/j/nobody")
    reader.see("me-stranger", "/me")
    reader.see("join", f"/j/{town.open.code}?i={invite_token(town.inviter)}")
    reader.page.locator("details summary").last.click()
    expect(reader.page.locator("img.qr")).to_be_visible()
    reader.see("join-qr")
    reader.see("join-asks", f"/j/{town.asking.code}")
    reader.see("join-code", f"/j/{town.code.code}")
    for name, group in (("refused", town.invited), ("closed", town.closed)):
        reader.page.goto(f"{reader.address}/j/{group.code}")
        reader.page.locator("[name=name]").fill("Dora")
        reader.page.locator("[name=consent]").check()
        reader.page.locator("form .main").click()
        expect(reader.page.locator(".told.bad")).to_be_visible()
        reader.see(name)


def see_waits(reader: Reader, town: Town) -> None:
    dora = town.member("Dora")
    do_request(town.asking, dora, HOSTILE)
    reader.be(dora)
    reader.see("waiting", f"/r/{town.asking.code}")
    JoinRequest.objects.filter(member=dora).update(state="refused")
    reader.see("answered", f"/r/{town.asking.code}")


def see_out(reader: Reader, town: Town) -> None:
    eve = town.member("Eve", town.open)
    do_act(town.open, eve, "remove", by="system", why=HOSTILE, text=f"{HOSTILE} {LONG}")
    reader.be(eve)
    reader.see("removed", f"/r/{town.open.code}")
    reader.page.locator("textarea").fill(f"No. {LONG}")
    reader.press("appealed", "/appeal")
    Ban.objects.create(
        community=town.open.community, member=eve, why=HOSTILE, at=clock.now(), by="system"
    )
    reader.see("banned", f"/r/{town.open.code}")


def see_inside(reader: Reader, town: Town) -> None:
    bob = town.member(HOSTILE[:40], town.open)
    for text in (HOSTILE, LONG, "https://example.com/" + "path/" * 40, "好的"):
        do_post(town.open, text=text, label="member", member=bob)
    do_post(town.open, text=LONG, label="staff", name=HOSTILE[:40])
    do_act(town.open, bob, "warn", by="system", why=LONG, text=LONG)
    DirectItem.objects.create(member=bob, key=f"d{bob.pk}", text=f"{HOSTILE} {LONG}",
                              at=clock.now())  # fmt: skip
    reader.be(bob)
    reader.see("room", f"/r/{town.open.code}?routed=1")
    reader.page.locator(".about > summary").click()
    reader.see("room-about")
    reader.see("me", "/me")
    reader.page.locator("details summary").last.click()
    reader.see("me-erase")
    field = reader.page.locator("input[name=name]")
    field.evaluate("e => { e.required = false; e.value = ' ' }")
    reader.press("name-missing", "/name")
    reader.page.goto(f"{reader.address}/me")
    reader.press("left", f"/leave/{Membership.objects.get(member=bob).pk}")
    reader.page.goto(f"{reader.address}/me")
    reader.page.locator("details summary").last.click()
    reader.page.locator("[name=sure]").check()
    reader.press("erased", "/erase")
    reader.be(town.member("Cy", town.open))
    reader.page.goto(f"{reader.address}/me")
    reader.press("signed-out", "/me/sign-out")


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_every_page_fits_is_readable_and_runs_nothing(
    chromium: Browser, tea: Community, tmp_path: Path
) -> None:
    town = found(tea)
    steps: list[Callable[[Reader, Town], None]] = [see_doors, see_waits, see_out, see_inside]
    with servers(tmp_path) as running:
        for lang in LANGS:
            context = chromium.new_context(locale=lang)
            reader = Reader(context.new_page(), running.web.address, lang)
            for step in steps:
                step(reader, town)
            context.close()


@pytest.mark.django_db
def test_a_dead_link_is_told_to_members_in_their_words() -> None:
    answer = client_of().get("/j/nobody")
    assert answer.status_code == 404
    assert "no longer valid" in answer.content.decode()
    assert "reports" not in answer.content.decode()
    script = client_of().get("/r/nobody/news", headers={"accept": "application/json"})
    assert (script.status_code, script["Content-Type"]) == (404, "application/json")


@pytest.mark.django_db
def test_a_page_that_was_open_too_long_is_told_to_members_in_their_words(group: Group) -> None:
    stale = Client(enforce_csrf_checks=True, headers={"host": "localhost"})
    answer = stale.post(f"/j/{group.code}", {"name": "Dora", "consent": "yes"})
    assert answer.status_code == 403
    assert "open for too long" in answer.content.decode()
    assert "My page" in answer.content.decode()
    assert not Member.objects.exists()

"""An operator, a browser: from five questions to a group with its checklist."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import date

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from qunluo.community.actions import do_found
from qunluo.community.models import User
from qunluo.groups.models import Group, Positioning, StaffTask
from qunluo.kit import clock
from qunluo.messaging.models import AutoReply
from tests.browser import assert_fits, shoot
from tests.browser import browser as start_browser
from tests.cast import make_user
from tests.console.test_every_page import sign_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

CASES = [(390, "zh-CN"), (1440, "en")]
WORDS = {
    "en": {
        "groups": "Groups", "new": "New group", "check": "Check the fit",
        "answers": ["Steady sales", "Weeks", "Some: a few things to compare", "Above ¥1,000",
                    "They hardly know yet why they should want it"],
        "show": "Show the answer", "fits": "“Inspiration” fits best", "why": "They have to be won first",
        "start": "Start this group", "make": "Start the group", "next": "What to do next",
        "done": "Done", "again": "Open again", "draft": "Switch on",
    },
    "zh-CN": {
        "groups": "群", "new": "新建群", "check": "适配自查",
        "answers": ["销售稳定", "几周", "需要一些，要比较几样", "1000 元以上", "还不太知道为什么需要"],
        "show": "查看结果", "fits": "“内容种草群”最合适", "why": "需要先培养",
        "start": "开始建群", "make": "建群", "next": "下一步", "done": "完成", "again": "重新打开",
        "draft": "启用",
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright runs a loop here
    with start_browser() as started:
        yield started


@pytest.fixture
def owner(transactional_db: None) -> User:
    return make_user("alice")


def look(page: Page, name: str) -> None:
    shoot(page, f"launch-{name}")
    assert_fits(page)


@pytest.mark.parametrize(("width", "lang"), CASES)
def test_five_answers_become_a_group(
    browser: Browser,
    live_server: LiveServer,
    owner: User,
    width: int,
    lang: str,
) -> None:
    words = WORDS[lang]
    do_found("Tea", owner, lang="en" if lang == "en" else "zh-hans")
    context = browser.new_context(viewport={"width": width, "height": 844}, locale=lang)
    page, complaints = context.new_page(), list[str]()
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    sign_in(page, live_server, owner)
    page.goto(f"{live_server.url}/console/groups")
    page.get_by_role("link", name=words["new"]).click()
    expect(page.locator(".l-card")).to_have_count(10)
    look(page, f"cards-{lang}")
    page.get_by_role("link", name=words["check"]).click()
    for answer in words["answers"]:
        page.get_by_label(answer, exact=True).check()
    look(page, f"questions-{lang}")
    page.get_by_role("button", name=words["show"]).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(words["fits"])
    expect(page.locator(".l-why")).to_contain_text(words["why"])
    look(page, f"answer-{lang}")
    page.get_by_role("link", name=words["start"]).click()
    page.locator("[name=capacity]").fill("80")
    look(page, f"form-{lang}")
    page.get_by_role("button", name=words["make"]).click()
    expect(page.get_by_role("heading", name=words["next"])).to_be_visible()
    group = Group.objects.get()
    assert (group.blueprint, group.capacity) == ("seeding", 80)
    use_group(page, group, words, lang)
    assert complaints == []
    context.close()


def use_group(page: Page, group: Group, words: dict[str, str], lang: str) -> None:
    """Its checklist is checked, and a draft with blanks refuses to answer."""
    page.get_by_role("button", name=words["done"], exact=True).first.click()
    expect(page.get_by_role("button", name=words["again"])).to_be_visible()
    assert StaffTask.objects.filter(group=group).exclude(done_at=None).count() == 1
    page.get_by_role("button", name=words["draft"], exact=True).first.click()
    expect(page.get_by_text(re.compile("〔")).first).to_be_visible()
    assert not AutoReply.objects.filter(active=True).exists()
    place(group)
    page.goto(page.url)
    expect(page.locator(".l-now")).to_be_visible()
    look(page, f"group-{lang}")
    for part in ("tasks", "place"):
        expect(page.locator(f"section:has(> #{part})")).to_be_visible()


def place(group: Group) -> None:
    facts = {"days": 28, "members": 84, "spoke": 20, "buyers": 6, "orders": 7,
             "amount_minor": 900_000, "joined_in": None}  # fmt: skip
    for month, intent in ((1, "low"), (2, "high")):
        Positioning.objects.create(
            group=group, month=date(2026, month, 1), intent=intent, order_value="high",
            facts={**facts, "buyers": 3 * month},
            reasons=[{"en": "3 of 84 members ordered.", "zh": "84 位成员中 3 位下单。"}],
            move={"en": "Raise the intent.", "zh": "提升意向。"}, suggests="vip",
            judged_at=clock.now(),
        )  # fmt: skip

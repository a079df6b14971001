"""Live insight in the console: cards with their age, and the full report by one click."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse

from qunluo.archive.manifest import Folder
from qunluo.community.models import Community, User
from qunluo.console import insight
from qunluo.console.insight import age_words
from qunluo.console.jobs import Shelf
from qunluo.console.work import Workshop, plan_commands
from qunluo.groups.models import Group
from qunluo.kit.settings import Settings
from qunluo.members.models import Member
from qunluo.messaging.feeding import archive_path, feed
from qunluo.messaging.insight import make_figures
from tests.cast import client_of, make_staff
from tests.messaging.test_feeding import say

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def data(settings: Settings) -> Path:
    """Archives and jobs of this test's own."""
    return settings.data


@pytest.fixture
def talked(tea: Community, group: Group, bob: Member, noon: Any) -> Community:
    for number in range(30):
        say(group, bob, f"<script>alert({number})</script> is it fresh?")
    feed(tea)
    make_figures(tea)
    return tea


def test_without_talk_the_page_says_what_to_do(tea: Community, alice: User) -> None:
    page = client_of(alice).get(reverse("insight:home"))
    assert page.status_code == 200
    assert "No figures yet" in page.content.decode()


def test_cards_tell_definition_number_and_age(talked: Community, alice: User) -> None:
    page = client_of(alice).get(reverse("insight:home")).content.decode()
    assert "Updated just now" in page
    assert "30 messages" in page
    assert page.count("What this is") > 20
    assert "<script>alert(" not in page
    assert re.search(r"n = \d", page)


def test_the_drawings_run_in_a_sandbox(talked: Community, alice: User) -> None:
    page = client_of(alice).get(reverse("insight:page"))
    assert page.status_code == 200
    assert page["Content-Security-Policy"].startswith("sandbox")
    page.close()


def test_one_click_makes_the_full_report(
    talked: Community, alice: User, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Workshop(Shelf(data), at_once=0)
    monkeypatch.setattr(insight, "workshop", lambda: shop)
    answer = client_of(alice).post(reverse("insight:make"))
    (job,) = shop.shelf.list_all()
    assert answer["Location"].endswith(job.id)
    assert job.request.title == talked.name
    copy = Path(job.request.files[0])
    assert Folder(copy).read() == Folder(archive_path(talked.pk)).read()
    (command,) = plan_commands(job.request, data / "work")
    assert str(copy) in command
    assert Path(str(job.request.roster)).exists()


def test_while_it_is_fed_the_click_says_to_wait(
    talked: Community, alice: User, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Workshop(Shelf(data), at_once=0)
    monkeypatch.setattr(insight, "workshop", lambda: shop)
    with Folder(archive_path(talked.pk)).writing():
        page = client_of(alice).post(reverse("insight:make"), follow=True).content.decode()
    assert "Try again in a few seconds" in page
    assert shop.shelf.list_all() == []
    assert list((data / "jobs").iterdir()) == []


def test_who_may_not_see_insight_does_not(talked: Community, carol: User) -> None:
    moderator = make_staff(talked, "moderator").user
    for user in (carol, moderator):
        for name in ("insight:home", "insight:page"):
            assert client_of(user).get(reverse(name)).status_code in (403, 404)
        assert client_of(user).post(reverse("insight:make")).status_code in (403, 404)


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (-1, "Updated just now"),
        (0.5, "Updated just now"),
        (1, "Updated 1 minute ago"),
        (7, "Updated 7 minutes ago"),
        (150, "Updated 2 hours ago"),
    ],
)
def test_ages_are_told_in_words(minutes: float, words: str) -> None:
    assert age_words(timedelta(minutes=minutes)) == words

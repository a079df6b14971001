"""A community's own borders of standing, in a form."""

from __future__ import annotations

import pytest
from django.urls import reverse

from qunluo.community.models import Community, User
from qunluo.console.standing_page import COUNTS, DAYS, POINTS
from qunluo.events.models import Event
from qunluo.standing.queries import thresholds_of
from qunluo.standing.thresholds import USUAL
from tests.cast import client_of, make_staff

pytestmark = pytest.mark.django_db
PAGE = "console:standing"


def form(**more: object) -> dict[str, object]:
    names = {name: getattr(USUAL, name) for name in (*DAYS, *COUNTS, *POINTS)}
    return {**names, "levels": "1 new fan\n60 true fan\n300 dearest", **more}


def test_borders_are_moved_and_the_record_tells(alice: User, tea: Community) -> None:
    desk = client_of(alice)
    assert desk.get(reverse(PAGE)).status_code == 200
    assert desk.post(reverse(PAGE), form(silent_days=45)).status_code == 302
    tea.refresh_from_db()
    assert tea.settings["standing"] == {"silent_days": 45}
    assert thresholds_of(tea).levels == USUAL.levels
    assert Event.objects.get(kind="settings_changed").data == {"standing": {"silent_days": 45}}


def test_levels_are_named_by_the_community(alice: User, tea: Community) -> None:
    client_of(alice).post(reverse(PAGE), form(levels="10 <b>a</b>\n5 b"))
    tea.refresh_from_db()
    assert [(at.points, at.name.en) for at in thresholds_of(tea).levels] == [
        (5, "b"),
        (10, "<b>a</b>"),
    ]
    assert "&lt;b&gt;a" in client_of(alice).get(reverse(PAGE)).content.decode()


@pytest.mark.parametrize("wrong", [
    {"lost_days": 30}, {"silent_days": 0}, {"levels": "many true fan"}, {"points_said": -1},
    {"silent_days": 20},
])  # fmt: skip
def test_what_makes_no_sense_is_refused_with_a_sentence(
    alice: User, tea: Community, wrong: dict[str, object]
) -> None:
    assert client_of(alice).post(reverse(PAGE), form(**wrong)).status_code == 400
    tea.refresh_from_db()
    assert "standing" not in tea.settings


def test_only_owners_move_borders(tea: Community) -> None:
    operator = make_staff(tea, "operator")
    assert client_of(operator.user).get(reverse(PAGE)).status_code == 403

"""A program starts groups as the console does."""

from __future__ import annotations

from datetime import date

import pytest

from qunluo.community.models import Community
from qunluo.groups.models import Group, Positioning
from qunluo.kit import clock
from tests.api.calling import Program
from tests.cast import make_group

pytestmark = pytest.mark.django_db
FIT = "fit?stage=steady&decision=minutes&knowledge=none&value=low&intent="


def test_kinds_and_the_fit_are_told_in_both_languages(program: Program) -> None:
    kinds = program.get("blueprints")
    assert len(kinds) == 10
    assert kinds[0]["name"] == {"en": "Daily deals", "zh": "低价引流群"}
    found = program.get(FIT + "high")
    assert (found["suits"], found["blueprint"]) == (True, "traffic")
    assert all(r["words"]["zh"] for r in found["reasons"])
    idea = program.get(FIT.replace("steady", "idea") + "low")
    assert (idea["suits"], idea["blueprint"]) == (False, None)
    assert idea["instead"]["en"]
    assert program.refused("GET", FIT + "moon")[0] == 422


def test_a_group_is_made_from_a_blueprint_and_its_tasks_are_checked(program: Program) -> None:
    body = {"lang": "zh", "changes": {"capacity": 20}}
    made = program.post("blueprints/vip/groups", body)
    assert (made["blueprint"], made["capacity"], made["name"]) == ("vip", 20, "VIP 会员服务群")
    tasks = program.get(f"groups/{made['id']}/tasks")["items"]
    assert len(tasks) == 7
    done = program.post(f"tasks/{tasks[0]['id']}/check", {"done": True})
    assert done["done_at"]
    assert program.post(f"tasks/{tasks[0]['id']}/check", {"done": False})["done_at"] is None
    added = program.post(f"groups/{made['id']}/tasks", {"title": "Call Ann"})
    assert (added["title"], added["step"]) == ("Call Ann", "")


@pytest.mark.parametrize(
    ("key", "changes", "problem"),
    [
        ("castle", {}, (404, "no_blueprint")),
        ("store", {}, (422, "wrong_gate")),
        ("flash", {"ends_at": "2099-01-01T00:00:00Z"}, (422, "group_too_long")),
    ],
)
def test_what_cannot_be_made_is_told(
    program: Program, key: str, changes: dict[str, str], problem: tuple[int, str]
) -> None:
    body = {"lang": "en", "changes": changes}
    assert program.refused("POST", f"blueprints/{key}/groups", body) == problem
    assert not Group.objects.exists()


def test_months_of_a_group(program: Program, tea: Community) -> None:
    group = make_group(tea)
    Positioning.objects.create(
        group=group, month=date(2026, 2, 1), intent="high", order_value="",
        facts={"members": 12, "joined_in": None}, reasons=[{"en": "few", "zh": "少"}],
        move={"en": "wait", "zh": "等待"}, judged_at=clock.now(),
    )  # fmt: skip
    (month,) = program.get(f"groups/{group.pk}/places")["items"]
    assert (month["month"], month["intent"], month["order_value"]) == ("2026-02-01", "high", "")

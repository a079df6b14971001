"""Beginning a group: questions, cards, the form that is filled in, the checklist that follows."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.test import Client

from qunluo.community.actions import do_found
from qunluo.community.models import Community, User
from qunluo.events.models import Event
from qunluo.groups.blueprints import list_blueprints
from qunluo.groups.models import Group, Positioning, StaffTask
from qunluo.groups.staff_tasks import do_add_task
from qunluo.kit import clock
from qunluo.messaging.models import AutoReply
from tests.cast import client_of, make_group, make_staff, make_user

pytestmark = pytest.mark.django_db
START = "/console/groups/start"
SHOP = {
    "stage": "steady", "decision": "minutes", "knowledge": "none", "value": "low", "intent": "high"
}  # fmt: skip


@pytest.fixture
def desk(alice: User, tea: Community) -> Client:
    return client_of(alice)


def filled(desk: Client, key: str, **more: str) -> dict[str, str]:
    """The form as it comes, and what the operator adds."""
    form = desk.get(f"{START}/{key}?lang=en").context["form"]
    shown = {f.name: f.value() for f in form if f.value() is not None}
    dated = {
        name: value.strftime("%Y-%m-%dT%H:%M") if isinstance(value, datetime) else value
        for name, value in shown.items()
    }
    return {**dated, "lang": "en", **more}


@pytest.mark.parametrize("lang", ["en", "zh-hans"])
def test_all_kinds_are_shown_with_when_and_when_not(
    alice: User, tea: Community, lang: str
) -> None:
    page = client_of(alice, lang).get(START).content.decode()
    for found in list_blueprints():
        for words in (found.name, found.about):
            assert words("zh" if lang == "zh-hans" else "en").replace("'", "&#x27;") in page
        assert f"{START}/{found.key}" in page
    assert page.count("l-picture") == 10


def test_five_answers_lead_to_a_kind_and_its_form(desk: Client) -> None:
    page = desk.get(f"{START}/fit", SHOP).content.decode()
    assert "“Daily deals” fits best" in page
    assert "Orders are small" in page
    assert f"{START}/traffic" in page


def test_not_worth_it_says_what_to_do_instead(desk: Client) -> None:
    answers = SHOP | {"stage": "idea", "intent": "low"}
    page = desk.get(f"{START}/fit", answers).content.decode()
    assert "isn&#x27;t worth it" in page or "isn't worth it" in page
    assert "one by one" in page
    assert "fits best" not in page


def test_an_answer_that_lacks_is_asked_for(desk: Client) -> None:
    answer = desk.get(f"{START}/fit", {"stage": "steady"})
    assert answer.status_code == 400
    assert "How long does a customer think" in answer.content.decode()
    assert answer.content.decode().count("checked") == 1


@pytest.mark.parametrize("found", list_blueprints(), ids=lambda b: b.key)
def test_a_group_starts_from_what_was_filled_in(
    desk: Client, tea: Community, found: object
) -> None:
    key = found.key  # type: ignore[attr-defined]
    known = {"store": {"lat": "31.2", "lon": "121.5"}, "paid": {"plan": "gold"}}.get(key, {})
    answer = desk.post(f"{START}/{key}", filled(desk, key, name="Ours", **known))
    assert answer.status_code == 302, answer.context["form"].errors
    group = Group.objects.get(community=tea)
    assert (group.name, group.blueprint) == ("Ours", key)
    assert StaffTask.objects.filter(group=group).exists()
    assert not AutoReply.objects.filter(group=group, active=True).exists()
    page = desk.get(f"/console/groups/{group.pk}").content.decode()
    assert "Fill in the drafts of the auto-replies" in page
    assert Event.objects.get(kind="group_founded").actor.startswith("staff:")


def test_what_only_the_operator_knows_is_asked_for(desk: Client) -> None:
    answer = desk.post(f"{START}/store", filled(desk, "store"))
    assert answer.status_code == 400
    assert "lat, lon" in str(answer.context["form"].errors["gate"])
    assert not Group.objects.exists()


def test_a_flash_group_may_not_last(desk: Client) -> None:
    late = filled(desk, "flash", opens_at="2030-05-06T19:00", ends_at="2030-05-06T23:30")
    answer = desk.post(f"{START}/flash", late)
    assert "2030-05-06 22:37" in str(answer.context["form"].errors["ends_at"])
    desk.post(f"{START}/flash", {**late, "ends_at": ""})
    group = Group.objects.get()
    assert group.ends_at == datetime(2030, 5, 6, 14, 30, tzinfo=UTC)


def test_an_end_before_the_opening_is_refused(desk: Client) -> None:
    wrong = filled(desk, "trial", opens_at="2030-05-06T19:00", ends_at="2030-05-05T19:00")
    assert "after the opening" in str(
        desk.post(f"{START}/trial", wrong).context["form"].errors["ends_at"]
    )


def test_the_group_speaks_the_communitys_language_unless_told(desk: Client) -> None:
    assert desk.get(f"{START}/vip").context["form"]["name"].value() == "VIP 会员服务群"
    page = desk.get(f"{START}/vip?lang=en")
    assert page.context["form"]["name"].value() == "Members' lounge"
    assert desk.get(f"{START}/castle").status_code == 404


# tasks


def test_a_task_is_checked_on_the_group_page_and_on_the_home_page(
    desk: Client, tea: Community, group: Group, noon: datetime
) -> None:
    first = do_add_task(tea, title="Call <b>Ann</b>", group=group, by="staff:1", due_at=noon)
    second = do_add_task(tea, title="Weigh tea", by="staff:1", due_at=noon + timedelta(hours=1))
    later = do_add_task(tea, title="Much later", by="staff:1", due_at=noon + timedelta(days=3))
    home = desk.get("/console/").content.decode()
    assert "Call &lt;b&gt;Ann" in home
    assert "Weigh tea" in home
    assert later.title not in home
    answer = desk.post(f"/console/tasks/{second.pk}", {"done": "1", "from": "home"})
    assert answer["Location"] == "/console/"
    assert "Weigh tea" not in desk.get("/console/").content.decode()
    answer = desk.post(f"/console/tasks/{first.pk}", {"done": "1"})
    assert answer["Location"] == f"/console/groups/{group.pk}"
    assert "Open again" in desk.get(answer["Location"]).content.decode()
    desk.post(f"/console/tasks/{first.pk}", {"done": "0"})
    first.refresh_from_db()
    assert first.done_at is None


def test_a_task_is_added_by_hand(desk: Client, group: Group, noon: datetime) -> None:
    at = f"/console/groups/{group.pk}/tasks"
    desk.post(at, {"title": "Buy cups", "why": "they broke", "due_on": "2026-03-04"})
    task = StaffTask.objects.get()
    assert (task.title, task.due_at) == ("Buy cups", datetime(2026, 3, 4, 10, tzinfo=UTC))
    wrong = desk.post(at, {"title": ""}, follow=True).content.decode()
    assert "Say what is to be done" in wrong
    assert StaffTask.objects.count() == 1


def test_tasks_and_groups_of_others_are_not_there(desk: Client, tea: Community) -> None:
    theirs = do_found("Coffee", make_user("dan"))
    task = do_add_task(theirs, title="secret", by="system")
    assert desk.post(f"/console/tasks/{task.pk}", {"done": "1"}).status_code == 404
    group = make_group(theirs)
    assert desk.post(f"/console/groups/{group.pk}/tasks", {"title": "x"}).status_code == 404


def test_who_may_not_run_groups_reads_the_checklist_only(tea: Community, group: Group) -> None:
    do_add_task(tea, title="Buy cups", group=group, by="system")
    moderator = client_of(make_staff(tea, "moderator").user)
    page = moderator.get(f"/console/groups/{group.pk}").content.decode()
    assert "Buy cups" in page
    assert "/console/tasks/" not in page
    assert moderator.get(START).status_code == 403
    assert moderator.post("/console/tasks/1", {"done": "1"}).status_code == 403


# where it stands


def test_the_group_page_shows_months_with_definitions_and_says_when_there_are_none(
    desk: Client, group: Group
) -> None:
    at = f"/console/groups/{group.pk}"
    assert "Not judged yet" in desk.get(at).content.decode()
    facts = {"days": 28, "members": 120, "spoke": 30, "buyers": 15, "orders": 20,
             "amount_minor": 200_000, "joined_in": None}  # fmt: skip
    for month, value in ((1, "low"), (2, "high")):
        Positioning.objects.create(
            group=group, month=date(2026, month, 1), intent="high", order_value=value,
            facts=facts, reasons=[{"en": "because", "zh": "因为"}],
            move={"en": "Keep it", "zh": "保持"}, suggests="vip", judged_at=clock.now(),
        )  # fmt: skip
    page = desk.get(at).content.decode()
    for words in ("n = 120", "because", "Keep it", "VIP service", "How is this counted?", "12 %",
                  "¥100.00", "none ran"):  # fmt: skip
        assert words in page
    assert page.count("<circle") >= 2
    Positioning.objects.all().update(intent="", order_value="", suggests="")
    assert "Too little data for a place" in desk.get(at).content.decode()


# drafts


def test_a_draft_is_switched_on_once_its_blanks_are_filled(desk: Client, group: Group) -> None:
    at = f"/console/groups/{group.pk}/replies"
    known = {"how": "contains", "pattern": "hours", "priority": "0", "group_cooldown_s": "60",
             "member_cooldown_s": "600"}  # fmt: skip
    new = desk.post(at, {**known, "answer": "Open 〔hours〕"})
    assert new.status_code == 400
    assert "〔hours〕" in str(new.context["reply_form"].errors["answer"])
    draft = AutoReply.objects.create(
        community=group.community, group=group, how="contains", pattern="hours",
        answer="Open 〔hours〕", active=False,
    )  # fmt: skip
    told = desk.post(f"{at}/{draft.pk}/switch", follow=True).content.decode()
    assert "still has the blank 〔hours〕" in told
    desk.post(f"{at}/{draft.pk}", {**known, "answer": "Open 9 to 18"})
    desk.post(f"{at}/{draft.pk}/switch")
    draft.refresh_from_db()
    assert (draft.answer, draft.active) == ("Open 9 to 18", True)

"""The console's first page: the week in a sentence, what to decide now, and the groups."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.http import require_safe

from qunluo.community.rules import Permission, may
from qunluo.console import overview
from qunluo.console.access import StaffRequest, staff_view
from qunluo.console.campaigns import todos as campaigns
from qunluo.console.care import todos as care
from qunluo.console.launching.tasks import list_tasks_left
from qunluo.kit import clock


@staff_view("see_home")
@require_safe
def home(request: StaffRequest) -> HttpResponse:
    now, community = clock.now(), request.community
    context = {
        "verdict": overview.say_verdict(overview.count_pulse(community, now)),
        "todos": _list_todos(request),
        "strips": overview.list_strips(community, now),
        "today": overview.list_today(community, now),
    }
    return render(request, "console/shell/home.html", context)


def _list_todos(request: StaffRequest) -> list[tuple[overview.Todo, str]]:
    """What the reader may decide, the most urgent first, each with where it is done."""
    now, community = clock.now(), request.community
    lists: tuple[tuple[Permission, list[overview.Todo]], ...] = (
        ("see_audit", campaigns.list_audit_left(community)),
        ("care", care.list_incidents_left(community, now)),
        ("care", care.list_rounds_left(community, now)),
        ("answer", overview.list_questions_left(community, now)),
        ("run_groups", overview.list_requests_left(community)),
        ("moderate", overview.list_cases_left(community)),
        ("care", care.list_promises_left(community, now)),
        ("run_care", care.list_testimonies_left(community)),
        ("edit_members", care.list_introductions_left(community)),
        ("run_campaigns", campaigns.list_campaigns_left(community, now)),
        ("run_groups", list_tasks_left(community, now)),
        ("run_groups", overview.list_groups_left(community, now)),
    )
    return [
        (todo, _address(todo))
        for permission, todos in lists if may(request.staff.role, permission) for todo in todos
    ]  # fmt: skip


def _address(todo: overview.Todo) -> str:
    try:
        return reverse(todo.to, args=[todo.target] if todo.target is not None else [])
    except NoReverseMatch:
        return ""

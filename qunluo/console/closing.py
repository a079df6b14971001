"""How a group ends, and what comes after it: each with a page that first says what will happen."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from qunluo.console.access import StaffRequest, staff_view
from qunluo.console.groups import FORM, find_group
from qunluo.console.wording import current_lang
from qunluo.groups.actions import do_close_group, do_dissolve_group, do_open_successor
from qunluo.groups.models import Group
from qunluo.groups.queries import RUNNING, count_ending
from qunluo.groups.tasks import write_farewell
from qunluo.kit.errors import QunluoError
from qunluo.messaging.queries import list_questions


@staff_view("run_groups")
@FORM
def close(request: StaffRequest, group_id: int) -> HttpResponse:
    """The group begins to say goodbye; the reason is kept in the record."""
    group = find_group(request, group_id)
    if request.method != "POST":
        return _ask(request, group, dissolve=False)
    why = _why(request)
    if not why:
        messages.error(request, _("Say why the group closes: the record keeps it."))
    elif do_close_group(group, by=request.staff.actor, why=why):
        messages.success(request, _("The group takes nobody any more and says goodbye."))
    else:
        messages.error(request, _("The group was closing already."))
    return redirect("console:group", group.pk)


@staff_view("run_groups")
@FORM
def dissolve(request: StaffRequest, group_id: int) -> HttpResponse:
    """Ends a group that is closing now, and every membership in it."""
    group = find_group(request, group_id)
    if group.state != "closing":
        messages.error(request, _("Only a group that is closing can be dissolved."))
    elif request.method != "POST":
        return _ask(request, group, dissolve=True)
    elif why := _why(request):
        left = do_dissolve_group(group, by=request.staff.actor, why=why)
        said = _("The group is dissolved; memberships that ended: {n}.")
        messages.success(request, said.format(n=left))
    else:
        messages.error(request, _("Say why the group closes: the record keeps it."))
    return redirect("console:group", group.pk)


@staff_view("run_groups")
@require_POST
def open_successor(request: StaffRequest, group_id: int) -> HttpResponse:
    """Opens the group that goes on where this one is full or ends."""
    group = find_group(request, group_id)
    try:
        made = do_open_successor(group, by=request.staff.actor)
    except QunluoError as error:
        messages.error(request, error.message(current_lang()))
        return redirect("console:group", group.pk)
    messages.success(request, _("The next group is open. Newcomers find it by themselves."))
    return redirect("console:group", made.pk)


def _why(request: StaffRequest) -> str:
    return request.POST.get("why", "").strip()[:300]


def _ask(request: StaffRequest, group: Group, *, dissolve: bool) -> HttpResponse:
    """What will happen, counted; nothing is changed."""
    waiting = list_questions(request.community).filter(message__group=group)
    context: dict[str, Any] = {
        "group": group, "dissolve": dissolve, "ending": count_ending(group),
        "questions": waiting.count(), "running": group.state in RUNNING,
        "farewell": write_farewell(group)(group.community.lang),
    }  # fmt: skip
    return render(request, "console/shell/closing.html", context)

"""Tasks of the staff: checked where they are seen."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from django import forms
from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from qunluo.community.models import Community
from qunluo.console.access import StaffRequest, staff_view
from qunluo.console.overview import Todo
from qunluo.groups.models import Group, StaffTask
from qunluo.groups.staff_tasks import do_add_task, do_check_task, list_open_tasks

AHEAD = timedelta(hours=24)
MOST = 5


class TaskForm(forms.Form):
    title = forms.CharField(label=gettext_lazy("What is to be done?"), max_length=200)
    why = forms.CharField(label=gettext_lazy("Why?"), max_length=400, required=False)
    due_on = forms.DateField(
        label=gettext_lazy("Until"), required=False, widget=forms.DateInput({"type": "date"})
    )


@staff_view("run_groups")
@require_POST
def add(request: StaffRequest, group_id: int) -> HttpResponse:
    """A task of a group, added by hand."""
    group = Group.objects.filter(community=request.community, pk=group_id).first()
    if group is None:
        raise Http404
    form = TaskForm(request.POST)
    if form.is_valid():
        due = form.cleaned_data["due_on"]
        do_add_task(
            request.community, title=form.cleaned_data["title"], why=form.cleaned_data["why"],
            group=group, due_at=due and _evening(due),
            by=request.staff.actor,
        )  # fmt: skip
    else:
        messages.error(request, _("Say what is to be done, and by a day that there is."))
    return redirect("console:group", group.pk)


def _evening(day: date) -> datetime:
    """Six in the evening there."""
    return datetime.combine(day, time(18), timezone.get_current_timezone())


@staff_view("run_groups")
@require_POST
def check(request: StaffRequest, task_id: int) -> HttpResponse:
    """Marks a task as done, or as open again, and leads back to where it was seen."""
    rows = StaffTask.objects.filter(community=request.community, pk=task_id)
    task = rows.select_related("group").first()
    if task is None:
        raise Http404
    do_check_task(task, request.POST.get("done") == "1", by=request.staff.actor)
    if task.group_id is None or request.POST.get("from") == "home":
        return redirect("console:home")
    return redirect("console:group", task.group_id)


def list_tasks_left(community: Community, now: datetime) -> list[Todo]:
    """What is late or due within a day, for the home page."""
    due = Q(due_at__lt=now + AHEAD)
    return [
        Todo("task", task.title, task.group.name if task.group else community.name,
             "launch:check", task.pk,
             minutes=int((task.due_at - now).total_seconds() // 60) if task.due_at else None)
        for task in list_open_tasks(community).filter(due)[:MOST]
    ]  # fmt: skip

"""Groups: the list, one group with all that it is, and what is done to it."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from qunluo.community.rules import may
from qunluo.console import overview
from qunluo.console.access import StaffRequest, staff_view
from qunluo.console.group_forms import GroupForm, PinForm, ReplyForm, initial_of
from qunluo.console.launching.living import tell
from qunluo.console.people.ties import lonely_of
from qunluo.console.starting import share
from qunluo.console.wording import current_lang
from qunluo.groups.actions import (
    do_decide_request,
    do_found_group,
    do_set_group,
    do_set_moderator,
)
from qunluo.groups.models import Case, Group, JoinRequest, Membership, ModerationRule
from qunluo.groups.moderation import list_rules
from qunluo.kit import clock
from qunluo.kit.errors import QunluoError
from qunluo.messaging.models import AutoReply

FORM = require_http_methods(["GET", "HEAD", "POST"])
PAGE = 50
SHADOW_DAYS = timedelta(days=30)
EXAMPLES = 3


def find_group(request: StaffRequest, group_id: int) -> Group:
    """A group of the reader's community, or "not found"."""
    found = Group.objects.filter(community=request.community, pk=group_id)
    group = found.select_related("successor", "community").first()
    if group is None:
        raise Http404
    return group


@staff_view("see_groups")
@require_safe
def groups(request: StaffRequest) -> HttpResponse:
    """All groups, those that run first."""
    rows = Group.objects.filter(community=request.community)
    ended = request.GET.get("state") == "ended"
    over = ("closing", "dissolved")
    rows = rows.filter(state__in=over) if ended else rows.exclude(state__in=over)
    page = Paginator(rows.order_by("-id"), PAGE).get_page(request.GET.get("page"))
    found, now = list(page.object_list), clock.now()
    counts = overview.count_days(found, now)
    strips = [overview.make_strip(group, counts[group.pk], now) for group in found]
    context = {"strips": strips, "page": page, "ended": ended}
    return render(request, "console/shell/groups.html", context)


@staff_view("run_groups")
@FORM
def new_group(request: StaffRequest) -> HttpResponse:
    form = GroupForm(request.community, request.POST or None)
    if form.is_valid():
        try:
            made = do_found_group(request.community, by=request.staff.actor, **form.values())
        except QunluoError as error:
            form.add_error(None, error.message(current_lang()))
        else:
            messages.success(request, _("The group is there. Share its link."))
            return redirect("console:group", made.pk)
    context = {"form": form, "title": _("New group")}
    return render(request, "console/shell/form.html", context, status=_status(form))


def _status(form: Any) -> int:
    return 400 if form.is_bound else 200


@staff_view("run_groups")
@FORM
def edit(request: StaffRequest, group_id: int) -> HttpResponse:
    group = find_group(request, group_id)
    form = GroupForm(request.community, request.POST or None, initial=initial_of(group))
    if form.is_valid():
        try:
            do_set_group(group, form.values(), by=request.staff.actor)
        except QunluoError as error:
            form.add_error(None, error.message(current_lang()))
        else:
            messages.success(request, _("The group is changed."))
            return redirect("console:group", group.pk)
    context = {
        "form": form,
        "title": _("Change the group"),
        "about": group.name,
        "group": group,
    }
    return render(request, "console/shell/form.html", context, status=_status(form))


@staff_view("see_groups")
@require_safe
def group(request: StaffRequest, group_id: int) -> HttpResponse:
    return page_of(request, find_group(request, group_id))


def page_of(
    request: StaffRequest, group: Group, status: int = 200, **more: Any
) -> HttpResponse:
    """One group; `more` brings back a form with what was typed."""
    now = clock.now()
    seats = Membership.objects.filter(group=group, left_at=None).select_related("member")
    page = Paginator(seats.order_by("-moderator", "-pk"), PAGE).get_page(
        request.GET.get("page")
    )
    strip = overview.make_strip(group, overview.count_days([group], now)[group.pk], now)
    context = {
        "group": group, "strip": strip, "page": page, **tell(group, now),
        "days_left": overview.count_days_left(group, now),
        "may_run": may(request.staff.role, "run_groups"),
        "requests": JoinRequest.objects.filter(group=group, state="waiting")
        .select_related("member").order_by("id")[:PAGE],
        "replies": AutoReply.objects.filter(community=request.community, group__in=[group])
        .order_by("-priority", "id"),
        "everywhere": AutoReply.objects.filter(community=request.community, group=None).count(),
        "pinned": [(mark_of(item), item) for item in group.pinned],
        "detectors": list_detectors(group), "reply_form": ReplyForm(), "pin_form": PinForm(),
        **share(request, group), **lonely_of(group), **more,
    }  # fmt: skip
    return render(request, "console/shell/group.html", context, status=status)


def list_detectors(group: Group) -> list[dict[str, Any]]:
    """The rules in force, each with what it would have done in the last 30 days."""
    rules = list_rules(group)
    since = clock.now() - SHADOW_DAYS
    cases = list(Case.objects.filter(group=group, at__gte=since).order_by("-id")[:1000])
    return [
        {"rule": rule, "name": str(DETECTORS.get(rule.detector, rule.detector)),
         **_done(rule, cases)} for rule in rules
    ]  # fmt: skip


def _done(rule: ModerationRule, cases: list[Case]) -> dict[str, Any]:
    hits = [c for c in cases if any(e.get("detector") == rule.detector for e in c.evidence)]
    return {"hits": len(hits), "examples": hits[:EXAMPLES]}


DETECTORS = {
    "links": gettext_lazy("Links to other places"), "cards": gettext_lazy("Contact cards and QR codes"),
    "ads": gettext_lazy("Advertising words"), "banned": gettext_lazy("Banned words"),
    "floods": gettext_lazy("Floods and repeats"),
    "impersonation": gettext_lazy("Names that look like staff"),
    "classifier": gettext_lazy("Learned from decided cases"),
}  # fmt: skip


@staff_view("run_groups")
@require_POST
@transaction.atomic
def pin(request: StaffRequest, group_id: int) -> HttpResponse:
    """Adds a pinned benefit, or takes one away."""
    group = find_group(request, group_id)
    Group.objects.select_for_update().get(pk=group.pk)  # one list, many hands
    group.refresh_from_db(fields=["pinned"])
    if "away" in request.POST:
        return _unpin(request, group)
    form = PinForm(request.POST)
    if not form.is_valid():
        return page_of(request, group, 400, pin_form=form)
    if form.cleaned_data not in group.pinned:
        pinned = [*group.pinned, form.cleaned_data]
        do_set_group(group, {"pinned": pinned}, by=request.staff.actor)
    messages.success(request, _("The benefit is pinned."))
    return redirect("console:group", group.pk)


def _unpin(request: StaffRequest, group: Group) -> HttpResponse:
    """Takes the benefit away that the reader saw, not what has moved to its place since."""
    away = request.POST["away"]
    pinned = [item for item in group.pinned if mark_of(item) != away]
    if pinned != group.pinned:
        do_set_group(group, {"pinned": pinned}, by=request.staff.actor)
    return redirect("console:group", group.pk)


def mark_of(item: dict[str, str]) -> str:
    """What names a pinned benefit in its form."""
    said = f"{item.get('title', '')}\0{item.get('text', '')}"
    return sha256(said.encode()).hexdigest()[:16]


@staff_view("run_groups")
@require_POST
def moderator(request: StaffRequest, group_id: int) -> HttpResponse:
    """Gives a member the powers of a moderator here, or takes them back."""
    group = find_group(request, group_id)
    wanted = request.POST.get("seat", "")
    plain = wanted.isascii() and wanted.isdecimal() and len(wanted) < 19
    seats = Membership.objects.filter(group=group, left_at=None)
    seat = seats.filter(pk=int(wanted) if plain else 0).select_related("group").first()
    if seat is None:
        raise Http404
    do_set_moderator(seat, request.POST.get("on") == "1", by=request.staff.actor)
    return redirect("console:group", group.pk)


@staff_view("run_groups")
@require_POST
def decide(request: StaffRequest, request_id: int) -> HttpResponse:
    """Lets somebody in who waits at the gate, or refuses."""
    waiting = JoinRequest.objects.filter(group__community=request.community, pk=request_id)
    found = waiting.select_related("group", "member").first()
    if found is None:
        raise Http404
    answer = request.POST.get("answer")
    if answer not in ("approve", "refuse"):
        return redirect("console:group", found.group_id)
    approve = answer == "approve"
    try:
        do_decide_request(found, approve=approve, by=request.staff.actor)
    except QunluoError as error:
        messages.error(request, error.message(current_lang()))
    else:
        said = _("{name} is in.") if approve else _("{name} was refused.")
        messages.success(request, said.format(name=found.member.name))
    return redirect("console:group", found.group_id)

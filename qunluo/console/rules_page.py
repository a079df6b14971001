"""What a group does by itself: its auto-replies and its moderation rules."""

from __future__ import annotations

from django.contrib import messages
from django.db import transaction
from django.forms import model_to_dict
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from qunluo.console.access import StaffRequest, staff_view
from qunluo.console.group_forms import ReplyForm
from qunluo.console.groups import FORM, find_group, page_of
from qunluo.console.wording import current_lang
from qunluo.groups.models import ModerationRule
from qunluo.groups.moderation import do_set_rule, list_rules
from qunluo.kit import clock
from qunluo.kit.errors import QunluoError
from qunluo.messaging.actions import do_remove_auto_reply, do_set_auto_reply
from qunluo.messaging.models import AutoReply


@staff_view("run_groups")
@require_POST
def add_reply(request: StaffRequest, group_id: int) -> HttpResponse:
    group = find_group(request, group_id)
    form = ReplyForm(request.POST)
    fresh = AutoReply(community=request.community, group=group)
    if not (form.is_valid() and _keep(fresh, form, request)):
        return page_of(request, group, 400, reply_form=form)
    messages.success(request, _("The auto-reply is on."))
    return redirect("console:group", group.pk)


@staff_view("run_groups")
@require_POST
@transaction.atomic
def switch_reply(request: StaffRequest, group_id: int, reply_id: int) -> HttpResponse:
    """On and off again; a draft with blanks stays off, and says so."""
    reply = _find(request, group_id, reply_id)
    try:
        do_set_auto_reply(reply, {"active": not reply.active}, by=request.staff.actor)
    except QunluoError as error:
        messages.error(request, error.message(current_lang()))
    return redirect("console:group", group_id)


@staff_view("run_groups")
@FORM
@transaction.atomic
def edit_reply(request: StaffRequest, group_id: int, reply_id: int) -> HttpResponse:
    """Other words, another answer; whether it is on stays."""
    reply = _find(request, group_id, reply_id)
    form = ReplyForm(request.POST or None, initial=model_to_dict(reply))
    if form.is_valid() and _keep(reply, form, request):
        messages.success(request, _("The auto-reply is changed."))
        return redirect("console:group", group_id)
    context = {
        "form": form, "title": _("Change the auto-reply"), "about": reply.group, "group": reply.group,
        "delete": reverse("console:delete_reply", args=[group_id, reply_id]),
    }  # fmt: skip
    status = 400 if form.is_bound else 200
    return render(request, "console/shell/form.html", context, status=status)


@staff_view("run_groups")
@require_POST
@transaction.atomic
def delete_reply(request: StaffRequest, group_id: int, reply_id: int) -> HttpResponse:
    """It answers nothing any more; what it has said stays."""
    reply = _find(request, group_id, reply_id)
    do_remove_auto_reply(reply, by=request.staff.actor)
    messages.success(request, _("The auto-reply is deleted."))
    return redirect("console:group", group_id)


def _keep(reply: AutoReply, form: ReplyForm, request: StaffRequest) -> bool:
    """Whether the answer could be kept; what hinders it stands beside it."""
    try:
        do_set_auto_reply(reply, form.cleaned_data, by=request.staff.actor)
    except QunluoError as error:
        form.add_error("answer", error.message(current_lang()))
        return False
    return True


def _find(request: StaffRequest, group_id: int, reply_id: int) -> AutoReply:
    """A reply of one of the reader's groups; its row is ours until the transaction ends."""
    rows = AutoReply.objects.select_for_update(of=("self",)).select_related("group")
    reply = rows.filter(group=find_group(request, group_id), pk=reply_id).first()
    if reply is None:
        raise Http404
    return reply


@staff_view("run_groups")
@require_POST
@transaction.atomic
def set_rule(request: StaffRequest, group_id: int, rule_id: int) -> HttpResponse:
    """Lets a rule act in this group, or puts it back into the shadow. A rule of the whole
    community gets a copy for this group first: the other groups keep theirs."""
    group = find_group(request, group_id)
    found = next((rule for rule in list_rules(group) if rule.pk == rule_id), None)
    if found is None:
        raise Http404
    if found.group_id is None:
        found = ModerationRule.objects.create(
            community=request.community, group=group, detector=found.detector,
            options=found.options, shadow=found.shadow, made_at=clock.now(),
        )  # fmt: skip
    shadow = request.POST.get("shadow") == "1"
    do_set_rule(found, by=request.staff.actor, shadow=shadow)
    said = _("The rule only watches now.") if shadow else _("The rule acts from now on.")
    messages.success(request, said)
    return redirect("console:group", group.pk)

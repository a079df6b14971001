"""What a group does by itself: its auto-replies and its moderation rules."""

from __future__ import annotations

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from qunluo.console.access import StaffRequest, staff_view
from qunluo.console.group_forms import ReplyForm
from qunluo.console.groups import find_group, page_of
from qunluo.events.actions import record
from qunluo.groups.models import ModerationRule
from qunluo.groups.moderation import do_set_rule, list_rules
from qunluo.kit import clock
from qunluo.messaging.models import AutoReply


@staff_view("run_groups")
@require_POST
def add_reply(request: StaffRequest, group_id: int) -> HttpResponse:
    group = find_group(request, group_id)
    form = ReplyForm(request.POST)
    if not form.is_valid():
        return page_of(request, group, 400, reply_form=form)
    with transaction.atomic():
        reply = AutoReply.objects.create(
            community=request.community, group=group, **form.cleaned_data
        )
        _record(request, reply, "auto_reply_made")
    messages.success(request, _("The auto-reply is on."))
    return redirect("console:group", group.pk)


@staff_view("run_groups")
@require_POST
@transaction.atomic
def switch_reply(request: StaffRequest, group_id: int, reply_id: int) -> HttpResponse:
    """On and off again."""
    group = find_group(request, group_id)
    reply = AutoReply.objects.filter(group=group, pk=reply_id).first()
    if reply is None:
        raise Http404
    reply.active = not reply.active
    reply.save(update_fields=["active"])
    _record(request, reply, "auto_reply_switched")
    return redirect("console:group", group.pk)


def _record(request: StaffRequest, reply: AutoReply, kind: str) -> None:
    record(kind, community=request.community.pk, actor=request.staff.actor,
           group=reply.group_id, data={"reply": reply.pk, "active": reply.active})  # fmt: skip


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

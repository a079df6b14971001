"""The community's settings, with help beside each."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, cast

from django import forms
from django.conf import settings as installed
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from qunluo.community.models import Community
from qunluo.community.queries import settings_of
from qunluo.community.rules import DEFAULTS
from qunluo.console.access import StaffRequest, staff_view
from qunluo.console.asking import list_zones
from qunluo.events.actions import record
from qunluo.kit.money import CURRENCIES


def _number(label: Any, help_text: Any, least: int, most: int) -> forms.IntegerField:
    return forms.IntegerField(label=label, help_text=help_text, min_value=least, max_value=most)


def _score(label: Any, help_text: Any) -> forms.FloatField:
    return forms.FloatField(label=label, help_text=help_text, min_value=0.05, max_value=1,
                            widget=forms.NumberInput({"step": "0.01"}))  # fmt: skip


class SettingsForm(forms.Form):
    """The names are those of `community.rules.Settings`; the first three are the community's."""

    name = forms.CharField(
        label=gettext_lazy("Name of the community"), max_length=80,
        help_text=gettext_lazy("Members see it when they join."),
    )  # fmt: skip
    zone = forms.ChoiceField(
        label=gettext_lazy("Time zone"),
        help_text=gettext_lazy("Days and quiet hours are counted there."),
    )  # fmt: skip
    lang = forms.ChoiceField(
        label=gettext_lazy("Language of the community"), choices=installed.LANGUAGES,
        help_text=gettext_lazy("Welcomes and reminders are written in it."),
    )  # fmt: skip
    currency = forms.ChoiceField(
        label=gettext_lazy("Currency"),
        choices=[(name, name) for name in CURRENCIES],
        help_text=gettext_lazy("Of prices and new orders; orders that are there keep theirs."),
    )  # fmt: skip
    points_days = _number(
        gettext_lazy("Days until points expire"),
        gettext_lazy("Of points from now on, counted from the day they come in; 0: never."), 0, 3650,
    )  # fmt: skip
    two_factor = forms.BooleanField(
        label=gettext_lazy("Staff need a second factor"), required=False,
        help_text=gettext_lazy("Who has none is asked to set one up at the next page."),
    )  # fmt: skip
    answer_within_min = _number(
        gettext_lazy("Minutes to answer a question"),
        gettext_lazy("An unanswered question goes red then."), 1, 10_080,
    )  # fmt: skip
    quiet_from = _number(
        gettext_lazy("Quiet from (hour)"),
        gettext_lazy("Nothing goes out by itself from this hour on, local time."), 0, 23,
    )  # fmt: skip
    quiet_until = _number(
        gettext_lazy("Quiet until (hour)"),
        gettext_lazy("From this hour on messages go out again."), 0, 23,
    )  # fmt: skip
    direct_cap_per_day = _number(
        gettext_lazy("Direct messages to a member a day"),
        gettext_lazy("More are kept back: who is bothered leaves."), 0, 100,
    )  # fmt: skip
    welcome_within_s = _number(
        gettext_lazy("Seconds to welcome a newcomer"),
        gettext_lazy("Who comes within the same seconds is welcomed together."), 1, 3600,
    )  # fmt: skip
    trusted_after = _number(
        gettext_lazy("Clean messages until a member is trusted"),
        gettext_lazy("Trusted members are not moderated by rules."), 1, 10_000,
    )  # fmt: skip
    newcomer_hours = _number(
        gettext_lazy("Hours in which newcomers' links are held"),
        gettext_lazy("Advertisers post in their first hours; people talk first."), 0, 720,
    )  # fmt: skip
    remind_at = _score(
        gettext_lazy("Score from which a rule reminds"),
        gettext_lazy("From 0 to 1: lower reminds more people, also wrongly."),
    )
    remove_at = _score(
        gettext_lazy("Score from which a rule removes"),
        gettext_lazy("From 0 to 1, above the score that reminds."),
    )
    strike_days = _number(
        gettext_lazy("Days until a strike expires"),
        gettext_lazy("After that a member starts with a clean slate."), 1, 3650,
    )  # fmt: skip
    nickname_reminders = _number(
        gettext_lazy("Reminders of the nickname template"),
        gettext_lazy("Then Qunluo lets them be."), 0, 10,
    )  # fmt: skip
    dear_order_minor = _number(
        gettext_lazy("An order is of high value from (in cents)"),
        gettext_lazy("30000 is 300.00. Groups are placed by it each month: intent × order value."),
        1, 1_000_000_000,
    )  # fmt: skip

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        cast(forms.ChoiceField, self.fields["zone"]).choices = [(z, z) for z in list_zones()]

    def clean_name(self) -> str:
        return cast(str, self.cleaned_data["name"]).strip()

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        low, high = cleaned.get("remind_at"), cleaned.get("remove_at")
        if low is not None and high is not None and low >= high:
            above = _("It must be above the score that reminds ({score}).").format(score=low)
            self.add_error("remove_at", ValidationError(above))
        return cleaned


OWN = ("name", "zone", "lang")


@staff_view("edit_settings")
@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: StaffRequest) -> HttpResponse:
    community = request.community
    now = {**asdict(settings_of(community)), **{n: getattr(community, n) for n in OWN}}
    form = SettingsForm(request.POST or None, initial=now)
    if form.is_valid():
        _change(request, form.cleaned_data)
        messages.success(request, _("The settings hold from now on."))
        return redirect("console:settings")
    context = {"form": form, "title": _("Settings"), "about": community.name}
    status = 400 if form.is_bound else 200
    return render(request, "console/shell/form.html", context, status=status)


@transaction.atomic
def _change(request: StaffRequest, wanted: dict[str, Any]) -> None:
    """Keeps what differs from the defaults; the record tells which settings changed."""
    community = Community.objects.select_for_update().get(pk=request.community.pk)
    before = {**asdict(settings_of(community)), **{n: getattr(community, n) for n in OWN}}
    changed = {name: value for name, value in wanted.items() if before.get(name) != value}
    usual = asdict(DEFAULTS)
    kept = {name: value for name, value in wanted.items() if name not in OWN}
    community.settings = {
        **{name: value for name, value in community.settings.items() if name not in usual},
        **{name: value for name, value in kept.items() if usual[name] != value},
    }
    for name in OWN:
        setattr(community, name, wanted[name])
    community.save(update_fields=["settings", *OWN])
    if changed:
        record("settings_changed", community=community.pk, actor=request.staff.actor,
               data=changed)  # fmt: skip

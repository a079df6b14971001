"""Where the borders of standing lie: a community's own thresholds and levels."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as L_  # noqa: N812 - as short as its use
from django.views.decorators.http import require_http_methods

from qunluo.console.access import StaffRequest, staff_view
from qunluo.console.wording import current_lang
from qunluo.kit.text import Text
from qunluo.standing.actions import do_set_thresholds
from qunluo.standing.queries import thresholds_of
from qunluo.standing.thresholds import Level, Thresholds, WrongThresholdError

DAYS = {
    "new_days": L_("New: days since joining, without an order"),
    "growing_days": L_("Growing: active in so many days"),
    "mature_days": L_("Mature: active in so many days"),
    "silent_days": L_("Silent: no activity for so many days"),
    "lost_days": L_("Lost: no activity for so many days"),
    "familiar_days": L_("Familiar: days in which the exchanges count"),
    "stay_days": L_("Advocate: days that somebody they brought must stay"),
    "grace_days": L_("Days until a lower circle comes"),
    "flag_days": L_("Days that a risk flag is shown"),
    "content_days": L_("Days of talk that the content value counts"),
}
COUNTS = {
    "mature_orders": L_("Mature: orders"),
    "mature_orders_in_circle": L_("Mature: orders, in the core or influence circle"),
    "informed_items": L_("Informed: items read, watched or attended"),
    "familiar_exchanges": L_("Familiar: two-way exchanges"),
    "half_product": L_("Product value 50: points"),
    "half_bringing": L_("Bringing value 50: points"),
    "half_content": L_("Content value 50: points"),
    "half_revenue_minor": L_("Revenue value 50: money spent, in fen or cents"),
}
POINTS = {
    "points_said": L_("Intimacy: points of a message"),
    "points_reacted": L_("Intimacy: points of a reaction"),
    "points_read": L_("Intimacy: points of an item read"),
    "points_watched": L_("Intimacy: points of an item watched"),
    "points_attended": L_("Intimacy: points of a gathering attended"),
    "points_checked_in": L_("Intimacy: points of a check-in"),
    "points_paid": L_("Intimacy: points of an order"),
    "said_a_day": L_("Intimacy: messages of one day that count"),
}
MOST_LEVELS = 12


class ThresholdsForm(forms.Form):
    """The names are those of `standing.thresholds.Thresholds`."""

    levels = forms.CharField(
        label=L_("Levels of intimacy, one a line: points and name"),
        help_text=L_("Such as “60 true fan”. A group can ask for a level."), max_length=1000,
        widget=forms.Textarea({"rows": 4}),
    )  # fmt: skip

    def __init__(self, data: Any = None, **more: Any) -> None:
        super().__init__(data, **more)
        for least, names in ((1, DAYS), (1, COUNTS), (0, POINTS)):
            for name, label in names.items():
                self.fields[name] = forms.IntegerField(
                    label=label, min_value=least, max_value=100_000_000
                )
        self.order_fields([*DAYS, *COUNTS, *POINTS, "levels"])

    def clean_levels(self) -> tuple[Level, ...]:
        lines = [line.split(None, 1) for line in self.cleaned_data["levels"].splitlines()]
        rows = [line for line in lines if line]
        if not all(len(row) == 2 and row[0].isascii() and row[0].isdecimal() for row in rows):
            raise forms.ValidationError(_("Write points, a blank and the name in each line."))
        if len(rows) > MOST_LEVELS or not all(0 < int(row[0]) < 10**8 for row in rows):
            raise forms.ValidationError(_("Give twelve levels at most, from one point on."))
        found = {int(points): name.strip()[:30] for points, name in rows}
        return tuple(Level(Text(name, name), points) for points, name in sorted(found.items()))


def _initial(at: Thresholds) -> dict[str, Any]:
    lang = current_lang()
    names = {name: getattr(at, name) for name in (*DAYS, *COUNTS, *POINTS)}
    return names | {
        "levels": "\n".join(f"{level.points} {level.name(lang)}" for level in at.levels)
    }


def _kept(at: Thresholds, levels: tuple[Level, ...]) -> tuple[Level, ...]:
    """Levels that are as they were keep their names in both languages."""
    lang = current_lang()
    before = {(level.points, level.name(lang)): level for level in at.levels}
    return tuple(before.get((level.points, level.name(lang)), level) for level in levels)


@staff_view("edit_settings")
@require_http_methods(["GET", "HEAD", "POST"])
def thresholds(request: StaffRequest) -> HttpResponse:
    """The borders; everybody is judged by new ones within minutes."""
    at = thresholds_of(request.community)
    form = ThresholdsForm(request.POST or None, initial=_initial(at))
    if form.is_valid():
        given = {**form.cleaned_data, "levels": _kept(at, form.cleaned_data["levels"])}
        try:
            do_set_thresholds(request.community, replace(at, **given), by=request.staff.actor)
        except WrongThresholdError as error:
            name = error.data["name"]
            reason = error.data["reason"](current_lang())
            form.add_error(name if name in form.fields else None, reason)
        else:
            messages.success(request, _("Everybody is judged by it within minutes."))
            return redirect("console:standing")
    context = {"form": form, "title": _("Standing"), "about": request.community.name}
    status = 400 if form.is_bound else 200
    return render(request, "console/shell/form.html", context, status=status)

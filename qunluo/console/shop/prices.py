"""Prices and discounts of a time: what holds, and how to end it."""

from __future__ import annotations

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from qunluo.commerce.models import PriceRule
from qunluo.commerce.offers import RuleForm, do_end_rule, do_make_rule, list_rules
from qunluo.community.queries import settings_of
from qunluo.console.access import StaffRequest, staff_view
from qunluo.console.people.answering import REFUSED, done, found, telling
from qunluo.console.shop.forms import RuleFields
from qunluo.console.wording import current_lang
from qunluo.kit import clock
from qunluo.kit.errors import QunluoError

PAGE = 100


@staff_view("run_shop")
@require_http_methods(["GET", "HEAD", "POST"])
def prices(request: StaffRequest) -> HttpResponse:
    """The rules that hold, and a form for another one."""
    form = RuleFields(request.community, request.POST or None,
                      initial={"starts_at": clock.now()})  # fmt: skip
    if form.is_valid():
        try:
            do_make_rule(request.community, RuleForm(**form.cleaned_data),
                         by=request.staff.actor)  # fmt: skip
        except QunluoError as error:
            form.add_error(None, error.message(current_lang()))
        else:
            return done(request, _("It counts from its beginning on."), "shop:prices")
    context = {
        "rows": list_rules(request.community)[:PAGE], "form": form,
        "currency": settings_of(request.community).currency, "now": clock.now(),
    }  # fmt: skip
    status = REFUSED if form.is_bound else 200
    return render(request, "console/shop/prices.html", context, status=status)


@staff_view("run_shop")
@require_POST
@telling
def end(request: StaffRequest, rule_id: int) -> HttpResponseBase:
    row = found(PriceRule.objects.filter(community=request.community), rule_id)
    do_end_rule(row, by=request.staff.actor)
    return done(
        request, _("It counts no more; orders that are there keep their price."), "shop:prices"
    )

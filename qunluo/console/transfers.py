"""Money that only people see: transfers that arrived, and where members send them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from qunluo.commerce.models import Order
from qunluo.commerce.provider import list_providers
from qunluo.console.access import StaffRequest, staff_view
from qunluo.console.people.answering import REFUSED, done, found, telling
from qunluo.console.wording import current_lang
from qunluo.kit import clock
from qunluo.kit.money import format_money, read_money, to_major
from qunluo.payments.errors import WrongTransferError
from qunluo.payments.offline.actions import (
    REFERENCE,
    do_confirm_transfer,
    do_set_account,
    find_account,
    list_awaited,
    list_confirmed,
)

PAGE = 100
MOMENT = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")


class TransferForm(forms.Form):
    """What stands on the bank's statement; times are the community's."""

    reference = forms.CharField(
        label=gettext_lazy("Reference of the transfer"), max_length=REFERENCE,
        help_text=gettext_lazy("As the statement shows it. One transfer pays one order."),
    )  # fmt: skip
    amount = forms.CharField(label=gettext_lazy("Amount that arrived"), max_length=20)
    at = forms.DateTimeField(
        label=gettext_lazy("When it was sent (optional)"), required=False, widget=MOMENT
    )


class AccountForm(forms.Form):
    words = forms.CharField(
        label=gettext_lazy("Where members send money"), max_length=1000, required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("Holder, bank and number, as members shall read it."),
    )  # fmt: skip


@staff_view("run_shop")
@require_safe
def transfers(request: StaffRequest) -> HttpResponse:
    """What is awaited, what was confirmed."""
    return page(request)


def page(request: StaffRequest, **more: Any) -> HttpResponse:
    lang, account = current_lang(), find_account(request.community)
    awaited = list(list_awaited(request.community)[:PAGE])
    context = {
        "awaited": [(o, format_money(o.total_minor, o.currency, lang), _form(o)) for o in awaited],
        "confirmed": [(p, format_money(p.amount_minor, p.order.currency, lang))
                      for p in list_confirmed(request.community)[:PAGE]],
        "form": AccountForm(initial={"words": account.words if account else ""}),
        "account": account, **more,
        "offered": any(p.capabilities.staff_confirm for p in list_providers()),
    }  # fmt: skip
    status = REFUSED if more else 200
    return render(request, "console/shop/transfers.html", context, status=status)


def _form(order: Order) -> TransferForm:
    amount = to_major(order.total_minor, order.currency)
    return TransferForm(auto_id=f"o{order.pk}_%s", initial={"amount": amount})


@staff_view("run_shop")
@require_POST
@telling
def confirm(request: StaffRequest, order_id: int) -> HttpResponseBase:
    """The money of a transfer is there."""
    order = found(Order.objects.filter(community=request.community, elsewhere=False), order_id)
    form = TransferForm(request.POST)
    if not form.is_valid():
        raise WrongTransferError
    payment = do_confirm_transfer(
        order, reference=form.cleaned_data["reference"], by=request.staff.actor,
        amount_minor=read_money(form.cleaned_data["amount"], order.currency),
        at=_past(form.cleaned_data["at"]),
    )  # fmt: skip
    if payment.verdict == "taken":
        said = _("The order {number} is paid.").format(number=order.number)
    else:
        said = _("It does not pay {number}: wrong amount, too late or twice. Send it back: it "
                 "stands with the orders.").format(number=order.number)  # fmt: skip
    return done(request, said, "console:transfers")


def _past(at: datetime | None) -> datetime | None:
    return min(at, clock.now()) if at else None


@staff_view("edit_settings")
@require_POST
@telling
def account(request: StaffRequest) -> HttpResponseBase:
    """Where members send money; owners only, since it is where money goes."""
    form = AccountForm(request.POST)
    if not form.is_valid():
        return page(request, form=form)
    do_set_account(request.community, form.cleaned_data["words"], by=request.staff.actor)
    return done(
        request, _("Kept: members see it when they pay by transfer."), "console:transfers"
    )

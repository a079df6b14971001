"""The console's pages for programs: tokens, webhooks and what was sent.

The server room puts them behind the console's door; they find the reader's post in the request.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar, cast

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from qunluo.api import actions
from qunluo.api.models import HookCall, Token, Webhook
from qunluo.api.queries import list_calls, list_tokens, list_webhooks
from qunluo.api.rules import FAILING
from qunluo.api.scopes import Scope, list_scopes
from qunluo.community.models import Staff
from qunluo.events.models import Event
from qunluo.kit.errors import QunluoError

PAGE = 50
MOST_KINDS = 60
KIND = re.compile(r"[a-z][a-z0-9_]{0,39}")
MEANINGS: dict[Scope, Any] = {
    "community:read": gettext_lazy("name and settings of the community"),
    "groups:read": gettext_lazy("groups, who is in them, join requests"),
    "groups:write": gettext_lazy("open, change and close groups; let members in and out"),
    "members:read": gettext_lazy("members, their tags, sources and consent"),
    "members:write": gettext_lazy("add, tag, merge and change members"),
    "contact:read": gettext_lazy("phone and e-mail; each look is recorded"),
    "members:export": gettext_lazy("all that is kept of a member"),
    "members:erase": gettext_lazy("erase members; there is no way back"),
    "messages:read": gettext_lazy("what is said in groups"),
    "messages:write": gettext_lazy("speak in groups, recall messages"),
    "moderation:read": gettext_lazy("cases and appeals"),
    "moderation:write": gettext_lazy("decide cases and appeals"),
    "questions:read": gettext_lazy("questions that wait for an answer"),
    "questions:write": gettext_lazy("answer questions"),
    "events:read": gettext_lazy("the record of what happened"),
    "events:write": gettext_lazy("add events of your own, such as an order"),
    "webhooks:read": gettext_lazy("webhooks and what was sent to them"),
    "webhooks:write": gettext_lazy("add, change and remove webhooks"),
    "deliveries:read": gettext_lazy("what goes out by itself, and what came of it"),
    "codes:read": gettext_lazy("channel codes and how many came by them"),
    "codes:write": gettext_lazy("make and switch channel codes"),
    "replies:read": gettext_lazy("auto-replies"),
    "replies:write": gettext_lazy("make and switch auto-replies"),
    "campaigns:read": gettext_lazy("campaigns and their results"),
    "campaigns:write": gettext_lazy("make, publish, pause and stop campaigns"),
    "care:read": gettext_lazy("wishes, incidents, gatherings, testimonies"),
    "care:write": gettext_lazy("answer wishes, open incidents, note exchanges and attendance"),
    "introductions:read": gettext_lazy("who is suggested to whom, and what came of it"),
    "introductions:write": gettext_lazy("ask two members about an introduction, or dismiss it"),
    "shop:read": gettext_lazy("products, stock, prices and orders"),
    "shop:write": gettext_lazy("change products and stock, take and send orders"),
    "refunds:write": gettext_lazy("give money back"),
}
M = TypeVar("M", bound=Model)


class TokenForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("What is the token for?"), max_length=80,
        help_text=gettext_lazy("The program that uses it, such as: web shop."),
        widget=forms.TextInput({"autocomplete": "off"}),
    )  # fmt: skip
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("What may it do?"), widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy(
            "The least that it needs. It never may more than your role does, and nothing any "
            "more once you leave the team."
        ),
    )  # fmt: skip

    def __init__(self, staff: Staff, data: Any = None) -> None:
        super().__init__(data)
        field = cast(forms.MultipleChoiceField, self.fields["scopes"])
        field.choices = [(scope, MEANINGS[scope]) for scope in list_scopes(staff.role)]


class WebhookForm(forms.Form):
    url = forms.CharField(
        label=gettext_lazy("Address"), max_length=400,
        help_text=gettext_lazy("Where your program listens, beginning with https://."),
        widget=forms.TextInput(
            {"inputmode": "url", "autocomplete": "off", "placeholder": "https://"}
        ),
    )  # fmt: skip
    kinds = forms.CharField(
        label=gettext_lazy("Only these events"), max_length=3_000, required=False,
        help_text=gettext_lazy("Their names with spaces between. Empty: all events."),
        widget=forms.TextInput(
            {"autocomplete": "off", "placeholder": "member_joined member_left"}
        ),
    )  # fmt: skip

    def clean_kinds(self) -> list[str]:
        found = re.split(r"[\s,，、;；]+", self.cleaned_data["kinds"].strip())
        kinds = [kind for kind in found if kind]
        wrong = [kind for kind in kinds if not KIND.fullmatch(kind)]
        if wrong:
            raise ValidationError(
                _("“%(kind)s” is no name of an event: small letters, digits and _."),
                params={"kind": wrong[0][:40]},
            )
        if len(kinds) > MOST_KINDS:
            raise ValidationError(_("These are too many. Leave it empty to get all."))
        return kinds


def post_of(request: HttpRequest) -> Staff:
    """The reader's post, which the door of the console left in the request."""
    return cast(Staff, cast(Any, request).staff)


def _find(rows: QuerySet[M], pk: int) -> M:
    return get_object_or_404(rows, pk=pk)


def _try(form: forms.Form, field: str, make: Callable[[], tuple[Any, str]]) -> str | None:
    """The secret of what was made; None where the form says what is wrong."""
    if not form.is_valid():
        return None
    try:
        return make()[1]
    except QunluoError as error:
        form.add_error(field, error.message(get_language() or "en"))
        return None


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def tokens(request: HttpRequest) -> HttpResponse:
    """The tokens, and a form for another; its secret is on the answer to the form alone."""
    staff = post_of(request)
    form = TokenForm(staff, request.POST if request.method == "POST" else None)
    secret = _try(form, "scopes", lambda: actions.do_make_token(staff, **form.cleaned_data))
    context = {
        "form": form if secret is None else TokenForm(staff), "secret": secret,
        "tokens": list_tokens(staff.community), "address": request.build_absolute_uri("/api/v1/"),
        "ticked": [] if secret else request.POST.getlist("scopes"),
    }  # fmt: skip
    status = 400 if form.is_bound and secret is None else 200
    return render(request, "api/tokens.html", context, status=status)


@require_POST
def revoke(request: HttpRequest, token_id: int) -> HttpResponse:
    staff = post_of(request)
    token: Token = _find(list_tokens(staff.community), token_id)
    actions.do_revoke_token(token, by=staff.actor)
    messages.success(request, _("The token opens nothing any more."))
    return redirect("keys:tokens")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def webhooks(request: HttpRequest) -> HttpResponse:
    """The webhooks, and a form for another; its secret is on the answer to the form alone."""
    staff = post_of(request)
    form = WebhookForm(request.POST if request.method == "POST" else None)
    secret = _try(form, "url", lambda: actions.do_make_webhook(
        staff.community, by=staff.actor, **form.cleaned_data))  # fmt: skip
    context = {
        "form": form if secret is None else WebhookForm(), "secret": secret,
        "webhooks": list_webhooks(staff.community), "failing": FAILING(get_language() or "en"),
        "kinds": _kinds(staff.community_id),
    }  # fmt: skip
    status = 400 if form.is_bound and secret is None else 200
    return render(request, "api/webhooks.html", context, status=status)


def _kinds(community_id: int) -> list[str]:
    """Names of events that there were, to choose from."""
    rows = Event.objects.filter(community_id=community_id).order_by("kind")
    return list(rows.values_list("kind", flat=True).distinct())


@require_safe
def webhook(request: HttpRequest, webhook_id: int) -> HttpResponse:
    """The log: what was sent to it, or waits."""
    hook: Webhook = _find(list_webhooks(post_of(request).community), webhook_id)
    page = Paginator(list_calls(hook), PAGE).get_page(request.GET.get("page"))
    context = {"hook": hook, "page": page, "failing": FAILING(get_language() or "en")}
    return render(request, "api/webhook.html", context)


@require_POST
def switch(request: HttpRequest, webhook_id: int) -> HttpResponse:
    """On or off, as the form says; twice is once."""
    staff = post_of(request)
    hook: Webhook = _find(list_webhooks(staff.community), webhook_id)
    on = request.POST.get("on") == "1"
    actions.do_set_webhook(hook, {"active": on}, by=staff.actor)
    messages.success(request, _("The webhook is on.") if on else _("The webhook is off."))
    return redirect("keys:webhook", webhook_id)


@require_POST
def remove(request: HttpRequest, webhook_id: int) -> HttpResponse:
    staff = post_of(request)
    hook: Webhook = _find(list_webhooks(staff.community), webhook_id)
    actions.do_remove_webhook(hook, by=staff.actor)
    messages.success(request, _("The webhook and its log are gone."))
    return redirect("keys:webhooks")


@require_POST
def redeliver(request: HttpRequest, webhook_id: int, call_id: int) -> HttpResponse:
    hook: Webhook = _find(list_webhooks(post_of(request).community), webhook_id)
    call: HookCall = _find(list_calls(hook), call_id)
    actions.do_redeliver(call)
    messages.success(request, _("It is sent again within seconds."))
    return redirect("keys:webhook", webhook_id)

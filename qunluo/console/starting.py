"""The first steps: an owner, a community, a group, and its link to share."""

from __future__ import annotations

import secrets
import sys
from contextlib import suppress
from typing import Any, cast

import segno
from django import forms
from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import DatabaseError, IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from qunluo.community.actions import do_found
from qunluo.community.models import Community, User
from qunluo.console.access import StaffRequest, needs_code, open_view, staff_view
from qunluo.console.asking import list_zones, may_name_paths
from qunluo.console.group_forms import FirstGroupForm
from qunluo.console.limits import may_guess, note_guess
from qunluo.console.sampling import system_lang
from qunluo.console.wording import current_lang
from qunluo.events.marks import do_claim
from qunluo.groups.actions import do_found_group
from qunluo.groups.models import Group
from qunluo.kit.text import Text

FORM = require_http_methods(["GET", "HEAD", "POST"])
ONCE = "first owner"  # a key that can be written once: two visitors can't both become it


def setup_code() -> str:
    """What who starts the server reads there: needed to begin from another computer."""
    return salted_hmac("qunluo.first-owner", "setup").hexdigest()[:12]


TELLING = Text(
    "To begin from another computer you need this setup code: {code}",
    "要从其他电脑开始，需要这个安装码：{code}",
)


def tell_setup_code() -> None:
    """Prints the code where the server was started, as long as there is no owner."""
    with suppress(DatabaseError):  # a database that isn't there yet is told of elsewhere
        if not settings.QUNLUO.is_local and not User.objects.exists():
            words = TELLING(system_lang()).format(code=setup_code())
            print(words, file=sys.stderr, flush=True)


def needs_setup_code(request: HttpRequest) -> bool:
    return not may_name_paths(request, settings.QUNLUO)


@open_view("everybody: it only sends them on to where they may go")
@never_cache
@require_safe
def landing(request: HttpRequest) -> HttpResponse:
    if not User.objects.exists() or not Community.objects.exists():
        return redirect("console:start")
    return redirect("console:home" if request.user.is_authenticated else "console:sign_in")


class OwnerForm(forms.Form):
    name = forms.CharField(
        label=_("Name to sign in with"), max_length=150,
        help_text=_("You type it each time you sign in. Members don't see it."),
        widget=forms.TextInput({"autocomplete": "username"}),
    )  # fmt: skip
    password = forms.CharField(
        label=_("Password"), max_length=200, strip=False,
        help_text=_("12 characters or more. A sentence that only you know is good."),
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )  # fmt: skip
    setup = forms.CharField(
        label=_("Setup code"), max_length=40,
        help_text=_("Qunluo prints it where it was started: it shows that the server is yours."),
        widget=forms.TextInput({"autocomplete": "off"}),
    )  # fmt: skip

    def __init__(self, *given: Any, asks_code: bool, **more: Any) -> None:
        super().__init__(*given, **more)
        if not asks_code:
            del self.fields["setup"]

    def clean(self) -> dict[str, Any]:
        cleaned = cast(dict[str, Any], super().clean())
        try:
            User.username_validator(cleaned.get("name", ""))
        except ValidationError as error:
            self.add_error("name", error)
        if "password" in cleaned:
            try:
                validate_password(cleaned["password"], User(username=cleaned.get("name", "")))
            except ValidationError as error:
                self.add_error("password", error)
        return cleaned

    def clean_setup(self) -> str:
        typed: str = self.cleaned_data["setup"].strip().lower()
        if not secrets.compare_digest(typed.encode(), setup_code().encode()):
            raise ValidationError(_("That isn't the code that was printed."))
        return typed


class CommunityForm(forms.Form):
    name = forms.CharField(
        label=_("Name of the community"), max_length=80,
        help_text=_("Members see it when they join."),
    )  # fmt: skip
    zone = forms.ChoiceField(
        label=_("Time zone"), initial="Asia/Shanghai",
        help_text=_("Where most members live: quiet hours and days are counted there."),
    )  # fmt: skip
    lang = forms.ChoiceField(
        label=_("Language of the community"), choices=settings.LANGUAGES,
        help_text=_("Welcomes and reminders are written in it."),
    )  # fmt: skip

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        cast(forms.ChoiceField, self.fields["zone"]).choices = [(z, z) for z in list_zones()]


@open_view(
    "who starts an empty installation: from its computer, or with the code printed there"
)
@sensitive_post_parameters("password", "setup")
@never_cache
@FORM
def start(request: HttpRequest) -> HttpResponse:
    """The step that is next; closed for good once there is an owner and a community."""
    if not User.objects.exists():
        return _owner(request)
    if request.user.is_anonymous:
        return redirect("console:sign_in")
    if needs_code(request):
        return redirect("console:code")
    if not Community.objects.exists():
        return _community(request)
    return redirect("console:first_group")


def _owner(request: HttpRequest) -> HttpResponse:
    asks = needs_setup_code(request)
    form = OwnerForm(request.POST or None, asks_code=asks)
    if asks and request.method == "POST" and not may_guess(request, ONCE):
        return _step(request, "owner", form, status=429)
    if not form.is_valid():
        if "setup" in form.errors:
            note_guess(request, ONCE)
        return _step(request, "owner", form)
    user = _make_owner(form.cleaned_data["name"], form.cleaned_data["password"])
    if user is not None:
        login(request, user)
    return redirect("console:start")


def _make_owner(name: str, password: str) -> User | None:
    """The first user; None where another request was faster."""
    try:
        with transaction.atomic():
            do_claim(ONCE)
            if User.objects.exists():
                return None
            return User.objects.create_user(username=name, password=password)
    except IntegrityError:
        return None


def _community(request: HttpRequest) -> HttpResponse:
    lang = "zh-hans" if current_lang() == "zh" else "en"
    form = CommunityForm(request.POST or None, initial={"lang": lang})
    if not form.is_valid():
        return _step(request, "community", form)
    wanted = form.cleaned_data
    try:
        with transaction.atomic():
            do_claim("first community")
            do_found(wanted["name"], cast(User, request.user), zone=wanted["zone"],
                     lang=wanted["lang"])  # fmt: skip
    except IntegrityError:
        pass  # made in another tab just now
    return redirect("console:first_group")


@staff_view("run_groups")
@never_cache
@FORM
def first_group(request: StaffRequest) -> HttpResponse:
    """The first group; with one there, its link and QR code to share."""
    group = Group.objects.filter(community=request.community).order_by("id").first()
    if group is not None:
        return render(
            request, "console/start_done.html", {"group": group, **share(request, group)}
        )
    form = FirstGroupForm(request.POST or None)
    if not form.is_valid():
        return _step(request, "group", form)
    with transaction.atomic():
        Community.objects.select_for_update().get(pk=request.community.pk)  # one tab at a time
        if not Group.objects.filter(community=request.community).exists():
            do_found_group(request.community, by=request.staff.actor, **form.cleaned_data)
    return redirect("console:first_group")


def share(request: HttpRequest, group: Group) -> dict[str, str]:
    """A group's join link and its QR code as a picture."""
    link = request.build_absolute_uri(f"/j/{group.code}")
    return {
        "link": link,
        "qr": segno.make(link, error="m").svg_data_uri(scale=5, border=3, light="#fff"),
    }


STEPS = {
    "owner": (
        _("Make the owner's account"),
        _("Everything in Qunluo belongs to somebody. The owner decides who else may work here, "
          "and is the only one who may export or erase members' data."),
    ),
    "community": (
        _("Name your community"),
        _("A community is everything around your brand or store: all its groups share members, "
          "tags, settings and the record."),
    ),
    "group": (
        _("Open the first group"),
        _("A group without a purpose falls silent. Say what it is for and what it gives: "
          "newcomers are welcomed with these words."),
    ),
}  # fmt: skip


def _step(request: HttpRequest, name: str, form: forms.Form, status: int = 200) -> HttpResponse:
    title, why = STEPS[name]
    context = {
        "form": form, "step": [*STEPS].index(name) + 1, "steps": len(STEPS), "title": title, "why": why,
    }  # fmt: skip
    bad = 400 if form.is_bound and status == 200 else status
    return render(request, "console/start.html", context, status=bad)

"""Who works for the community, and in which role."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST
from django_otp.plugins.otp_totp.models import TOTPDevice

from qunluo.community.actions import do_appoint
from qunluo.community.models import Community, Staff, User
from qunluo.community.rules import ROLES, Role
from qunluo.console.access import StaffRequest, staff_view
from qunluo.events.actions import record

NAMES = {
    "owner": gettext_lazy("Owner"), "operator": gettext_lazy("Operator"),
    "moderator": gettext_lazy("Moderator"), "analyst": gettext_lazy("Analyst"),
    "store_staff": gettext_lazy("Store staff"),
}  # fmt: skip
MEANINGS = {
    "owner": gettext_lazy("Everything, also staff, settings, export and erasure."),
    "operator": gettext_lazy("Runs groups and members; sees insight and the record."),
    "moderator": gettext_lazy("Speaks, answers and decides cases."),
    "analyst": gettext_lazy("Sees groups, members and figures; changes nothing."),
    "store_staff": gettext_lazy("Speaks and answers."),
}


class StaffForm(forms.Form):
    """Somebody new: their account is made, or the one that exists gets the role."""

    username = forms.CharField(
        label=gettext_lazy("Name to sign in with"), max_length=150,
        help_text=gettext_lazy("Tell it to them; they type it when they sign in."),
        widget=forms.TextInput({"autocomplete": "off"}),
    )  # fmt: skip
    shown = forms.CharField(
        label=gettext_lazy("Name that members see"), max_length=60, required=False,
        help_text=gettext_lazy("Beside their messages, labelled as staff."),
    )  # fmt: skip
    role = forms.ChoiceField(
        label=gettext_lazy("Role"), choices=[(role, NAMES[role]) for role in ROLES],
        initial="moderator", help_text=gettext_lazy("The least that their work needs."),
    )  # fmt: skip
    password = forms.CharField(
        label=gettext_lazy("First password"), max_length=200, strip=False,
        help_text=gettext_lazy("12 characters or more. They change it under Account."),
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )  # fmt: skip

    def clean_username(self) -> str:
        name: str = self.cleaned_data["username"].strip()
        User.username_validator(name)
        if User.objects.filter(username__iexact=name).exists():
            raise ValidationError(_("This name is taken. Choose another one."))
        return name

    def clean(self) -> dict[str, Any]:
        cleaned = cast(dict[str, Any], super().clean())
        if "password" in cleaned:
            try:
                validate_password(
                    cleaned["password"], User(username=cleaned.get("username", ""))
                )
            except ValidationError as error:
                self.add_error("password", error)
        return cleaned


@staff_view("manage_staff")
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def staff(request: StaffRequest) -> HttpResponse:
    form = StaffForm(request.POST or None)
    if form.is_valid():
        try:
            _hire(request, form.cleaned_data)
        except IntegrityError:
            form.add_error("username", _("This name is taken. Choose another one."))
        else:
            messages.success(request, _("They can sign in now."))
            return redirect("console:staff")
    context = {
        "form": form, "rows": _rows(request.community), "roles": NAMES.items(),
        "meanings": [(NAMES[role], MEANINGS[role]) for role in ROLES],
    }  # fmt: skip
    status = 400 if form.is_bound else 200
    return render(request, "console/shell/staff.html", context, status=status)


def _rows(community: Community) -> list[dict[str, Any]]:
    posts = list(
        Staff.objects.filter(community=community).select_related("user").order_by("id")
    )
    devices = TOTPDevice.objects.filter(user__in=[p.user_id for p in posts], confirmed=True)
    safe = set(devices.values_list("user_id", flat=True))
    return [{"post": p, "role": NAMES[p.role], "two_factor": p.user_id in safe} for p in posts]


@transaction.atomic
def _hire(request: StaffRequest, wanted: dict[str, Any]) -> None:
    user = User.objects.create_user(username=wanted["username"], password=wanted["password"])
    post = do_appoint(request.community, user, wanted["role"], by=request.staff.actor)
    post.name = wanted["shown"]
    post.save(update_fields=["name"])


@staff_view("manage_staff")
@require_POST
def change(request: StaffRequest, staff_id: int) -> HttpResponse:
    """Another role, or none any more; the last owner stays one."""
    wanted = request.POST.get("role", "")
    if wanted not in (*ROLES, "none"):
        raise Http404
    with transaction.atomic():
        Community.objects.select_for_update().get(pk=request.community.pk)
        posts = Staff.objects.filter(community=request.community).select_related("user")
        post = posts.filter(pk=staff_id).first()
        if post is None:
            raise Http404
        if (
            post.role == "owner"
            and posts.filter(role="owner").count() == 1
            and wanted != "owner"
        ):
            messages.error(
                request, _("A community needs an owner. Make somebody else one first.")
            )
            return redirect("console:staff")
        _apply(request, post, wanted)
    messages.success(request, _("The change holds from now on."))
    return redirect("console:staff")


def _apply(request: StaffRequest, post: Staff, wanted: str) -> None:
    if wanted != "none":
        do_appoint(request.community, post.user, cast(Role, wanted), by=request.staff.actor)
        return
    record("staff_dismissed", community=request.community.pk, actor=request.staff.actor,
           data={"user": post.user_id, "role": post.role})  # fmt: skip
    post.delete()

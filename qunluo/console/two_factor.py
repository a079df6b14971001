"""The reader's own account: name, password, and the second factor."""

from __future__ import annotations

import secrets
from base64 import b32encode
from typing import Any, cast

import segno
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.forms import PasswordChangeForm
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods
from django_otp import login as otp_login
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from qunluo.community.models import User
from qunluo.console.access import needs_code, open_view
from qunluo.console.limits import may_guess, note_guess

BACKUP_CODES = 10
FORM = require_http_methods(["GET", "HEAD", "POST"])
MINE = "who is signed in with every factor they have: their own account"


def _first(request: HttpRequest) -> HttpResponse | None:
    """Where to go before the own account can be changed."""
    if not request.user.is_authenticated:
        return redirect("console:sign_in")
    return redirect("console:code") if needs_code(request) else None


@open_view(MINE)
@sensitive_post_parameters()
@never_cache
@FORM
def account(request: HttpRequest) -> HttpResponse:
    """The password, and whether there is a second factor."""
    if first := _first(request):
        return first
    user = cast(User, request.user)
    form = PasswordChangeForm(user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        form.save()
        update_session_auth_hash(request, user)
        messages.success(request, _("Your password is changed. Other sessions are signed out."))
        return redirect("console:account")
    on = TOTPDevice.objects.filter(user=user, confirmed=True).exists()
    left = StaticToken.objects.filter(device__user=user).count()
    context = {"form": form, "on": on, "left": left}
    return render(request, "console/account.html", context)


@open_view(MINE)
@sensitive_post_parameters()
@never_cache
@FORM
def set_up(request: HttpRequest) -> HttpResponse:
    """Shows the QR code for an authenticator app; the first right code switches it on."""
    if first := _first(request):
        return first
    user = cast(User, request.user)
    if TOTPDevice.objects.filter(user=user, confirmed=True).exists():
        return redirect("console:account")
    device, _made = TOTPDevice.objects.get_or_create(user=user, confirmed=False,
                                                     defaults={"name": "app"})  # fmt: skip
    if request.method != "POST":
        return _show(request, device)
    typed = "".join(request.POST.get("code", "").split())
    if not typed.isascii() or not typed.isdecimal() or not device.verify_token(typed):
        wrong = _("That code doesn't fit. Type the six digits that the app shows now.")
        return _show(request, device, error=wrong)
    codes = _switch_on(device)
    otp_login(request, device)
    return render(request, "console/backup_codes.html", {"codes": codes})


def _show(request: HttpRequest, device: TOTPDevice, **more: Any) -> HttpResponse:
    picture = segno.make(device.config_url, error="m").svg_data_uri(
        scale=5, border=3, light="#fff"
    )
    secret = b32encode(device.bin_key).decode().rstrip("=")
    context = {"qr": picture, "secret": secret, **more}
    return render(request, "console/two_factor.html", context, status=400 if more else 200)


@transaction.atomic
def _switch_on(device: TOTPDevice) -> list[str]:
    """Confirms the device and makes fresh backup codes, shown this once."""
    device.confirmed = True
    device.save()
    StaticDevice.objects.filter(user=device.user).delete()
    backup = StaticDevice.objects.create(user=device.user, name="backup", confirmed=True)
    codes = [f"c{secrets.token_hex(5)}" for _n in range(BACKUP_CODES)]
    StaticToken.objects.bulk_create(StaticToken(device=backup, token=code) for code in codes)
    return codes


@open_view(MINE)
@sensitive_post_parameters()
@never_cache
@require_http_methods(["POST"])
def switch_off(request: HttpRequest) -> HttpResponse:
    """Takes the second factor away; the password is asked for once more."""
    if first := _first(request):
        return first
    user, name = cast(User, request.user), f"off {request.user.pk}"
    if not may_guess(request, name) or not user.check_password(
        request.POST.get("password", "")
    ):
        note_guess(request, name)
        messages.error(request, _("The password isn't right. The second factor stays on."))
        return redirect("console:account")
    with transaction.atomic():
        TOTPDevice.objects.filter(user=user).delete()
        StaticDevice.objects.filter(user=user).delete()
    messages.success(request, _("The second factor is off."))
    return redirect("console:account")

"""Signing in and out, the second factor, and the choice of a community."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import authenticate, login, logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST
from django_otp import devices_for_user
from django_otp import login as otp_login
from django_otp.plugins.otp_totp.models import TOTPDevice

from qunluo.community.queries import list_posts
from qunluo.console.access import CHOSEN, needs_code, open_view
from qunluo.console.limits import forget_guesses, may_guess, note_guess

FORM = require_http_methods(["GET", "HEAD", "POST"])
LONGEST = 200


def next_page(request: HttpRequest) -> str:
    """Where the reader wanted to go, where it is one of ours; else the console's first page."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, request.is_secure())
    return wanted if ours and wanted.startswith("/") else reverse("console:home")


@open_view("everybody: it asks for the password; guesses are limited")
@sensitive_post_parameters("password")
@never_cache
@FORM
def sign_in(request: HttpRequest) -> HttpResponse:
    """The same answer for a name that is unknown, a wrong password and a closed account."""
    if request.user.is_authenticated and request.method != "POST":
        return redirect(next_page(request))
    if request.method != "POST":
        return _ask(request, "sign_in")
    name = request.POST.get("username", "")[:LONGEST]
    if not may_guess(request, name):
        wait = _("Too many tries. Wait a quarter of an hour, then try again.")
        return _ask(request, "sign_in", 429, error=wait, name=name)
    password = request.POST.get("password", "")[:LONGEST]
    user = authenticate(request, username=name, password=password)
    if user is None:
        note_guess(request, name)
        wrong = _("The name and the password don't belong together. Check both and try again.")
        return _ask(request, "sign_in", 403, error=wrong, name=name)
    forget_guesses(request, name)
    login(request, user)
    return redirect(next_page(request))


def _ask(request: HttpRequest, page: str, status: int = 200, **more: Any) -> HttpResponse:
    context = {"next": request.POST.get("next") or request.GET.get("next", ""), **more}
    return render(request, f"console/{page}.html", context, status=status)


@open_view(
    "who has given the right password: it asks for the second factor; guesses are limited"
)
@never_cache
@FORM
def code(request: HttpRequest) -> HttpResponse:
    """The second step: six digits of the app, or one of the backup codes, once."""
    if not request.user.is_authenticated:
        return redirect("console:sign_in")
    if not needs_code(request):
        return redirect(next_page(request))
    if request.method != "POST":
        return _ask(request, "code")
    name = f"code {request.user.pk}"
    if not may_guess(request, name):
        wait = _("Too many tries. Wait a quarter of an hour, then try again.")
        return _ask(request, "code", 429, error=wait)
    if not _passes(request, request.POST.get("code", "")):
        note_guess(request, name)
        wrong = _("That code doesn't fit, or it was used already. Type the one shown now.")
        return _ask(request, "code", 403, error=wrong)
    forget_guesses(request, name)
    return redirect(next_page(request))


def _passes(request: HttpRequest, typed: str) -> bool:
    """Whether a device of the reader takes the code; then the session knows it."""
    plain = "".join(typed.split()).lower()[:LONGEST]
    for device in devices_for_user(request.user, for_verify=True):
        if isinstance(device, TOTPDevice) and not plain.isdecimal():
            continue  # a backup code must not count as a wrong guess of the app's
        if device.verify_is_allowed()[0] and device.verify_token(plain):
            otp_login(request, device)
            return True
    return False


@open_view("who is signed in: it ends the session")
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return redirect("console:sign_in")


@open_view("who is signed in: it shows only the communities they work for")
@never_cache
@FORM
def choose(request: HttpRequest) -> HttpResponse:
    """Which community to look at, where one works for several."""
    if not request.user.is_authenticated or needs_code(request):
        return redirect("console:sign_in" if request.user.is_anonymous else "console:code")
    posts = list(list_posts(request.user))
    wanted = request.POST.get("community", "")
    for post in posts:
        if str(post.community_id) == wanted:
            request.session[CHOSEN] = post.community_id
            return redirect("console:home")
    return render(request, "console/choose.html", {"posts": posts})

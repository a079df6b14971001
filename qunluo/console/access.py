"""The one door of the console: who asks, in which community, and whether their role may."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast
from zoneinfo import ZoneInfo

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django_otp import user_has_device

from qunluo.community.models import Community, Staff, User
from qunluo.community.queries import access, list_posts, settings_of
from qunluo.community.rules import NoCommunityError, NotAllowedError, Permission
from qunluo.console.wording import current_lang
from qunluo.kit.errors import QunluoError

CHOSEN = "community"
P = ParamSpec("P")


class StaffRequest(HttpRequest):
    """A request that passed the door: the reader's post, and the community they look at."""

    staff: Staff
    community: Community


View = Callable[Concatenate[StaffRequest, P], HttpResponseBase]
Guarded = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def staff_view(permission: Permission) -> Callable[[View[P]], Guarded[P]]:
    """Registers a page of the console: only a role with `permission` gets in.

    The view finds `request.staff` and `request.community`, and the community's time zone in
    force. The permission stays on the view, so that a test can walk all addresses.
    """

    def decorate(view: View[P]) -> Guarded[P]:
        @wraps(view)
        def guarded(request: HttpRequest, *args: P.args, **named: P.kwargs) -> HttpResponseBase:
            try:
                found = _enter(request, permission)
            except QunluoError as error:
                return _refuse(request, error)
            if isinstance(found, HttpResponse):
                return found
            asking = cast(StaffRequest, request)
            asking.staff, asking.community = found, found.community
            with timezone.override(ZoneInfo(found.community.zone)):
                return view(asking, *args, **named)

        cast(Any, guarded).permission = permission
        return cast(Guarded[P], guarded)

    return decorate


def open_view(
    to: str,
) -> Callable[[Callable[P, HttpResponseBase]], Callable[P, HttpResponseBase]]:
    """Registers an address that no role guards; `to` says who it is for and what guards it."""

    def decorate(view: Callable[P, HttpResponseBase]) -> Callable[P, HttpResponseBase]:
        cast(Any, view).open_to = to
        return view

    return decorate


def _enter(request: HttpRequest, permission: Permission) -> Staff | HttpResponse:
    """The reader's post, or where they have to go first."""
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path(), reverse("console:sign_in"))
    user = request.user
    if needs_code(request):
        return redirect_to_login(request.get_full_path(), reverse("console:code"))
    chosen = find_community(request, user)
    if chosen is None:
        return redirect("console:choose")
    post = access(user, chosen, permission)
    if settings_of(post.community).two_factor and not user_has_device(user):
        return redirect("console:two_factor")
    return post


def needs_code(request: HttpRequest) -> bool:
    """Whether the second factor is set up and not yet shown in this session."""
    verified: bool = request.user.is_verified()  # type: ignore[union-attr]
    return not verified and user_has_device(request.user)


def find_community(request: HttpRequest, user: User) -> int | None:
    """The community in the session, else the only one; None where there is a choice. Raises
    `NoCommunityError` where there is none."""
    mine = list(list_posts(user).values_list("community_id", flat=True))
    if not mine:
        raise NoCommunityError
    kept = request.session.get(CHOSEN)
    if kept in mine:
        return cast(int, kept)
    return mine[0] if len(mine) == 1 else None


def _refuse(request: HttpRequest, error: QunluoError) -> HttpResponse:
    sentence = error.message(current_lang())
    status = 403 if isinstance(error, NotAllowedError) else 404
    if request.headers.get("Accept", "").startswith("application/json"):
        return JsonResponse({"error": sentence, "code": error.code}, status=status)
    context = {"title": _("You can't go there"), "advice": sentence}
    return render(request, "console/told.html", context, status=status)

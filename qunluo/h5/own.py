"""What every page of one member needs: who it is, and a refusal in words."""

from __future__ import annotations

import functools
from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from qunluo.channels.web.sessions import list_members_of, session_of
from qunluo.h5.pages import STATUSES, lang, told
from qunluo.kit.errors import QunluoError
from qunluo.members.models import Member

View = Callable[..., HttpResponse]


def find_own(request: HttpRequest, member_id: int) -> Member:
    """The visitor as a member; raises `Http404` for somebody else's number."""
    found = list_members_of(session_of(request)).filter(pk=member_id).first()
    if found is None:
        raise Http404
    return found


def in_sentences(view: View) -> View:
    """A view whose refusals are a page that says what to do next."""

    @functools.wraps(view)
    def answered(request: HttpRequest, *given: object, **named: object) -> HttpResponse:
        try:
            return view(request, *given, **named)
        except QunluoError as error:
            status = STATUSES.get(error.code, 400)
            return told(request, _("That did not work"), error.message(lang()), status, me=True)

    return answered

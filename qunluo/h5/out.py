"""What somebody sees of a group who is not in it: removed, banned, waiting, refused."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from qunluo.channels.web.sessions import list_members_of, session_of
from qunluo.groups.models import Case, Group, JoinRequest, Membership
from qunluo.groups.moderation import do_appeal
from qunluo.groups.queries import find_ban, list_cases_of
from qunluo.h5.errors import GoneMessageError, NothingSaidError
from qunluo.h5.limits import limit
from qunluo.h5.pages import lang, page, several_lines, told
from qunluo.kit.errors import QunluoError
from qunluo.members.models import Member

APPEAL_LENGTH = 1_000


def outside(request: HttpRequest, group: Group, member: Member | None) -> HttpResponse:
    """The page of a group for somebody who is not in it; a stranger goes to its door."""
    if member is None:
        return redirect("h5:join", group.code)
    last = Membership.objects.filter(group=group, member=member).order_by("-id").first()
    ban = find_ban(group.community, member)
    if ban is not None or (last is not None and last.left_why == "removed"):
        context = {
            "group": group,
            "ban": ban,
            "member": member,
            "cases": list_open_cases(member),
        }
        return page(request, "out.html", context)
    asked = JoinRequest.objects.filter(group=group, member=member).order_by("-id").first()
    if asked is not None and asked.state == "waiting":
        return page(request, "waiting.html", {"group": group, "asked": asked})
    if asked is not None and asked.state == "refused":
        words = _("The team of “%(group)s” did not let you in this time.") % {
            "group": group.name
        }
        return told(request, _("Your request was answered"), words)
    return redirect("h5:join", group.code)


def list_open_cases(member: Member) -> list[Case]:
    """What was done to a member and may be appealed, or is being looked at."""
    return list(list_cases_of(member).exclude(state="undone").select_related("group")[:20])


@require_POST
def appeal(request: HttpRequest, case_id: int) -> HttpResponse:
    """A member says why an act against them was wrong."""
    mine = list_members_of(session_of(request))
    case = Case.objects.filter(pk=case_id, member__in=mine).select_related("member").first()
    try:
        if case is None:
            raise GoneMessageError
        limit(request, "appeal", case.member_id)
        text = several_lines(request.POST.get("text"))[:APPEAL_LENGTH]
        if not text:
            raise NothingSaidError
        do_appeal(case, text, member=case.member)
    except QunluoError as error:
        return told(request, _("That did not work"), error.message(lang()), 400, back=True)
    words = _("A person looks at it and decides. You see the answer on your page.")
    return told(request, _("Your appeal has arrived"), words, me=True)

"""One search over members, groups and messages."""

from __future__ import annotations

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from qunluo.community.rules import may
from qunluo.console.access import StaffRequest, staff_view
from qunluo.groups.models import Group
from qunluo.kit.grams import wanted
from qunluo.members.queries import search_members
from qunluo.messaging.queries import search_messages

MOST = 20
LONGEST = 100


@staff_view("see_home")
@require_safe
def search(request: StaffRequest) -> HttpResponse:
    """What the words are found in; each kind only for those who may see it."""
    text, role = request.GET.get("q", "").strip()[:LONGEST], request.staff.role
    groups = Group.objects.filter(community=request.community).order_by("name")
    for word in text.split():
        groups = groups.filter(Q(name__icontains=word) | Q(purpose__icontains=word))
    context = {
        "found_for": text, "words": [text, *wanted(text)],
        "members": search_members(request.community, text, limit=MOST)
        if text and may(role, "see_members") else [],
        "groups": groups[:MOST] if text and may(role, "see_groups") else [],
        "messages_found": search_messages(request.community, text, limit=MOST)
        if text and may(role, "see_room") else [],
    }  # fmt: skip
    return render(request, "console/people/search.html", context)

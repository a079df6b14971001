"""The pages: what segments there are, one of them, and its form with the answer beside it."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from qunluo.community.models import Community
from qunluo.console.access import StaffRequest, staff_view
from qunluo.console.people.answering import REFUSED, done, found, telling
from qunluo.console.segments.drafts import (
    KINDS,
    Box,
    Place,
    Row,
    act_on,
    as_draft,
    as_tree,
    draw,
    read_draft,
)
from qunluo.console.wording import current_lang
from qunluo.groups.models import Group
from qunluo.kit.errors import QunluoError
from qunluo.segments.actions import do_change, do_delete, do_make
from qunluo.segments.counting import count
from qunluo.segments.models import Segment
from qunluo.segments.queries import (
    describe,
    list_segments,
    list_uses,
    load_vocabulary,
    sample,
)
from qunluo.segments.rules import InSegment, Vocabulary, check
from qunluo.segments.sentences import sentence

SHOWN = 5


@staff_view("see_members")
@require_safe
def segments(request: StaffRequest) -> HttpResponse:
    """Every segment as a sentence; how many are in it comes when the page is there."""
    words, lang = load_vocabulary(request.community), current_lang()
    rows = [(row, describe(row, words)(lang)) for row in list_segments(request.community)]
    return render(request, "console/segments/list.html", {"rows": rows})


@staff_view("see_members")
@require_safe
def segment(request: StaffRequest, segment_id: int) -> HttpResponse:
    """One segment: who is meant, how many, some of them, and what uses it."""
    row = found(list_segments(request.community), segment_id)
    words, lang = load_vocabulary(request.community), current_lang()
    return render(request, "console/segments/one.html", {
        "segment": row, "sentence": describe(row, words)(lang),
        "uses": [(use.what(lang), use.name) for use in list_uses(row, words)],
        **_answer(request.community, InSegment(row.pk), words),
    })  # fmt: skip


@staff_view("see_members")
@require_safe
def count_of(request: StaffRequest, segment_id: int) -> HttpResponse:
    """How many are in it, for the list."""
    row = found(list_segments(request.community), segment_id)
    counted = count(request.community, InSegment(row.pk))
    return render(request, "console/segments/count.html", {"counted": counted})


def _answer(community: Community, node: Any, words: Vocabulary) -> dict[str, Any]:
    return {"counted": count(community, node, words),
            "sample": sample(community, node, SHOWN, words)}  # fmt: skip


@staff_view("edit_members")
@require_safe
def new(request: StaffRequest) -> HttpResponse:
    return _form(request, Box(parts=[Row("tag")]))


@staff_view("edit_members")
@require_safe
def edit(request: StaffRequest, segment_id: int) -> HttpResponse:
    row = found(list_segments(request.community), segment_id)
    draft = as_draft(row.tree, load_vocabulary(request.community))
    return _form(request, draft, row, name=row.name)


def _form(
    request: StaffRequest,
    draft: Box,
    row: Segment | None = None,
    *,
    name: str = "",
    wrong: str = "",
) -> HttpResponse:
    context = _editor(request, draft, row) | {"segment": row, "name": name, "wrong": wrong}
    return render(
        request, "console/segments/edit.html", context, status=REFUSED if wrong else 200
    )


def _editor(request: StaffRequest, draft: Box, row: Segment | None) -> dict[str, Any]:
    words = load_vocabulary(request.community)
    return {"root": draw(draft, words, _places(request.community)), "kinds": KINDS,
            **_panel(request, draft, words, row)}  # fmt: skip


def _places(community: Community) -> list[Place]:
    """Groups that lie somewhere, and stores that gates name."""
    rows = Group.objects.filter(community=community).exclude(state="dissolved").order_by("name")
    found_: dict[str, Place] = {}
    for group in rows:
        gate = group.gate if group.gate.get("kind") == "near" else {}
        lat, lon = gate.get("lat", group.lat), gate.get("lon", group.lon)
        if lat is not None and lon is not None:
            name = str(gate.get("store") or group.name).replace("|", " ")[:80]
            found_.setdefault(name, Place(name, lat, lon))
    return list(found_.values())


def _panel(
    request: StaffRequest, draft: Box, words: Vocabulary, row: Segment | None
) -> dict[str, Any]:
    """The draft as a sentence with its answer, or what it lacks yet."""
    try:
        node = check(as_tree(draft), words, own=row.pk if row else None)
    except QunluoError as error:
        return {"lacks": error.message(current_lang())}
    said = sentence(node, words)(current_lang())
    return {"sentence": said, **_answer(request.community, node, words)}


@staff_view("edit_members")
@require_POST
def editor(request: StaffRequest) -> HttpResponse:
    """The form after a button or a choice: another row, a group, one less, other inputs."""
    draft = read_draft(request.POST)
    act_on(draft, request.POST.get("act", ""))
    row = _own(request)
    if request.headers.get("HX-Request") != "true":
        return _form(request, draft, row, name=request.POST.get("name", "")[:80])
    return render(request, "console/segments/editor.html", _editor(request, draft, row))


@staff_view("edit_members")
@require_POST
def panel(request: StaffRequest) -> HttpResponse:
    """The answer while one types."""
    words = load_vocabulary(request.community)
    context = _panel(request, read_draft(request.POST), words, _own(request))
    return render(request, "console/segments/panel.html", context)


def _own(request: StaffRequest) -> Segment | None:
    text = request.POST.get("own", "")
    return found(list_segments(request.community), text) if text else None


@staff_view("edit_members")
@require_POST
def save(request: StaffRequest) -> HttpResponse:
    """Keeps what the form says; a refusal comes back with the form as it was typed."""
    draft, name, row = (
        read_draft(request.POST),
        request.POST.get("name", "")[:200],
        _own(request),
    )
    by = request.staff.actor
    try:
        if row is None:
            kept = do_make(request.community, name=name, tree=as_tree(draft), by=by)
        else:
            kept = do_change(row, name=name, tree=as_tree(draft), by=by)
    except QunluoError as error:
        return _form(request, draft, row, name=name, wrong=error.message(current_lang()))
    return done(request, _("The segment is kept."), "segments:one", kept.pk)


@staff_view("edit_members")
@require_POST
@telling
def delete(request: StaffRequest, segment_id: int) -> HttpResponseBase:
    row = found(list_segments(request.community), segment_id)
    do_delete(row, by=request.staff.actor)
    return done(request, _("The segment is deleted."), "segments:all")

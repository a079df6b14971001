"""Questions that nobody has answered yet, with their timers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from qunluo.community.models import Staff
from qunluo.console.access import StaffRequest, staff_view
from qunluo.console.people.answering import REFUSED, done, found, telling
from qunluo.events.actions import record
from qunluo.kit import clock
from qunluo.messaging.actions import do_answer, do_dismiss
from qunluo.messaging.models import Question
from qunluo.messaging.queries import count_answered, list_questions

PAGE = 100
WINDOW_DAYS = 30
LONGEST = 2_000


@staff_view("answer")
@require_safe
def inbox(request: StaffRequest) -> HttpResponse:
    """What waits, the most urgent first; all of it, or what is assigned to the reader."""
    return page(request)


def page(request: StaffRequest, **more: Any) -> HttpResponse:
    rows = list_questions(request.community)
    mine = request.GET.get("show") == "mine"
    if mine:
        rows = rows.filter(staff_id=request.staff.pk)
    posts = {post.pk: post for post in Staff.objects.filter(community=request.community)}
    questions = list(rows[: PAGE + 1])
    since = clock.now() - timedelta(days=WINDOW_DAYS)
    context = {
        "rows": [(question, posts.get(question.staff_id or 0)) for question in questions[:PAGE]],
        "too_many": len(questions) > PAGE, "now": clock.now(), "mine": mine,
        "share": count_answered(request.community, since=since), "window": WINDOW_DAYS,
        "on_duty": [post for post in posts.values() if post.on_duty], "me": request.staff,
        "longest": LONGEST, **more,
    }  # fmt: skip
    return render(
        request, "console/people/inbox.html", context, status=REFUSED if more else 200
    )


def _find(request: StaffRequest, question_id: int) -> Question:
    rows = Question.objects.filter(community=request.community)
    return found(rows.select_related("message__group__community", "member"), question_id)


@staff_view("answer")
@require_POST
@telling
def answer(request: StaffRequest, question_id: int) -> HttpResponseBase:
    """Answers in the group, as a reply."""
    question = _find(request, question_id)
    text = request.POST.get("text", "").strip()
    if not text or len(text) > LONGEST:
        sentence = _("Type an answer of {longest} characters at most.").format(longest=LONGEST)
        return page(request, refused=question.pk, typed=text, sentence=sentence)
    do_answer(question, text, staff=request.staff)
    said = _("{name} has your answer in {group}.")
    words = said.format(name=question.member.name, group=question.message.group.name)
    return done(request, words, "people:inbox")


@staff_view("answer")
@require_POST
@telling
def dismiss(request: StaffRequest, question_id: int) -> HttpResponseBase:
    do_dismiss(_find(request, question_id), staff=request.staff)
    return done(request, _("It is off the list: no answer needed."), "people:inbox")


@staff_view("answer")
@require_POST
def take(request: StaffRequest, question_id: int) -> HttpResponseBase:
    """The reader sees to it; the others see who does."""
    question = _find(request, question_id)
    with transaction.atomic():
        waiting = Question.objects.filter(pk=question.pk, answered_at=None)
        if waiting.update(staff_id=request.staff.pk):
            record("question_assigned", community=request.community.pk,
                   actor=request.staff.actor, member=question.member_id,
                   group=question.message.group_id, data={"question": question.pk})  # fmt: skip
    return done(request, _("It is yours to answer."), "people:inbox")


@staff_view("answer")
@require_POST
def duty(request: StaffRequest) -> HttpResponseBase:
    """On duty or off: new questions go to whoever is on."""
    on = request.POST.get("on") == "yes"
    with transaction.atomic():
        Staff.objects.filter(pk=request.staff.pk).update(on_duty=on)
        record("duty_began" if on else "duty_ended", community=request.community.pk,
               actor=request.staff.actor)  # fmt: skip
    said = _("You are on duty: new questions come to you.") if on else _("You are off duty.")
    return done(request, said, "people:inbox")

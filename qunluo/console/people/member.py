"""Everything about one member on one page, and what may be done there."""

from __future__ import annotations

from typing import Any

from django.forms import Form
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from qunluo.care.promises import list_owed_to
from qunluo.community.rules import may
from qunluo.console.access import StaffRequest, staff_view
from qunluo.console.people import forms
from qunluo.console.people.answering import REFUSED, done, found, number_in, telling
from qunluo.console.people.members import of
from qunluo.console.people.sentence import gather, say
from qunluo.console.people.standing import CorrectForm, context_of
from qunluo.console.people.ties import context_of as ties_context
from qunluo.console.people.timeline import FILTERS, name_actors, tell, timeline
from qunluo.kit import clock
from qunluo.members import actions
from qunluo.members.models import Consent, Member, Merge, Tagging
from qunluo.members.queries import find_source, list_merges, list_same

LINES = 40


@staff_view("see_members")
@require_safe
def member(request: StaffRequest, member_id: int) -> HttpResponse:
    """One member; who was merged into another leads to that one."""
    row = found(Member.objects.filter(community=request.community, erased_at=None), member_id)
    if row.merged_into_id:
        return redirect("people:member", row.merged_into_id)
    return page(request, row)


def find(request: StaffRequest, member_id: int) -> Member:
    return found(of(request.community).select_related("community"), member_id)


def page(
    request: StaffRequest, row: Member, *, refused: CorrectForm | None = None, **more: Any
) -> HttpResponse:
    """The page, with a form as it was typed where one was refused."""
    first, last = find_source(row)
    taggings = _taggings(row)
    context = {
        "member": row, "sentence": say(gather(row, first)), "first": first, "last": last,
        "identities": row.identities.order_by("pk"), "taggings": taggings,
        "names": name_actors((tagging.by for tagging in taggings), request.community),
        "consents": latest_consents(row), "memberships": row.memberships.select_related("group")
        .order_by("-pk"), "has_contact": bool(row.phone_sealed or row.email_sealed),
        "now": clock.now(), **_times(request, row), **_sameness(request, row),
        **_forms(request, row), **context_of(request, row, refused),
        **ties_context(row), **_promised(request, row), **more,
    }  # fmt: skip
    wrong = any(isinstance(form, Form) and form.errors for form in (refused, *more.values()))
    return render(
        request, "console/people/member.html", context, status=REFUSED if wrong else 200
    )


def _promised(request: StaffRequest, row: Member) -> dict[str, Any]:
    """The attention they were promised, for who cares for members."""
    if not may(request.staff.role, "care"):
        return {"cares": False}
    return {"cares": True, "owed": list_owed_to(row, clock.now())}


def _taggings(row: Member) -> list[Tagging]:
    return list(row.taggings.select_related("tag__group").order_by("tag__group__name", "pk"))


def latest_consents(row: Member) -> list[Consent]:
    """What counts now: the last word for each purpose and channel."""
    last: dict[tuple[str, str], Consent] = {}
    for consent in row.consents.order_by("pk"):
        last[consent.purpose, consent.channel] = consent
    return list(last.values())


def _times(request: StaffRequest, row: Member) -> dict[str, Any]:
    """A page of the timeline."""
    chosen = request.GET.get("show", "")
    rows, before = timeline(row, chosen), number_in(request, "before")
    events = list((rows.filter(pk__lt=before) if before else rows)[: LINES + 1])
    return {
        "lines": tell(events[:LINES], request.community), "shown": chosen,
        "filters": [(name, _(name)) for name in FILTERS],
        "older": events[LINES - 1].pk if len(events) > LINES else None,
    }  # fmt: skip


def _sameness(request: StaffRequest, row: Member) -> dict[str, Any]:
    """Who may be the same person, and what was merged already."""
    if not may(request.staff.role, "edit_members"):
        return {}
    return {
        "same": [(other, evidence_words(evidence)) for other, evidence in list_same(row)],
        "merges": [(merge, evidence_words(merge.evidence)) for merge in list_merges(row)],
    }


def evidence_words(evidence: dict[str, Any]) -> str:
    """Why two may be one."""
    words = {
        "phone": _("the same checked phone number"), "email": _("the same checked e-mail"),
        "union_id": _("the same account on the platform"), "invite": _("a signed invitation"),
        "hand": _("decided by hand"),
    }  # fmt: skip
    kind = str(evidence.get("kind", ""))
    return words.get(kind, kind)


def _forms(request: StaffRequest, row: Member) -> dict[str, Any]:
    if not may(request.staff.role, "edit_members"):
        return {
            "erase_form": forms.EraseForm(row),
            "reveal_form": forms.WhyForm(prefix="reveal"),
        }
    return {
        "tag_form": forms.TagForm(row), "profile_form": forms.ProfileForm(row),
        "name_form": forms.NameForm(initial={"name": row.name}),
        "contact_form": forms.ContactForm(), "erase_form": forms.EraseForm(row),
        "reveal_form": forms.WhyForm(prefix="reveal"),
    }  # fmt: skip


@staff_view("edit_members")
@require_POST
@telling
def tag(request: StaffRequest, member_id: int) -> HttpResponseBase:
    row = find(request, member_id)
    form = forms.TagForm(row, request.POST)
    if not form.is_valid():
        return page(request, row, tag_form=form)
    given = form.cleaned_data
    actions.do_tag(
        row, given["tag"], by=request.staff.actor, why=given["why"], expires_at=given["until"]
    )
    said = _("{name} has the tag “{tag}” now.").format(name=row.name, tag=given["tag"].name)
    return done(request, said, "people:member", row.pk)


@staff_view("edit_members")
@require_POST
@telling
def untag(request: StaffRequest, member_id: int, tagging_id: int) -> HttpResponseBase:
    row = find(request, member_id)
    tagging = found(row.taggings.select_related("tag"), tagging_id)
    form = forms.WhyForm(request.POST)
    if not form.is_valid():
        return page(request, row, untagging=tagging.pk, untag_form=form)
    actions.do_untag(row, tagging.tag, by=request.staff.actor, why=form.cleaned_data["why"])
    said = _("The tag “{tag}” was taken off.").format(tag=tagging.tag.name)
    return done(request, said, "people:member", row.pk)


@staff_view("edit_members")
@require_POST
@telling
def set_fields(request: StaffRequest, member_id: int) -> HttpResponseBase:
    row = find(request, member_id)
    form = forms.ProfileForm(row, request.POST)
    if not form.is_valid():
        return page(request, row, profile_form=form)
    changed = {k: v for k, v in form.values().items() if row.fields.get(k) != v}
    reason = form.cleaned_data.get("why", "")
    if changed:
        actions.do_set_fields(row, changed, by=request.staff.actor, why=reason)
    return done(request, _("The profile is saved."), "people:member", row.pk)


@staff_view("edit_members")
@require_POST
@telling
def rename(request: StaffRequest, member_id: int) -> HttpResponseBase:
    row = find(request, member_id)
    form = forms.NameForm(request.POST)
    if not form.is_valid():
        return page(request, row, name_form=form)
    actions.do_rename(row, form.cleaned_data["name"], by=request.staff.actor)
    return done(request, _("The name is saved."), "people:member", row.pk)


@staff_view("edit_members")
@require_POST
@telling
def set_contact(request: StaffRequest, member_id: int) -> HttpResponseBase:
    row = find(request, member_id)
    form = forms.ContactForm(request.POST)
    if not form.is_valid():
        return page(request, row, contact_form=form)
    given = form.cleaned_data
    actions.do_set_contact(
        row, phone=given["phone"] or None, email=given["email"] or None,
        verified=given["verified"], by=request.staff.actor,
    )  # fmt: skip
    return done(request, _("The contact data are saved."), "people:member", row.pk)


@staff_view("reveal_contact")
@require_POST
@telling
def reveal(request: StaffRequest, member_id: int) -> HttpResponseBase:
    """Shows contact data once, on this answer only; the record keeps who looked and why."""
    row = find(request, member_id)
    form = forms.WhyForm(request.POST, prefix="reveal")
    if not form.is_valid():
        return page(request, row, reveal_form=form)
    contact = actions.do_reveal_contact(
        row, by=request.staff.actor, why=form.cleaned_data["why"]
    )
    return page(request, row, contact=contact)


@staff_view("edit_members")
@require_POST
@telling
def merge(request: StaffRequest, member_id: int, other_id: int) -> HttpResponseBase:
    """The other becomes part of this one: only where there is evidence still."""
    row = find(request, member_id)
    pairs = {other.pk: (other, evidence) for other, evidence in list_same(row)}
    other, evidence = pairs.get(other_id, (None, {}))
    if other is None:
        said = _("Nothing says any longer that they are the same person.")
        return done(request, said, "people:member", row.pk)
    actions.do_merge(row, other, evidence=evidence, by=request.staff.actor)
    said = _("They are one member now. You can undo it below.")
    return done(request, said, "people:member", row.pk)


@staff_view("edit_members")
@require_POST
@telling
def undo_merge(request: StaffRequest, member_id: int, merge_id: int) -> HttpResponseBase:
    row = find(request, member_id)
    made = found(Merge.objects.filter(kept=row, undone_at=None), merge_id)
    actions.do_undo_merge(made, by=request.staff.actor)
    return done(request, _("They are two members again."), "people:member", row.pk)


@staff_view("export_members")
@require_POST
@telling
def export(request: StaffRequest, member_id: int) -> HttpResponseBase:
    """All that is stored about the member, as a zip."""
    row = find(request, member_id)
    response = HttpResponse(
        actions.do_export(row, by=request.staff.actor), content_type="application/zip"
    )
    response["Content-Disposition"] = f'attachment; filename="member-{row.pk}.zip"'
    return response


@staff_view("erase_members")
@require_POST
@telling
def erase(request: StaffRequest, member_id: int) -> HttpResponseBase:
    row = find(request, member_id)
    form = forms.EraseForm(row, request.POST)
    if not form.is_valid():
        return page(request, row, erase_form=form)
    actions.do_erase(row, by=request.staff.actor)
    return done(request, _("The member is erased."), "people:members")

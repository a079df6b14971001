"""The community's tag groups, tags and typed profile fields."""

from __future__ import annotations

from typing import Any

from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from qunluo.console.access import StaffRequest, staff_view
from qunluo.console.people import forms
from qunluo.console.people.answering import REFUSED, done, found
from qunluo.console.wording import current_lang
from qunluo.members.actions import (
    do_define_field,
    do_define_tag_group,
    do_define_tags,
    do_remove_tag,
)
from qunluo.members.errors import TagInUseError, TakenError
from qunluo.members.models import Field, Tag, TagGroup


@staff_view("edit_members")
@require_safe
def tags(request: StaffRequest) -> HttpResponse:
    return page(request)


def page(request: StaffRequest, **more: Any) -> HttpResponse:
    """Both lists, with a form as it was typed where one was refused."""
    groups = TagGroup.objects.filter(community=request.community).order_by("name")
    counted = Tag.objects.filter(group__in=groups).annotate(used=Count("taggings"))
    by_group: dict[int, list[Tag]] = {}
    for tag in counted.order_by("name"):
        by_group.setdefault(tag.group_id, []).append(tag)
    context = {
        "rows": [(group, by_group.get(group.pk, [])) for group in groups],
        "fields": Field.objects.filter(community=request.community).order_by("pk"),
        "group_form": forms.TagGroupForm(), "field_form": forms.FieldForm(prefix="field"),
        "new_tags_form": forms.NewTagForm(auto_id=False), **more,
    }  # fmt: skip
    return render(request, "console/people/tags.html", context, status=REFUSED if more else 200)


@staff_view("edit_members")
@require_POST
def add_group(request: StaffRequest) -> HttpResponse:
    form = forms.TagGroupForm(request.POST)
    if not form.is_valid():
        return page(request, group_form=form)
    try:
        do_define_tag_group(request.community, **form.cleaned_data, by=request.staff.actor)
    except TakenError:
        form.add_error("name", _("There is a tag group of this name already."))
        return page(request, group_form=form)
    return done(request, _("The tag group is there. Add its tags now."), "people:tags")


@staff_view("edit_members")
@require_POST
def add_tags(request: StaffRequest, group_id: int) -> HttpResponse:
    """New tags of a group; those that are there stay."""
    group = found(TagGroup.objects.filter(community=request.community), group_id)
    form = forms.NewTagForm(request.POST, auto_id=False)
    if not form.is_valid():
        return page(request, adding_to=group.pk, new_tags_form=form)
    do_define_tags(group, form.cleaned_data["names"], by=request.staff.actor)
    return done(request, _("The tags are there."), "people:tags")


@staff_view("edit_members")
@require_POST
def delete_tag(request: StaffRequest, tag_id: int) -> HttpResponse:
    """A tag that nobody has; one in use is taken off its members first, each with a reason."""
    tag = found(Tag.objects.filter(group__community=request.community), tag_id)
    try:
        do_remove_tag(tag, by=request.staff.actor)
    except TagInUseError as error:
        return done(request, error.message(current_lang()), "people:tags")
    return done(request, _("The tag is deleted."), "people:tags")


@staff_view("edit_members")
@require_POST
def add_field(request: StaffRequest) -> HttpResponse:
    form = forms.FieldForm(request.POST, prefix="field")
    if not form.is_valid():
        return page(request, field_form=form)
    wanted = {name: form.cleaned_data[name] for name in ("label", "kind", "choices")}
    try:
        do_define_field(request.community, **wanted, by=request.staff.actor)
    except TakenError:  # two at the same moment
        form.add_error("label", _("There is a field of this name already."))
        return page(request, field_form=form)
    return done(request, _("The field is there; every member's page shows it."), "people:tags")

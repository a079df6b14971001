"""The community's tag groups, tags and typed profile fields."""

from __future__ import annotations

import secrets
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from qunluo.console.access import StaffRequest, staff_view
from qunluo.console.people import forms
from qunluo.console.people.answering import REFUSED, done, found
from qunluo.events.actions import record
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
    form.instance.community = request.community
    if form.is_valid() and _is_taken(request, form.cleaned_data["name"]):
        form.add_error("name", _("There is a tag group of this name already."))
    if not form.is_valid():
        return page(request, group_form=form)
    with transaction.atomic():
        form.save()
        _record(request, "tag_group_made", form.cleaned_data["name"])
    return done(request, _("The tag group is there. Add its tags now."), "people:tags")


def _is_taken(request: StaffRequest, name: str) -> bool:
    return TagGroup.objects.filter(community=request.community, name=name).exists()


def _record(request: StaffRequest, kind: str, name: str) -> None:
    record(kind, community=request.community.pk, actor=request.staff.actor, data={"name": name})


@staff_view("edit_members")
@require_POST
def add_tags(request: StaffRequest, group_id: int) -> HttpResponse:
    """New tags of a group; those that are there stay."""
    group = found(TagGroup.objects.filter(community=request.community), group_id)
    form = forms.NewTagForm(request.POST, auto_id=False)
    if not form.is_valid():
        return page(request, adding_to=group.pk, new_tags_form=form)
    with transaction.atomic():
        for name in form.cleaned_data["names"]:
            _tag, made = Tag.objects.get_or_create(group=group, name=name)
            if made:
                _record(request, "tag_made", f"{group.name} · {name}")
    return done(request, _("The tags are there."), "people:tags")


@staff_view("edit_members")
@require_POST
def delete_tag(request: StaffRequest, tag_id: int) -> HttpResponse:
    """A tag that nobody has; one in use is taken off its members first, each with a reason."""
    tag = found(Tag.objects.filter(group__community=request.community), tag_id)
    if tag.taggings.exists():
        said = _("“{tag}” is on members still. Take it off them first.").format(tag=tag.name)
        return done(request, said, "people:tags")
    with transaction.atomic():
        _record(request, "tag_deleted", tag.name)
        tag.delete()
    return done(request, _("The tag is deleted."), "people:tags")


@staff_view("edit_members")
@require_POST
def add_field(request: StaffRequest) -> HttpResponse:
    form = forms.FieldForm(request.POST, prefix="field")
    if not form.is_valid():
        return page(request, field_form=form)
    given = form.cleaned_data
    try:
        with transaction.atomic():
            Field.objects.create(
                community=request.community, key=key_of(request, given["label"]),
                label=given["label"], kind=given["kind"], choices=given["choices"],
            )  # fmt: skip
            _record(request, "field_made", given["label"])
    except IntegrityError:  # two at the same moment
        form.add_error("label", _("There is a field of this name already."))
        return page(request, field_form=form)
    return done(request, _("The field is there; every member's page shows it."), "people:tags")


def key_of(request: StaffRequest, label: str) -> str:
    """A name for programs: the label's Latin letters, or a drawn one where it has none."""
    base = slugify(label)[:36] or f"field-{secrets.token_hex(3)}"
    taken = Field.objects.filter(community=request.community, key__startswith=base).count()
    return f"{base}-{taken + 1}" if taken else base

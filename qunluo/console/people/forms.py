"""The forms of these pages; what they refuse, they refuse in sentences."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from qunluo.community.models import Community
from qunluo.groups.models import Group
from qunluo.kit import clock
from qunluo.members.models import Field, Member, Tag, TagGroup

DATE = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
MOST_CHOICES = 100


def why(*, required: bool = True) -> forms.CharField:
    return forms.CharField(label=_("Why"), max_length=200, required=required)


class WhyForm(forms.Form):
    """A reason, kept in the record."""

    why = why()


class TagForm(forms.Form):
    """A tag for a member, with the reason and how long it counts."""

    tag = forms.ModelChoiceField(Tag.objects.none(), label=_("Tag"), empty_label=_("Choose"))
    why = why()
    until = forms.DateField(
        label=_("Counts until the end of"), required=False, widget=DATE,
        help_text=_("Leave it empty for a tag that stays."),
    )  # fmt: skip

    def __init__(self, member: Member, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.zone = ZoneInfo(member.community.zone)
        tags = Tag.objects.filter(group__community=member.community)
        chosen = cast(Any, self.fields["tag"])
        chosen.queryset = tags.select_related("group").order_by("group__name", "name")
        chosen.label_from_instance = _with_group

    def clean_until(self) -> datetime | None:
        """The first instant after that day, where the community is."""
        day = self.cleaned_data["until"]
        if day is None:
            return None
        end = datetime.combine(day + timedelta(days=1), time(), self.zone).astimezone(UTC)
        if end <= clock.now():
            raise ValidationError(_("That day is over. Choose today or a later day."))
        return end


def _with_group(tag: Tag) -> str:
    return f"{tag.group.name} · {tag.name}"


class NameForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=80)


class ContactForm(forms.Form):
    """Contact data; what stays empty stays as it is."""

    phone = forms.CharField(label=_("Phone"), max_length=40, required=False)
    email = forms.EmailField(label=_("E-mail"), max_length=120, required=False)
    verified = forms.BooleanField(label=_("I have checked that it is theirs"), required=False)

    def clean_phone(self) -> str:
        phone: str = self.cleaned_data["phone"].strip()
        if phone and not re.fullmatch(r"\+?[\d ()\-]{5,30}", phone):
            raise ValidationError(_("A phone number has digits, blanks and a leading + only."))
        return phone

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if not self.errors and not (values.get("phone") or values.get("email")):
            raise ValidationError(_("Give a phone number, an e-mail address, or both."))
        return values


class EraseForm(forms.Form):
    """Erasure, confirmed by typing the name."""

    typed = forms.CharField(label=_("Type the member's name to confirm"), max_length=80)

    def __init__(self, member: Member, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.name = member.name

    def clean_typed(self) -> str:
        typed: str = self.cleaned_data["typed"]
        if typed.split() != self.name.split():
            raise ValidationError(
                _("This is not the name. Type “{name}” to erase.").format(name=self.name)
            )
        return typed


class ProfileForm(forms.Form):
    """The community's own fields, each as its kind asks."""

    def __init__(self, member: Member, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.kinds: dict[str, str] = {}
        for field in Field.objects.filter(community=member.community).order_by("pk"):
            self.kinds[field.key] = field.kind
            self.fields[f"field_{field.key}"] = _typed(field, member.fields.get(field.key))
        self.has_fields = bool(self.fields)
        if self.has_fields:
            self.fields["why"] = why(required=False)

    def values(self) -> dict[str, Any]:
        """What was typed, by the field's key, as JSON knows it."""
        given = self.cleaned_data
        return {key: _plain(given[f"field_{key}"], kind) for key, kind in self.kinds.items()}


def _typed(field: Field, value: Any) -> forms.Field:
    usual: dict[str, Any] = {"label": field.label, "required": False, "initial": value}
    if field.kind == "number":
        return forms.FloatField(**usual)
    if field.kind == "date":
        return forms.DateField(widget=DATE, **usual)
    if field.kind == "yes_no":
        usual["initial"] = {True: "yes", False: "no"}.get(value, "")
        return forms.ChoiceField(
            choices=[("", "—"), ("yes", _("Yes")), ("no", _("No"))], **usual
        )
    if field.kind == "choice":
        return forms.ChoiceField(choices=[("", "—"), *((c, c) for c in field.choices)], **usual)
    return forms.CharField(max_length=200, **usual)


def _plain(value: Any, kind: str) -> Any:
    if kind == "yes_no" and value:
        return value == "yes"
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return None if value == "" else value


class TagGroupForm(forms.ModelForm[TagGroup]):
    class Meta:
        model = TagGroup
        fields = ("name", "single")
        labels = {"name": _("Name of the tag group"), "single": _("One tag at a time")}  # noqa: RUF012


class NewTagForm(forms.Form):
    """One or more tags, separated by commas."""

    names = forms.CharField(label=_("New tags, separated by commas"), max_length=1000)

    def clean_names(self) -> list[str]:
        parts = [part.strip() for part in re.split(r"[,，、\n]", self.cleaned_data["names"])]
        names = list(dict.fromkeys(part for part in parts if part))
        if not names:
            raise ValidationError(_("Type the name of a tag."))
        if any(len(name) > 60 for name in names):
            raise ValidationError(_("The name of a tag has 60 characters at most."))
        return names[:MOST_CHOICES]


class FieldForm(forms.Form):
    """A typed profile field of the community."""

    label = forms.CharField(label=_("Name of the field"), max_length=60)
    kind = forms.ChoiceField(
        label=_("Kind"),
        choices=[
            ("text", _("Text")), ("number", _("Number")), ("date", _("Date")),
            ("yes_no", _("Yes or no")), ("choice", _("One of a list")),
        ],
    )  # fmt: skip
    choices = forms.CharField(
        label=_("The list, separated by commas"), max_length=2000, required=False
    )

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        parts = [part.strip() for part in re.split(r"[,，、\n]", values.get("choices", ""))]
        values["choices"] = list(dict.fromkeys(part for part in parts if part))[:MOST_CHOICES]
        if values.get("kind") == "choice" and len(values["choices"]) < 2:
            self.add_error("choices", _("Give two choices or more, separated by commas."))
        return values


class CodeForm(forms.Form):
    """A channel code: where people come from, and which groups it leads to."""

    name = forms.CharField(
        label=_("Where it is shown"), max_length=80,
        help_text=_("Such as “shop window” or “parcel card”."),
    )  # fmt: skip
    groups = forms.ModelMultipleChoiceField(
        Group.objects.none(), label=_("Groups it leads to"), required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None: each joiner goes to the group that fits best."),
    )  # fmt: skip

    def __init__(self, community: Community, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        chosen = cast(Any, self.fields["groups"])
        chosen.queryset = open_groups(community)


def open_groups(community: Community) -> Any:
    return Group.objects.filter(community=community, closed_at=None).order_by("name")

"""What is asked about a group; refusals are sentences beside the field."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from qunluo.community.models import Community
from qunluo.console.wording import current_lang
from qunluo.groups.models import Group
from qunluo.groups.nicknames import check_template
from qunluo.groups.rules import check_gate
from qunluo.kit.errors import QunluoError
from qunluo.members.models import Tag
from qunluo.messaging.rules import check_pattern
from qunluo.segments.models import Segment
from qunluo.segments.queries import list_segments

GATES = (
    ("open", _("Everybody may come in")),
    ("approval", _("Somebody of the team approves each")),
    ("invited", _("Only who a member invited")),
    ("tag", _("Only who has one of these tags")),
    ("near", _("Only who is near a place")),
    ("plan", _("Only who has a paid plan")),
    ("level", _("Only from a level of closeness on")),
    ("segment", _("Only who is in a segment")),
)
HOWS = (
    ("contains", _("The message contains the words")),
    ("exact", _("The message is exactly the words")),
    ("regex", _("The message fits a regular expression")),
)
LARGEST = 100_000


def _area(rows: int) -> forms.Textarea:
    return forms.Textarea({"rows": rows})


class FirstGroupForm(forms.Form):
    """The least that makes a group."""

    name = forms.CharField(
        label=_("Name of the group"), max_length=80, help_text=_("As members see it.")
    )
    purpose = forms.CharField(
        label=_("What is it for?"), max_length=2000, widget=_area(2),
        help_text=_("One sentence that a member would nod at."),
    )  # fmt: skip
    gives = forms.CharField(
        label=_("What does it give?"), max_length=2000, required=False, widget=_area(2),
        help_text=_("What members get only here. It stands in the welcome."),
    )  # fmt: skip


class GroupForm(FirstGroupForm):
    """Everything about a group that its operator decides."""

    audience = forms.CharField(
        label=_("For whom?"), max_length=2000, required=False, widget=_area(2),
        help_text=_("Who should be here, and who need not."),
    )  # fmt: skip
    success = forms.CharField(
        label=_("How will you know that it works?"), max_length=2000, required=False,
        widget=_area(2), help_text=_("A number that you can look up in a month."),
    )  # fmt: skip
    capacity = forms.IntegerField(
        label=_("Seats"), min_value=1, max_value=LARGEST, initial=200,
        help_text=_("At 90 % the next group opens by itself."),
    )  # fmt: skip
    opens_at = forms.DateTimeField(
        label=_("Opens at"), required=False,
        widget=forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
        help_text=_("Nobody joins by themselves before. Leave empty for at once."),
    )  # fmt: skip
    ends_at = forms.DateTimeField(
        label=_("Ends at"), required=False,
        widget=forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
        help_text=_("A group with an end closes itself then. Leave empty for none."),
    )  # fmt: skip
    gate = forms.ChoiceField(
        label=_("Who may come in?"), choices=GATES,
        help_text=_("Who doesn't fit is told why, and what would admit them."),
    )  # fmt: skip
    tags = forms.ModelMultipleChoiceField(
        Tag.objects.none(), label=_("Tags that admit"), required=False,
        help_text=_("For the gate by tag."),
    )  # fmt: skip
    lat = forms.FloatField(
        label=_("Latitude"), required=False, min_value=-90, max_value=90,
        help_text=_("For the gate by place."),
    )  # fmt: skip
    lon = forms.FloatField(
        label=_("Longitude"), required=False, min_value=-180, max_value=180,
        help_text=_("For the gate by place."),
    )  # fmt: skip
    km = forms.FloatField(
        label=_("Within kilometres"), required=False, min_value=0.1, max_value=20_000,
        help_text=_("For the gate by place."),
    )  # fmt: skip
    plan = forms.CharField(
        label=_("Plan"), required=False, max_length=80, help_text=_("For the gate by plan.")
    )
    level = forms.IntegerField(
        label=_("Level"), required=False, min_value=0, max_value=100,
        help_text=_("For the gate by level."),
    )  # fmt: skip
    segment = forms.ModelChoiceField(
        Segment.objects.none(), label=_("Segment that admits"), required=False,
        help_text=_("For the gate by segment. Members read its name."),
    )  # fmt: skip
    welcome = forms.CharField(
        label=_("Welcome"), max_length=4000, required=False, widget=_area(4),
        help_text=_("Sent within seconds. {name}, {group}, {gives} and {rules} are filled in. "
                    "Empty: the usual words."),
    )  # fmt: skip
    rules = forms.CharField(
        label=_("Rules"), max_length=4000, required=False, widget=_area(3),
        help_text=_("Few and friendly. They stand in the welcome and beside a removal."),
    )  # fmt: skip
    nickname = forms.CharField(
        label=_("Nickname template"), max_length=80, required=False,
        help_text=_("Such as {city}-{nick}: what members write there becomes profile data."),
    )  # fmt: skip

    def __init__(self, community: Community, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        field = self.fields["tags"]
        assert isinstance(field, forms.ModelMultipleChoiceField)  # noqa: S101 - for the checker
        field.queryset = Tag.objects.filter(group__community=community).order_by("name")
        chosen = self.fields["segment"]
        assert isinstance(chosen, forms.ModelChoiceField)  # noqa: S101 - for the checker
        chosen.queryset = list_segments(community)

    def clean_opens_at(self) -> datetime | None:
        return self._in_utc("opens_at")

    def clean_ends_at(self) -> datetime | None:
        return self._in_utc("ends_at")

    def _in_utc(self, name: str) -> datetime | None:
        """A moment that no calendar there has is refused."""
        typed: datetime | None = self.cleaned_data[name]
        try:
            return typed and typed.astimezone(UTC)
        except OverflowError as error:
            wrong = self.fields[name].error_messages["invalid"]
            raise ValidationError(wrong) from error

    def clean_nickname(self) -> str:
        return _checked(check_template, self.cleaned_data["nickname"])

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        opens_at, ends_at = cleaned.get("opens_at"), cleaned.get("ends_at")
        if opens_at and ends_at and ends_at <= opens_at:
            self.add_error("ends_at", _("The end must come after the opening."))
        if "gate" in cleaned:
            try:
                check_gate(self.read_gate())
            except QunluoError as error:
                self.add_error("gate", error.message(current_lang()))
        return cleaned

    def read_gate(self) -> dict[str, Any]:
        """The gate as groups.rules reads it: only what its kind asks for."""
        given = self.cleaned_data
        kind = given["gate"]
        gate: dict[str, Any] = {"kind": kind}
        if kind == "tag":
            chosen = list(given.get("tags") or ())
            gate |= {"tags": [tag.pk for tag in chosen], "names": [tag.name for tag in chosen]}
        if kind == "segment" and given.get("segment"):
            segment = given["segment"]
            gate |= {"segment": segment.pk, "name": segment.name}
        wanted = {"near": ("lat", "lon", "km"), "plan": ("plan",), "level": ("level",)}
        return gate | {name: given.get(name) for name in wanted.get(kind, ())}

    def values(self) -> dict[str, Any]:
        """What `do_found_group` and `do_set_group` take."""
        plain = ("name", "purpose", "gives", "audience", "success", "capacity", "welcome",
                 "rules", "nickname")  # fmt: skip
        return {
            **{name: self.cleaned_data[name] for name in plain},
            "opens_at": self.cleaned_data["opens_at"], "ends_at": self.cleaned_data["ends_at"],
            "gate": self.read_gate(),
        }  # fmt: skip


def initial_of(group: Group) -> dict[str, Any]:
    """A group as the form shows it."""
    plain = ("name", "purpose", "gives", "audience", "success", "capacity", "opens_at", "ends_at",
             "welcome", "rules", "nickname")  # fmt: skip
    gate = {name: value for name, value in group.gate.items() if name != "name"}
    kind = gate.pop("kind", "open")
    return {**{name: getattr(group, name) for name in plain}, **gate, "gate": kind}


class ReplyForm(forms.Form):
    """An answer that is known; the names are those of `AutoReply`."""

    how = forms.ChoiceField(label=_("It answers when"), choices=HOWS)
    pattern = forms.CharField(
        label=_("Words"), max_length=200,
        help_text=_("Case and closing punctuation make no difference."),
    )  # fmt: skip
    answer = forms.CharField(
        label=_("Answer"), max_length=2000, widget=_area(2),
        help_text=_("Posted at once, labelled as automatic."),
    )  # fmt: skip
    priority = forms.IntegerField(
        label=_("Priority"), min_value=0, max_value=1000, initial=0,
        help_text=_("Of several that fit, the highest answers."),
    )  # fmt: skip
    group_cooldown_s = forms.IntegerField(
        label=_("Seconds until it answers again"), min_value=0, max_value=LARGEST, initial=60,
        help_text=_("In this group, whoever asks."),
    )  # fmt: skip
    member_cooldown_s = forms.IntegerField(
        label=_("Seconds until it answers the same member again"), min_value=0,
        max_value=LARGEST, initial=600, help_text=_("So that nobody is told the same twice."),
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if "how" in cleaned and "pattern" in cleaned:
            try:
                check_pattern(cleaned["how"], cleaned["pattern"])
            except QunluoError as error:
                self.add_error("pattern", error.message(current_lang()))
        return cleaned


class PinForm(forms.Form):
    title = forms.CharField(
        label=_("Benefit"),
        max_length=80,
        help_text=_("In a few words: “Free tasting on Fridays”."),
    )
    text = forms.CharField(
        label=_("What members should know"), max_length=500, required=False, widget=_area(2),
        help_text=_("When, where, for whom. It is pinned in the room."),
    )  # fmt: skip


def _checked(check: Any, value: str) -> str:
    try:
        found: str = check(value)
    except QunluoError as error:
        raise ValidationError(error.message(current_lang())) from error
    return found

"""What a blueprint's file holds, and how it is read: a mistake is named by file and place."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Literal, get_args

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic import ValidationError as WrongFile

from qunluo.groups.errors import NoBlueprintError, WrongBlueprintError
from qunluo.groups.nicknames import check_template
from qunluo.groups.rules import GATES
from qunluo.kit.errors import QunluoError
from qunluo.kit.text import LANGS, Text

Level = Literal["high", "low"]
Step = Literal["plan", "build", "seed", "open", "week"]
STEPS: tuple[Step, ...] = get_args(Step)
Stance = Literal["act", "watch", "off"]
Stage = Literal["idea", "first", "steady", "stores", "agents"]
Decision = Literal["minutes", "days", "weeks", "months"]
Knowledge = Literal["none", "some", "much"]
Value = Literal["low", "middle", "high"]
Intent = Literal["high", "offer", "low", "share"]
Detector = Literal["links", "cards", "ads", "banned", "floods", "impersonation", "classifier"]
_PLACE = re.compile(r"\{([^{}]*)\}")
_PLACES = {"name", "group", "gives", "rules", "nickname"}  # of a welcome
BLANK = re.compile(r"〔[^〕]*〕")
"""What only the operator knows, in an answer that is a draft until it is filled in."""


def _as_text(given: Any) -> Text:
    if not isinstance(given, dict) or set(given) != set(LANGS):
        raise ValueError("it must be said in both languages: { en = …, zh = … }")
    said = {lang: str(given[lang]).strip() for lang in LANGS}
    if not all(said.values()):
        raise ValueError("it must be said in both languages, and one of them is empty")
    return Text(**said)


def _as_welcome(found: Text) -> Text:
    unknown = {p for lang in LANGS for p in _PLACE.findall(found(lang))} - _PLACES
    if unknown:
        raise ValueError(f"nothing fills {', '.join(sorted(unknown))} in a welcome")
    return found


def _as_template(found: Text) -> Text:
    try:
        return Text(*(check_template(found(lang)) for lang in LANGS))
    except QunluoError as error:
        raise ValueError(error.message("en")) from None


def _as_gate(found: dict[str, Any]) -> dict[str, Any]:
    if found.get("kind") not in GATES:
        raise ValueError(f"a gate's kind is one of {', '.join(GATES)}")
    return found


Words = Annotated[Text, BeforeValidator(_as_text)]
Welcome = Annotated[Words, AfterValidator(_as_welcome)]
Template = Annotated[Words, AfterValidator(_as_template)]
Gate = Annotated[dict[str, Any], AfterValidator(_as_gate)]
Points = Annotated[int, Field(ge=-9, le=9)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class Reply(_Part):
    """A question that comes up, and its answer as a draft."""

    how: Literal["exact", "contains", "regex"]
    pattern: Words
    answer: Words
    priority: int = Field(0, ge=0, le=1000)


class Metric(_Part):
    """A number to watch: what it is, when it is good, and what to do where it isn't."""

    name: Words
    good: Words
    otherwise: Words


class Item(_Part):
    """A line of the launch checklist, due so many hours after the founding."""

    step: Step
    title: Words
    why: Words
    due_h: int = Field(ge=0, le=24 * 60)


class Life(_Part):
    """How long a group runs from its opening; `most_h` is until the last trace of it, and the
    operator can't go beyond."""

    hours: float = Field(gt=0, le=24 * 366)
    most_h: float | None = Field(None, gt=0)


class Fit(_Part):
    """How much each answer speaks for this kind of group (below 0: against it)."""

    stage: dict[Stage, Points]
    decision: dict[Decision, Points]
    knowledge: dict[Knowledge, Points]
    value: dict[Value, Points]
    intent: dict[Intent, Points]


class Blueprint(_Part):
    """A kind of group. `intent` × `order_value` is its place in the quadrant, where it has one."""

    key: str = Field(pattern=r"^[a-z]{2,20}$")
    order: int
    name: Words
    about: Words
    when: Words
    when_not: Words
    title: Words  # of the group, to begin with
    purpose: Words
    audience: Words
    gives: Words
    success: Words
    intent: Level | None = None
    order_value: Level | None = None
    capacity: int = Field(ge=1, le=100_000)
    gate: Gate
    life: Life | None = None
    welcome: Welcome
    rules: Words
    nickname: Template
    pinned: tuple[Words, Words] | None = None  # title, text
    replies: tuple[Reply, ...] = Field(min_length=3)
    moderation: dict[Detector, Stance]
    metrics: tuple[Metric, ...] = Field(min_length=3)
    checklist: tuple[Item, ...] = Field(min_length=5)
    fit: Fit


def read_blueprint(name: str, text: str) -> Blueprint:
    """A blueprint of a file's text; raises `WrongBlueprintError` with the place and the reason."""
    try:
        found = Blueprint.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise WrongBlueprintError(file=name, reason=str(error)) from None
    except WrongFile as error:
        raise WrongBlueprintError(file=name, reason=_say(error)) from None
    faults = [*_find_faults(found)]
    if faults:
        raise WrongBlueprintError(file=name, reason="; ".join(faults))
    return found


def _say(error: WrongFile) -> str:
    return "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())


def _find_faults(found: Blueprint) -> list[str]:
    """What no single value shows."""
    faults = []
    steps = [item.step for item in found.checklist]
    if sorted(steps, key=STEPS.index) != steps or set(steps) != set(STEPS):
        faults.append(f"checklist: it goes through {' → '.join(STEPS)}, each at least once")
    if (found.intent is None) != (found.order_value is None):
        faults.append("intent and order_value: both or neither")
    if found.life and found.life.most_h and found.life.hours >= found.life.most_h:
        faults.append("life.hours: the goodbye needs time before most_h")
    for reply in found.replies:
        faults += [f"replies: {why}" for why in _find_wrong_pattern(reply)]
    return faults


def _find_wrong_pattern(reply: Reply) -> list[str]:
    if reply.how != "regex":
        return []
    try:
        for lang in LANGS:
            pc.match_substring_regex(pa.scalar(""), pattern=reply.pattern(lang))
    except pa.ArrowInvalid as error:
        return [str(error)]
    return []


@cache
def list_blueprints() -> tuple[Blueprint, ...]:
    """All of them, in their order."""
    folder = files("qunluo.groups.blueprints")
    found = [read_blueprint(file.name, file.read_text("utf-8"))
             for file in folder.iterdir() if file.name.endswith(".toml")]  # fmt: skip
    return tuple(sorted(found, key=lambda b: (b.order, b.key)))


def find_blueprint(key: str) -> Blueprint:
    """The blueprint of a key; raises `NoBlueprintError`."""
    for found in list_blueprints():
        if found.key == key:
            return found
    raise NoBlueprintError(key=key)

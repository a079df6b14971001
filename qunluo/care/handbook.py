"""What to do before, during and after an incident: the handbook, or the community's own words."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from django.db import transaction

from qunluo.care.errors import WrongOptionError
from qunluo.care.models import Trigger
from qunluo.care.rules import TRIGGERS
from qunluo.community.models import Community
from qunluo.events.actions import record
from qunluo.kit.text import LANGS, Text

PHASES = ("before", "during", "after")
MOST = 10_000
MOST_WORDS = 200

NAMES: dict[str, Text] = {
    "negatives": Text("A burst of complaints", "集中抱怨"),
    "words": Text("A named word", "敏感词"),
    "refunds": Text("Many refunds", "退款激增"),
    "leaves": Text("Many leave", "退群激增"),
    "audit": Text("Books that don't agree", "账目异常"),
    "hand": Text("Opened by hand", "人工上报"),
}
OPTIONS: dict[str, Text] = {
    "messages": Text("Messages", "消息条数"),
    "people": Text("By different members", "不同成员数"),
    "minutes": Text("Within minutes", "时间窗（分钟）"),
    "words": Text("Words, separated by commas", "词语，用逗号分隔"),
    "orders": Text("Refunded orders", "退款订单数"),
    "hours": Text("Within hours", "时间窗（小时）"),
    "members": Text("Members who left", "退群人数"),
    "times": Text("Times as many as usual", "达到平时的倍数"),
}


@dataclass(frozen=True)
class Step:
    """One line of a script; `key` names it where it is ticked off."""

    key: str
    words: str


@cache
def read_handbook() -> dict[str, dict[str, list[Text]]]:
    raw: dict[str, Any] = json.loads(
        Path(__file__).with_name("handbook.json").read_text("utf-8")
    )
    return {
        kind: {
            phase: [Text(s["en"], s["zh"]) for s in steps] for phase, steps in phases.items()
        }
        for kind, phases in raw.items()
    }


def find_trigger(community: Community, kind: str) -> Trigger:
    """The community's own, else one as in the handbook, not stored."""
    stored = Trigger.objects.filter(community=community, kind=kind).first()
    return stored or Trigger(community=community, kind=kind)


def options_of(trigger: Trigger) -> dict[str, Any]:
    """What opens an incident of this kind here."""
    return {**TRIGGERS[trigger.kind], **trigger.options}


def list_steps(trigger: Trigger, phase: str, lang: str) -> list[Step]:
    """The script of one phase, in the community's words where it wrote some."""
    own = [line.strip() for line in getattr(trigger, phase).splitlines() if line.strip()]
    words = own or [text(lang) for text in read_handbook()[trigger.kind][phase]]
    return [Step(f"{phase}:{number}", line) for number, line in enumerate(words)]


@transaction.atomic
def do_set_trigger(
    community: Community, kind: str, *, options: dict[str, Any], active: bool,
    scripts: dict[str, str], by: str,
) -> Trigger:  # fmt: skip
    """Sets what opens an incident, and the scripts; an empty script is the handbook's. Raises
    `WrongOptionError`."""
    checked = {name: _check(name, options.get(name), usual)
               for name, usual in TRIGGERS[kind].items()}  # fmt: skip
    values = {phase: _own_words(kind, phase, scripts.get(phase, "")) for phase in PHASES}
    trigger, _ = Trigger.objects.update_or_create(
        community=community, kind=kind,
        defaults={"options": checked, "active": active, **values},
    )  # fmt: skip
    record("trigger_set", community=community.pk, actor=by, data={"trigger": kind})
    return trigger


def _own_words(kind: str, phase: str, typed: str) -> str:
    """The script as typed; empty where it says what the handbook says, in any language."""
    lines = [line.strip() for line in typed.splitlines() if line.strip()]
    usual = read_handbook()[kind][phase]
    same = any(lines == [step(lang) for step in usual] for lang in LANGS)
    return "" if same else "\n".join(lines)[:4000]


def _check(name: str, value: Any, usual: Any) -> Any:
    if isinstance(usual, list):
        words = value if isinstance(value, list) else []
        return list(dict.fromkeys(w.strip()[:40] for w in words if w.strip()))[:MOST_WORDS]
    if not isinstance(value, int) or not 1 <= value <= MOST:
        raise WrongOptionError(name=OPTIONS[name], most=MOST)
    return value

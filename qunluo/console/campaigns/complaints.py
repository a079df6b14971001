"""What is wrong with typed rules, in sentences of their own language."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.utils.translation import gettext as _
from pydantic import ValidationError

from qunluo.console.campaigns.parameters import Parameter
from qunluo.console.wording import current_lang
from qunluo.kit.money import format_money

ROOT = "r"


def complain(
    error: ValidationError, parameters: Sequence[Parameter], currency: str
) -> dict[str, str]:
    """A sentence for each path; "" is the whole."""
    found: dict[str, str] = {}
    for fault in error.errors(include_url=False):
        path, wanted = _place(fault["loc"], parameters)
        found.setdefault(path, _say(fault, wanted, currency))
    return found


def _place(
    loc: Iterable[int | str], among: Sequence[Parameter]
) -> tuple[str, Parameter | None]:
    """The path of the input that a place of the rules is typed in, and its parameter."""
    steps, found = [], None
    for step in loc:
        if found is not None and found.kind == "reward":
            break  # one input for both of its parts
        steps.append(str(step))
        if isinstance(step, int):
            found = found.parts[0] if found is not None and found.kind == "list" else found
        else:
            found = _named(step, among)
            among = found.parts if found is not None else ()
            steps += ["0"] if found is not None and found.single else []
    return ".".join([ROOT, *steps]) if steps else "", found


def _named(name: str, among: Sequence[Parameter]) -> Parameter | None:
    return next((parameter for parameter in among if parameter.name == name), None)


def _say(fault: Any, wanted: Parameter | None, currency: str) -> str:  # noqa: PLR0911 - one for each
    kind, limits = fault["type"], fault.get("ctx", {})
    if kind == "missing":
        return _("Fill this in.")
    if kind == "greater_than_equal":
        return _("At least {n}.").format(n=_number(limits["ge"], wanted, currency))
    if kind == "less_than_equal":
        return _("At most {n}.").format(n=_number(limits["le"], wanted, currency))
    if kind == "too_short":
        return _("Add at least {n}.").format(n=limits["min_length"])
    if kind == "too_long":
        return _("At most {n}.").format(n=limits["max_length"])
    if kind == "string_too_short":
        return _("Fill this in.")
    if kind == "string_too_long":
        return _("At most {n} signs.").format(n=limits["max_length"])
    if kind == "string_pattern_mismatch":
        return _("Use letters and digits: some of these signs can't be in it.")
    if kind in ("int_type", "int_parsing", "int_from_float"):
        return _("Write a whole number, such as 12.")
    return str(fault["msg"]).removeprefix("Value error, ")


def _number(limit: Any, wanted: Parameter | None, currency: str) -> str:
    if wanted is not None and wanted.kind == "money":
        return format_money(int(limit), currency, current_lang())
    if wanted is not None and wanted.kind == "span" and int(limit) % 1_440 == 0:
        return _("{n} days").format(n=int(limit) // 1_440)
    if wanted is not None and wanted.kind == "span":
        return _("{n} minutes").format(n=limit)
    return f"{limit:,}"

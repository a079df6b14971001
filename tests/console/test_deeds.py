"""Whatever is recorded is told in words, in both languages."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import qunluo
from qunluo.api.areas.events import OWN
from qunluo.console.deeds import DEEDS, OF_A_PROGRAM, say_kind

ROOMS = ("community", "members", "groups", "messaging", "channels", "api", "h5", "console",
         "living", "server", "care", "standing", "segments", "commerce", "payments", "campaigns")  # fmt: skip
RECORDERS = {"record", "record_all", "record_each", "_record", "_record_reply"}
SAYERS = {"_tell", "_move", "_row"}  # the kind is not their first word
SAID = re.compile(r"(campaign|reward)_[a-z_]+")
KIND = re.compile(r"[a-z]+(_[a-z]+)+")


def kinds_of(tree: ast.Module) -> Iterator[str]:
    """The kinds that a module records: given to who records, or chosen for it by name."""
    named = constants_of(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args and called(node) in RECORDERS:
            yield from chosen(node.args[0], named)
        if isinstance(node, ast.Call) and called(node) in SAYERS:
            yield from (k for a in node.args for k in chosen(a) if SAID.fullmatch(k))
        if isinstance(node, ast.Call) and is_event(node):
            yield from (
                k for word in node.keywords if word.arg == "kind" for k in chosen(word.value)
            )
        if isinstance(node, ast.FunctionDef) and records_by_name(node):
            given = (n.value for n in ast.walk(node) if isinstance(n, ast.Assign))
            yield from (kind for value in given for kind in chosen(value))
        if isinstance(node, ast.FunctionDef) and node.name == "_kind_of":
            ends = [n.value for n in ast.walk(node) if isinstance(n, ast.Return)]
            yield from (kind for end in ends if end for kind in chosen(end))


def is_event(call: ast.Call) -> bool:
    """`Event(…)` or `new_row(Event, …)`."""
    made = call.args[0] if called(call) == "new_row" and call.args else call.func
    return isinstance(made, ast.Name) and made.id == "Event"


def called(call: ast.Call) -> str:
    function = call.func
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def records_by_name(function: ast.FunctionDef) -> bool:
    calls = [n for n in ast.walk(function) if isinstance(n, ast.Call) and n.args]
    told = [c.args[:1] if called(c) in RECORDERS else c.args for c in calls
            if called(c) in RECORDERS | SAYERS]  # fmt: skip
    return any(isinstance(a, ast.Name) and a.id == "kind" for args in told for a in args)


def constants_of(tree: ast.Module) -> dict[str, ast.expr]:
    """The names that a module gives to constants, also several on one line."""
    found: dict[str, ast.expr] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target, value = node.targets[0], node.value
            if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
                pairs = zip(target.elts, value.elts, strict=True)
                found |= {t.id: v for t, v in pairs if isinstance(t, ast.Name)}
    return found


def chosen(value: ast.expr, named: Mapping[str, ast.expr] | None = None) -> list[str]:
    """The constants that an expression may be: one, or one of two, by their names or not."""
    if isinstance(value, ast.IfExp):
        return chosen(value.body, named) + chosen(value.orelse, named)
    if isinstance(value, ast.Name) and named and value.id in named:
        return chosen(named[value.id])
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        return [value.value] if KIND.fullmatch(value.value) else []
    return []


def list_kinds() -> set[str]:
    home = Path(qunluo.__file__).parent
    files = [path for room in ROOMS for path in (home / room).rglob("*.py")]
    return {kind for path in files for kind in kinds_of(ast.parse(path.read_text("utf-8")))}


def test_every_kind_that_is_recorded_has_words_and_no_others_do() -> None:
    assert list_kinds() == set(DEEDS)


def test_kinds_are_found_wherever_they_are_chosen() -> None:
    assert {"member_removed", "member_left"} <= list_kinds()  # by a name
    assert {"duty_began", "duty_ended"} <= list_kinds()  # one of two
    assert {"channel_code_opened", "webhook_switched_off", "merge_undone"} <= list_kinds()


@pytest.mark.parametrize("kind", sorted(DEEDS))
def test_words_are_in_both_languages_and_no_two_kinds_sound_the_same(kind: str) -> None:
    assert re.search("[一-鿿]", DEEDS[kind].zh)
    assert not re.search("[一-鿿]", DEEDS[kind].en)
    assert [k for k, words in DEEDS.items() if words == DEEDS[kind]] == [kind]


def test_what_another_program_reports_goes_by_its_own_name() -> None:
    assert OF_A_PROGRAM == OWN
    assert say_kind("app_order_paid", "en") == "reported “order paid”"
    assert say_kind("app_order_paid", "zh") == "上报了“order paid”"

"""The JSON: documented, stable, and nobody's name in a masked copy."""

from __future__ import annotations

import json
import math
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qunluo.insight.figures import GroupName, Person, Quote
from qunluo.insight.report import FORMAT_VERSION, render_json
from qunluo.kit.text import Text
from tests.insight import builders as b
from tests.schema import errors

SCHEMA = json.loads(
    files("qunluo.insight.report").joinpath("report.schema.json").read_text("utf-8")
)
DOCS = Path(__file__).parents[2] / "docs" / "reference" / "report-json.md"


def document(report: Any, anonymous: bool = False) -> Any:
    return json.loads(render_json(report, anonymous))


@pytest.mark.parametrize("anonymous", [False, True])
def test_it_keeps_its_schema(anonymous: bool) -> None:
    assert errors(document(b.report(), anonymous), SCHEMA) == []


def test_the_schema_refuses_what_it_does_not_know() -> None:
    made = document(b.report())
    made["totals"]["messages"] = -1
    made["figures"]["I1"]["secret"] = 1
    del made["zone"]
    assert len(errors(made, SCHEMA)) == 3


def test_it_says_what_every_figure_is() -> None:
    made = document(b.report())
    assert made["format_version"] == FORMAT_VERSION
    assert made["totals"]["messages"] == 510_000
    figure = made["figures"]["I7"]
    assert (figure["value"], figure["n"], figure["interval"]) == (0.312, 5_823, [0.29, 0.334])
    assert figure["definition"]["zh"].startswith("某类账号")


def test_a_missing_figure_says_which_file_would_enable_it() -> None:
    missing = document(b.report())["figures"]["drivers"]
    assert (missing["n"], missing["value"]) == (0, None)
    assert missing["missing"]["needs"] == ["staff", "text"]
    assert "--staff" in missing["missing"]["enable"][0]["text"]["en"]


def test_equal_reports_are_equal_bytes() -> None:
    one, other = b.report(), b.report()
    assert render_json(one) == render_json(other)
    shuffled = b.report(sources=tuple(reversed(one.sources)))
    assert render_json(shuffled) == render_json(one)


def test_keys_are_sorted_and_numbers_are_numbers() -> None:
    value = {"z": math.nan, "a": [math.inf, 1 / 3], "m": {3: np.float64(0.1) + np.float64(0.2)}}
    text = render_json(b.report_of(b.figure("f", b.finding(value))))
    assert json.loads(text)["figures"]["f"]["value"] == {
        "a": [None, 0.333333333333],
        "m": {"3": 0.3},
        "z": None,
    }
    assert text.index('"a": [') < text.index('"m": {') < text.index('"z": null')
    assert text.endswith("}\n")


@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
))  # fmt: skip
def test_it_writes_any_plain_value_as_valid_json(value: Any) -> None:
    text = render_json(b.report_of(b.figure("f", b.finding(value))))
    assert render_json(b.report_of(b.figure("f", b.finding(value)))) == text
    json.loads(text, parse_constant=pytest.fail)


def test_it_refuses_a_value_json_cannot_say() -> None:
    with pytest.raises(TypeError, match="object"):
        render_json(b.report_of(b.figure("f", b.finding(object()))))


def test_names_inside_a_value_carry_their_key() -> None:
    value = [
        Person(2**62 + 1, "Alice"),
        GroupName(-3, "Readers"),
        Quote("hi", "2022-01-03T09:00:00"),
    ]
    made = document(b.report_of(b.figure("f", b.finding(value))))["figures"]["f"]["value"]
    assert made == [
        {"person": "Alice", "key": "4611686018427387905"},
        {"group": "Readers", "key": "-3"},
        {"quote": "hi", "at": "2022-01-03T09:00:00"},
    ]


def test_a_masked_copy_holds_no_name_no_word_and_no_key() -> None:
    text = render_json(b.report(), anonymous=True)
    decoded = json.dumps(json.loads(text), ensure_ascii=False)
    for secret in [*b.NAMES, *b.GROUP_NAMES, *b.SECRETS]:
        assert json.dumps(secret, ensure_ascii=False)[1:-1] not in decoded
    assert '"key"' not in text
    assert "Chat with" not in text


def test_a_masked_member_has_one_number_everywhere() -> None:
    people = [Person(b.ALICE + 14, "x"), Person(b.ALICE, "y"), Person(999_999, "not in facts")]
    report = b.report_of(b.figure("f", b.finding({"who": people})))
    made = json.loads(render_json(report, True))["figures"]["f"]["value"]["who"]
    last = len(b.SENDERS) + 1
    assert made == [
        {"person": "Member 3"},
        {"person": "Member 1"},
        {"person": f"Member {last}"},
    ]


def test_its_page_of_the_manual_names_every_key() -> None:
    manual = DOCS.read_text("utf-8")
    made = document(b.report())
    keys = {*made, *made["totals"], *made["figures"]["I7"], *made["sources"][0]}
    assert {key for key in keys if not re.search(rf"`{key}`", manual)} == set()


def test_a_text_inside_a_value_stays_in_both_languages() -> None:
    report = b.report_of(b.figure("f", b.finding([Text("a day", "每天")])))
    assert document(report)["figures"]["f"]["value"] == [{"en": "a day", "zh": "每天"}]

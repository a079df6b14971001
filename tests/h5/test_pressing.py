"""What a form or script says of an act is read as short words and whole numbers."""

from __future__ import annotations

import pytest

from qunluo.h5.errors import StrangeRequestError
from qunluo.h5.pressing import read_data


def test_words_are_one_line_that_every_database_keeps_and_nobody_is_fooled_by() -> None:
    said = {"title": "a\x00b\ud800 \u202etxt.exe\n c", "quantity": "2", "new": True, "n": 3}
    assert read_data({"data": said}) == {
        "title": "ab txt.exe c", "quantity": 2, "new": True, "n": 3
    }  # fmt: skip


@pytest.mark.parametrize("value", [None, 1.5, 10**12, [], {}, "x" * 2_000])
def test_anything_else_is_strange(value: object) -> None:
    with pytest.raises(StrangeRequestError):
        read_data({"data": {"x": value}})

"""What is said in Chinese is found by any part of it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from qunluo.kit.grams import grams, wanted

SIGNS = st.text(
    st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF), min_size=2, max_size=30
)


def test_chinese_is_cut_into_pairs_and_the_rest_into_words() -> None:
    assert grams("今晚8点发货 Free shipping!").split() == [
        "今晚", "晚", "8", "点发", "发货", "货", "free", "shipping",
    ]  # fmt: skip


def test_width_and_case_make_no_difference() -> None:
    assert grams("ＡＢＣ") == grams("abc")


@given(SIGNS, st.data())
def test_every_part_of_two_signs_or_more_is_found(said: str, data: st.DataObject) -> None:
    begin = data.draw(st.integers(0, len(said) - 2))
    end = data.draw(st.integers(begin + 2, len(said)))
    assert set(wanted(said[begin:end])) <= set(grams(said).split())


@given(SIGNS, st.data())
def test_a_single_sign_begins_something_that_is_stored(said: str, data: st.DataObject) -> None:
    (sign,) = wanted(data.draw(st.sampled_from(sorted(said))))
    assert any(stored.startswith(sign) for stored in grams(said).split())


@given(st.text())
def test_nothing_that_a_search_language_could_read_is_left(text: str) -> None:
    for found in (*wanted(text), *grams(text).split()):
        assert not set(found) & set("\"'*():&|!<>-+^~ ")

"""Contact data is unreadable without the key, and found again with it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qunluo.kit.sealed import WrongKeyError, blind, seal, unseal

KEY = "k" * 40


@given(st.text())
@settings(max_examples=30)
def test_what_is_sealed_comes_back(text: str) -> None:
    assert unseal(seal(text, KEY), KEY) == text


def test_it_is_different_every_time_and_says_nothing() -> None:
    once, again = seal("13800138000", KEY), seal("13800138000", KEY)
    assert once != again
    assert "138" not in once


def test_another_key_does_not_open_it() -> None:
    with pytest.raises(WrongKeyError):
        unseal(seal("13800138000", KEY), "x" * 40)


def test_the_same_is_found_by_the_same_hash_under_one_key_only() -> None:
    assert blind("13800138000", KEY) == blind("13800138000", KEY)
    assert blind("13800138000", KEY) != blind("13800138000", "x" * 40)
    assert blind("13800138000", KEY) != blind("13800138001", KEY)

"""Limits begin anew with each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.cache import cache


@pytest.fixture(autouse=True)
def quick() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()

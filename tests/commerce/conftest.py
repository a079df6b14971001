"""What the tests of the shop share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.commerce.shop import House, open_house


@pytest.fixture
def house() -> Iterator[House]:
    with open_house() as made:
        yield made

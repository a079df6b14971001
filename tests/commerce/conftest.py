"""What the tests of the shop share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from qunluo.commerce import provider
from tests.commerce.shop import House


@pytest.fixture
def house() -> Iterator[House]:
    made = House()
    provider.register(made)
    yield made
    provider.unregister(made.name)

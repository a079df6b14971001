"""Alice's program, and the tests' own clock."""

from __future__ import annotations

import pytest

from qunluo.community.models import Community, Staff, User
from tests.api.calling import Program, program_of


@pytest.fixture
def program(tea: Community, alice: User) -> Program:
    """May do all that Alice may."""
    return program_of(Staff.objects.get(community=tea, user=alice))

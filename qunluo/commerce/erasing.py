"""What the shop forgets with a member: where they live, not what was sold."""

from __future__ import annotations

from collections.abc import Sequence

from qunluo.commerce.models import Order


def erase(member_ids: Sequence[int]) -> None:
    """Called in the transaction of the erasure. What was bought and paid stays for the books."""
    Order.objects.filter(member__in=member_ids).update(address_sealed="", note="")

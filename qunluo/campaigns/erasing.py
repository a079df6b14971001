"""What campaigns forget with a member: their browsers and places, and their own words; not that
somebody came, helped or was given something."""

from __future__ import annotations

from collections.abc import Sequence

from qunluo.campaigns.models import Evidence, Mark, Suspicion, Visit


def erase(member_ids: Sequence[int]) -> None:
    """Called in the transaction of the erasure."""
    Mark.objects.filter(member__in=member_ids).delete()
    Visit.objects.filter(member__in=member_ids).update(visitor_hash="", key_hash=None)
    Evidence.objects.filter(suspicion__member__in=member_ids).update(facts={})
    Suspicion.objects.filter(appealed_by__in=member_ids).update(appeal="")

"""What standing forgets with a member: where they stood, and what was said of it. The sums stay:
they have no words, and others are counted in them."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Q

from qunluo.standing.models import Correction, Standing, StandingChange, Tie


def erase(member_ids: Sequence[int]) -> None:
    """Called in the transaction of the erasure."""
    for model in (Standing, StandingChange, Correction):
        model._base_manager.filter(member__in=member_ids).delete()
    Tie.objects.filter(Q(one__in=member_ids) | Q(other__in=member_ids)).delete()

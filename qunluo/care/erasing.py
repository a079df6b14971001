"""What care forgets with a member: their own words, but not that somebody voted."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Q

from qunluo.care.gatherings import do_recount
from qunluo.care.models import (
    Exchange,
    Gathering,
    Introduction,
    Need,
    Promise,
    SignUp,
    Support,
    Testimony,
    Wish,
)
from qunluo.kit import clock


def erase(member_ids: Sequence[int]) -> None:
    """Called in the transaction of the erasure. A wish that others support stays, without who
    made it and what they told; one that is theirs alone goes."""
    Need.objects.filter(member__in=member_ids).delete()
    Exchange.objects.filter(member__in=member_ids).delete()
    Promise.objects.filter(member__in=member_ids).delete()
    Testimony.objects.filter(member__in=member_ids).delete()
    _give_seats_back(member_ids)
    pairs = Introduction.objects.filter(Q(one__in=member_ids) | Q(other__in=member_ids))
    pairs.delete()
    mine = Wish.objects.filter(member__in=member_ids)
    ours = Support.objects.exclude(member__in=member_ids).values("wish")
    mine.exclude(pk__in=ours).filter(answer="").exclude(state="merged").delete()
    mine.update(text="", member=None, by="system")


def _give_seats_back(member_ids: Sequence[int]) -> None:
    seats = SignUp.objects.filter(member__in=member_ids, attended_at=None).exclude(state="gone")
    ahead = seats.filter(gathering__ends_at__gt=clock.now())
    ids = list(ahead.values_list("gathering", flat=True))
    ahead.update(state="gone")
    for gathering in Gathering.objects.filter(pk__in=ids).order_by("pk"):
        do_recount(gathering)

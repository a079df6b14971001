"""What care forgets with a member: their own words, but not that somebody voted."""

from __future__ import annotations

from collections.abc import Sequence

from qunluo.care.models import Exchange, Need, Promise, Support, Wish


def erase(member_ids: Sequence[int]) -> None:
    """Called in the transaction of the erasure. A wish that others support stays, without who
    made it and what they told; one that is theirs alone goes."""
    Need.objects.filter(member__in=member_ids).delete()
    Exchange.objects.filter(member__in=member_ids).delete()
    Promise.objects.filter(member__in=member_ids).delete()
    mine = Wish.objects.filter(member__in=member_ids)
    ours = Support.objects.exclude(member__in=member_ids).values("wish")
    mine.exclude(pk__in=ours).filter(answer="").exclude(state="merged").delete()
    mine.update(text="", member=None, by="system")

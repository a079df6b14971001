"""What the web room forgets with a member: what was said to them, their pictures, their sign-in."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from qunluo.channels.web.images import forget_images
from qunluo.channels.web.models import DirectItem, WebSession
from qunluo.channels.web.sessions import CHANNEL
from qunluo.kit import clock
from qunluo.members.models import Identity


def erase(member_ids: Sequence[int]) -> None:
    """Called in the transaction of the erasure; files go once it stands."""
    DirectItem.objects.filter(member_id__in=member_ids).delete()
    rows = Identity.objects.filter(channel=CHANNEL, member_id__in=member_ids)
    accounts = set(rows.values_list("external_id", flat=True))
    elsewhere = Identity.objects.filter(channel=CHANNEL, external_id__in=accounts).exclude(
        member_id__in=member_ids
    )
    accounts -= set(elsewhere.values_list("external_id", flat=True))
    WebSession.objects.filter(account__in=accounts).update(revoked_at=clock.now())
    transaction.on_commit(lambda: forget_images(member_ids))

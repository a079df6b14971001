"""What is done about standing; each in one transaction, with its event."""

from __future__ import annotations

from django.db import transaction

from qunluo.community.models import Community
from qunluo.events.actions import record
from qunluo.standing.correcting import do_correct, do_lift
from qunluo.standing.night import do_judge_all
from qunluo.standing.orders import do_note_order, do_note_refund
from qunluo.standing.tasks import do_follow, do_recount
from qunluo.standing.thresholds import Thresholds, check_thresholds, store_thresholds

__all__ = [
    "do_correct", "do_follow", "do_judge_all", "do_lift", "do_note_order", "do_note_refund",
    "do_recount", "do_set_thresholds",
]  # fmt: skip


@transaction.atomic
def do_set_thresholds(community: Community, chosen: Thresholds, *, by: str) -> Community:
    """Where the borders of standing lie from now on; everybody is judged again soon. Raises
    `WrongThresholdError`."""
    stored = store_thresholds(check_thresholds(chosen))
    row = Community.objects.select_for_update().get(pk=community.pk)
    if row.settings.get("standing", {}) != stored:
        row.settings = {**row.settings, "standing": stored}
        row.save(update_fields=["settings"])
        record("settings_changed", community=row.pk, actor=by, data={"standing": stored})
    community.settings = row.settings
    return row

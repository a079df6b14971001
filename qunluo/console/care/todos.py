"""What care puts on the home page's "Decide now"."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from qunluo.care.handbook import NAMES
from qunluo.care.incidents import list_incidents
from qunluo.community.models import Community
from qunluo.console.overview import Todo
from qunluo.console.wording import current_lang
from qunluo.kit.text import Text

MOST = 5


def list_incidents_left(community: Community, now: datetime) -> list[Todo]:
    """What is not under control yet, then what is not closed; those of nobody are late."""
    rows = [*list_incidents(community, "open"), *list_incidents(community, "handled")][:MOST]
    return [
        Todo("incident", in_words(row.why),
             " · ".join(filter(None, [NAMES[row.kind](current_lang()),
                                      row.group.name if row.group else "",
                                      row.owner.shown if row.owner else _("nobody's yet")])),
             "care:incident", row.pk, minutes=-1 if row.owner is None else None)
        for row in rows
    ]  # fmt: skip


def in_words(stored: dict[str, str]) -> str:
    return Text(stored.get("en", ""), stored.get("zh", ""))(current_lang())

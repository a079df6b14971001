"""What campaigns put on the home page's "Decide now"."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from qunluo.campaigns.alarm import find_broken
from qunluo.campaigns.disputes import list_disputes
from qunluo.campaigns.fraud import count_open
from qunluo.campaigns.models import Campaign
from qunluo.community.models import Community
from qunluo.console.overview import Todo

MOST = 5
SOON = timedelta(days=1)


def list_audit_left(community: Community) -> list[Todo]:
    """That the last look found the books in disorder."""
    broken = find_broken(community)
    if not broken:
        return []
    words = ngettext(
        "{n} check of the books fails", "{n} checks of the books fail", len(broken)
    )
    about = _("Look before more is given away.")
    return [Todo("audit", words.format(n=len(broken)), about, "campaigns:audit", minutes=-1)]


def list_campaigns_left(community: Community, now: datetime) -> list[Todo]:
    """Those that were paused and wait, and those that end within a day."""
    rows = Campaign.objects.filter(community=community).order_by("ends_at", "pk")
    paused = [
        Todo("campaign", _("{name} is paused").format(name=row.name), row.why,
             "campaigns:one", row.pk)
        for row in rows.filter(state="paused")[:MOST]
    ]  # fmt: skip
    paused += _doubts(community) + _disputes(community)
    ending = rows.filter(state="running", ends_at__range=(now, now + SOON))
    return paused + [
        Todo("campaign", _("{name} ends within a day").format(name=row.name), row.goal,
             "campaigns:one", row.pk)
        for row in ending[:MOST]
    ]  # fmt: skip


def _doubts(community: Community) -> list[Todo]:
    """That rewards wait for somebody to look at friends in doubt, or at appeals."""
    waiting = count_open(community.pk)
    if not waiting:
        return []
    words = ngettext("{n} friend in doubt", "{n} friends in doubt", waiting)
    about = _("Rewards wait until somebody has looked.")
    return [Todo("campaign", words.format(n=waiting), about, "campaigns:doubts")]


def _disputes(community: Community) -> list[Todo]:
    """That deposits wait for a decision about a swap."""
    waiting = list_disputes(community).count()
    if not waiting:
        return []
    words = ngettext("{n} swap in dispute", "{n} swaps in dispute", waiting)
    about = _("Deposits wait until somebody has decided.")
    return [Todo("campaign", words.format(n=waiting), about, "campaigns:disputes")]

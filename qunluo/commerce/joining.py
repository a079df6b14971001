"""Two members who are made one: orders of both are joined by a person only, and what lay on
the accounts of one lies on those of the other."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import F

from qunluo.commerce.models import Order
from qunluo.events.actions import follow
from qunluo.events.models import Event
from qunluo.kit.text import Text
from qunluo.ledger.actions import Leg, do_open, do_reverse, do_transfer
from qunluo.ledger.models import Account, Lot, Transfer
from qunluo.ledger.queries import list_accounts
from qunluo.members.models import Member

BOTH_BOUGHT = Text(
    "both have ordered here, so a person should look at it first.",
    "两人都在这里下过单，需由人工确认。",
)


def caution(kept: Member, gone: Member) -> Text | None:
    """Orders that are open or paid, of both: money and goods would change hands by a guess."""
    rows = Order.objects.filter(elsewhere=False).exclude(state__in=("cancelled", "expired"))
    both = all(rows.filter(member=member).exists() for member in (kept, gone))
    return BOTH_BOUGHT if both else None


# what lies on the gone member's accounts


def follow_merges() -> bool:
    return bool(follow("commerce.merges", _follow, kinds=["member_merged", "merge_undone"]))


def _follow(events: Sequence[Event]) -> None:
    for event in events:
        if event.kind == "member_merged":
            do_bring_over(event)
        else:
            do_bring_back(event)


def do_bring_over(event: Event) -> None:
    """Points and money of the gone member are the kept one's from now on, lots with the expiry
    they have; what is promised stays where it is until it is decided."""
    gone = list_accounts(event.community_id, "member", int(event.data["gone"]))
    for account in gone.filter(balance__gt=F("held")).order_by("pk"):
        mine = do_open(event.community_id, "member", event.member_id or 0, account.unit,
                       lots=account.lots)  # fmt: skip
        legs = [Leg(account, -account.available), *_as_they_are(account, mine)]
        cause = f"merge:{event.data['merge']}:{account.unit}"
        do_transfer(event.community_id, cause=cause, legs=legs, by=event.actor)


def _as_they_are(account: Account, mine: Account) -> list[Leg]:
    if not account.lots:
        return [Leg(mine, account.available)]
    lots = Lot.objects.filter(account=account, left__gt=0).order_by("pk")
    return [Leg(mine, lot.left, expires_at=lot.expires_at) for lot in lots]


def do_bring_back(event: Event) -> None:
    """They are two again: what came over goes back; what was spent meanwhile is owed."""
    causes = Transfer.objects.filter(
        community_id=event.community_id, cause__startswith=f"merge:{event.data['merge']}:"
    )
    for moved in causes.order_by("pk"):
        do_reverse(moved, cause=f"un{moved.cause}", by=event.actor, owe=True)

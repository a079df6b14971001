"""What must hold of campaigns, asked of the live database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from django.db.models import Count, F, OuterRef, Q, Subquery, Sum

from qunluo.campaigns.coupons import UNIT, list_won
from qunluo.campaigns.live import Played
from qunluo.campaigns.models import Campaign, Coupon, Deed, Play, Reward
from qunluo.campaigns.results import count_results
from qunluo.kit.text import Text
from qunluo.ledger.auditing import MOST, Check, register
from qunluo.ledger.models import Account, Hold


def broken_plays(community_id: int) -> Iterator[str]:
    """Each mechanic's own “must hold”, of every play."""
    rows = Campaign.objects.filter(community=community_id, version__isnull=False)
    for campaign in rows.select_related("version").order_by("pk"):
        played = Played(campaign)
        for row in Play.objects.filter(campaign=campaign).order_by("pk").iterator(500):
            played.take([row])
            rules = played.rules_for(row.version_id)
            state = played.plays.pop(row.key).state
            for sentence in played.mechanic.broken(state, rules):
                yield f"{campaign.name} · {row.key}: {sentence}"


def uneven_grants(community_id: int) -> Iterator[str]:
    """What rewards wait for is what lies on the account of granted value."""
    waits: Counter[tuple[str, str]] = Counter()
    rows = Reward.objects.filter(campaign__community=community_id, state="pending")
    for campaign, unit, amount in rows.values_list("campaign", "unit").annotate(Sum("amount")):
        waits[f"{campaign}:granted", unit] += amount
    for account in Account.objects.filter(
        community_id=community_id, kind="campaign", owner__endswith=":granted"
    ):
        waits[account.owner, account.unit] -= account.balance
    for (owner, unit), off in waits.items():
        if off:
            yield f"{owner}: {off:+} {unit}"


def uneven_deeds(community_id: int) -> Iterable[str]:
    """Every revision of a play is one act."""
    deeds = Deed.objects.filter(campaign=OuterRef("campaign"), play=OuterRef("key"))
    counted = deeds.order_by().values("play").annotate(n=Count("pk")).values("n")
    rows = Play.objects.filter(campaign__community=community_id).annotate(
        acts=Subquery(counted)
    )
    for row in rows.filter(~Q(acts=F("revision")))[:MOST]:
        yield f"{row.key}: {row.revision}"


def wrong_figures(community_id: int) -> Iterator[str]:
    """Figures that an operator reads and the books don't agree with."""
    rows = Campaign.objects.filter(community=community_id, version__isnull=False)
    for campaign in rows.select_related("community").order_by("pk"):
        for figure in count_results(campaign).broken:
            yield (
                f"{campaign.name} · {figure.name} {figure.unit}: {figure.here}, {figure.there}"
            )


def uneven_coupons(community_id: int) -> Iterator[str]:
    """A member's coupons are as many as lie on their account; what is held for an order is held
    where it lay when it was ordered."""
    off: Counter[tuple[str, str, str]] = Counter()
    rows = Coupon.objects.filter(reward__campaign__community=community_id)
    free = rows.filter(state__in=Coupon.FREE).order_by().values_list("member", "unit")
    for member, unit, n in free.annotate(n=Count("pk")):
        off[str(member), unit, "balance"] += n
    holds = Hold.objects.filter(pk__in=rows.filter(state="locked").values("hold_id"))
    for owner, unit in holds.values_list("account__owner", "account__unit"):
        off[owner, unit, "balance"] += 1
        off[owner, unit, "held"] += 1
    accounts = Account.objects.filter(
        community_id=community_id, kind="member", unit__startswith=UNIT
    )
    for owner, unit, balance, held in accounts.values_list("owner", "unit", "balance", "held"):
        off[owner, unit, "balance"] -= balance
        off[owner, unit, "held"] -= held
    for (owner, unit, what), n in off.items():
        if n:
            yield f"{owner} {unit} {what}: {n:+}"


def wrong_orders_of_coupons(community_id: int) -> Iterable[str]:
    """A coupon in an order took something off it; one that waits, waits with its order."""
    rows = Coupon.objects.filter(reward__campaign__community=community_id)
    inside = rows.filter(state__in=Coupon.IN_ORDER).select_related("order")
    for row in inside.order_by("pk").iterator(500):
        if row.order is not None and row.pk not in list_won(row.order):
            yield f"{row.pk}: {row.order.number}"


for _check in (
    Check("plays", Text("Every play keeps the rules of its model", "每次参与都符合玩法规则"),
          broken_plays),
    Check("granted", Text("Rewards that wait are covered, to the last one",
                          "待发放的奖励都有对应的预留"), uneven_grants),
    Check("deeds", Text("Every change of a play is one act in its record",
                        "参与的每次变化都有一条操作记录"), uneven_deeds),
    Check("figures", Text("Every figure of a campaign agrees with the books",
                          "活动的每个数字都与账目一致"), wrong_figures),
    Check("coupons", Text("Every coupon lies on its owner's account, those in orders held",
                          "每张优惠券都在持有人账上，订单占用的均已冻结"), uneven_coupons),
    Check("coupon_orders", Text("A coupon in an order took something off its price",
                                "订单中的每张优惠券都实际抵扣了价格"), wrong_orders_of_coupons),
):  # fmt: skip
    register(_check)

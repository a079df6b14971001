"""What must hold of orders, payments, refunds and stock, asked of the live database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import BigIntegerField, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from qunluo.commerce.catalogue import PIECE
from qunluo.commerce.models import Order, OrderLine, Payment, Refund, RefundLine
from qunluo.commerce.rules import PAID
from qunluo.kit.text import Text
from qunluo.ledger.auditing import MOST, Check, register
from qunluo.ledger.models import Account, Hold

_NUMBER = BigIntegerField()


def _sum(rows: QuerySet[Any], column: str, of: str) -> Any:
    """Σ of a column of the rows that belong to the outer one."""
    summed = rows.order_by().values(of).annotate(total=Sum(column)).values("total")
    return Coalesce(Subquery(summed, output_field=_NUMBER), 0)


def _ours(community_id: int) -> QuerySet[Order]:
    return Order.objects.filter(community=community_id, elsewhere=False)


def wrong_money(community_id: int) -> Iterator[str]:
    """Paid is what the payments that were taken brought; given back is what refunds say."""
    taken = Payment.objects.filter(order=OuterRef("pk"), verdict="taken")
    back = Refund.objects.filter(order=OuterRef("pk"), by_itself=False)
    lines = OrderLine.objects.filter(order=OuterRef("pk"))
    rows = _ours(community_id).annotate(
        came=_sum(taken, "amount_minor", "order"), gone=_sum(back, "amount_minor", "order"),
        goods=_sum(lines, "amount_minor", "order"),
    )  # fmt: skip
    wrong = ~Q(paid_minor=F("came")) | ~Q(refunded_minor=F("gone"))
    wrong |= ~Q(total_minor=F("goods") + F("shipping_minor"))
    wrong |= Q(state__in=PAID) & ~Q(paid_minor=F("total_minor"))
    for order in rows.filter(wrong)[:MOST]:
        yield f"{order.number}: {order.paid_minor}, {order.refunded_minor}"


def kept_money(community_id: int) -> Iterator[str]:
    """Money that did not pay its order is on its way back, all of it."""
    back = Refund.objects.filter(payment=OuterRef("pk"), by_itself=True)
    rows = Payment.objects.filter(order__community=community_id).exclude(verdict="taken")
    summed = rows.annotate(gone=_sum(back, "amount_minor", "payment"))
    for payment in summed.exclude(gone=F("amount_minor")).select_related("order")[:MOST]:
        yield f"{payment.order.number}: {payment.key}"


def wrong_holds(community_id: int) -> Iterator[str]:
    """Every open order holds its pieces, and no other one holds any."""
    held = Hold.objects.filter(state="held").values("pk")
    lines = OrderLine.objects.filter(order__community=community_id)
    open_ones = lines.filter(order__state="created").exclude(hold_id__in=held)
    others = lines.exclude(order__state="created").filter(hold_id__in=held)
    for line in [*open_ones[:MOST], *others[:MOST]]:
        yield f"{line.order.number}: {line.sku}"


def wrong_sold(community_id: int) -> Iterator[str]:
    """What is sold is what was paid for and did not come back onto the shelf."""
    sold = OrderLine.objects.exclude(order__state__in=("created", "cancelled", "expired"))
    back = RefundLine.objects.filter(refund__restocked=True)
    counted = _by_variant(sold.filter(order__community=community_id), "variant")
    for pk, pieces in _by_variant(
        back.filter(refund__order__community=community_id), "line__variant"
    ).items():
        counted[pk] = counted.get(pk, 0) - pieces
    accounts = Account.objects.filter(community_id=community_id, kind="sold", unit=PIECE)
    for account in accounts:
        if account.balance != counted.pop(int(account.owner), 0):
            yield f"{account.owner}: {account.balance}"
    yield from (f"{pk}: {pieces}" for pk, pieces in counted.items() if pieces)


def _by_variant(rows: QuerySet[Any], of: str) -> dict[int, int]:
    return dict(rows.order_by().values_list(of).annotate(Sum("quantity")))


def wrong_returns(community_id: int) -> Iterator[str]:
    """Pieces given back are those that refunds name; an order that ended so has no money left."""
    back = RefundLine.objects.filter(line=OuterRef("pk"))
    lines = OrderLine.objects.filter(order__community=community_id)
    counted = lines.annotate(back=_sum(back, "quantity", "line"))
    for line in counted.exclude(returned=F("back")).select_related("order")[:MOST]:
        yield f"{line.order.number}: {line.sku}"
    rows = _ours(community_id).filter(state="refunded")
    for order in rows.exclude(refunded_minor=F("paid_minor"))[:MOST]:
        yield order.number


def stuck_refunds(community_id: int) -> Iterator[str]:
    """Money that could not be given back waits for a person."""
    rows = Refund.objects.filter(order__community=community_id, state="failed")
    for refund in rows.order_by("pk")[:MOST]:
        yield f"{refund.number}: {refund.problem}"


for _check in (
    Check("order_money", Text("Orders, payments and refunds agree", "订单、付款与退款一致"),
          wrong_money),
    Check("order_returned", Text("Money that paid nothing goes back", "未入账的付款均已退回"),
          kept_money),
    Check("order_holds", Text("Open orders hold their pieces, others none",
                              "待付款订单占用库存，其他订单不占用"), wrong_holds),
    Check("order_sold", Text("Pieces sold are those paid for", "已售数量与订单一致"), wrong_sold),
    Check("order_returns", Text("Pieces given back are those refunds name", "退货数量与退款一致"),
          wrong_returns),
    Check("order_refunds", Text("No refund waits for a person", "没有需要人工处理的退款"),
          stuck_refunds),
):  # fmt: skip
    register(_check)

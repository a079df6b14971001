"""What a person can put right when selling, paying and giving money back."""

from __future__ import annotations

from qunluo.kit.errors import QunluoError
from qunluo.kit.text import Text


class SoldOutError(QunluoError):
    """There are fewer pieces than were asked for."""

    code = "sold_out"
    sentence = Text(
        "Of “{title}” only {available} are left. Order that many, or come back later.",
        "“{title}”仅剩 {available} 件，请减少数量，或稍后再来。",
    )


class OffSaleError(QunluoError):
    code = "off_sale"
    sentence = Text(
        "“{title}” is not on sale at the moment.", "“{title}”目前未上架，暂时不能购买。"
    )


class WrongOrderError(QunluoError):
    """No lines, one thing twice, or a quantity that is none."""

    code = "wrong_order"
    sentence = Text(
        "Choose what to order, each thing once, 1 to {most} pieces of it.",
        "请选择商品，每种一次，数量为 1 到 {most}。",
    )


class KeyTakenError(QunluoError):
    """The key is that of another order, payment or refund."""

    code = "order_key_taken"
    sentence = Text(
        "This was sent before, with other contents. Begin again.",
        "该请求此前已提交，但内容不同，请重新开始。",
    )


class PointsShortError(QunluoError):
    """Fewer points than the price counts on: nothing is ordered at that price."""

    code = "points_short"
    sentence = Text(
        "It takes {needed} points and you have {available}. Order with fewer points.",
        "需要 {needed} 积分，你有 {available} 积分，请减少使用的积分后再下单。",
    )


class OrderMovedError(QunluoError):
    """Its state does not allow that, or somebody else was quicker."""

    code = "order_moved"
    sentence = Text(
        "This order is {state} now, so this can't be done. Load the page again.",
        "订单当前状态为“{state}”，不能这样操作，请刷新页面。",
    )


class NotToShipError(QunluoError):
    """What it was bought in is not decided yet."""

    code = "not_to_ship"
    sentence = Text("Its goods can't go out yet: {why}", "暂不能发货：{why}")


class WrongRefundError(QunluoError):
    """More than there is, or nothing."""

    code = "wrong_refund"
    sentence = Text(
        "That can't be given back: {left} is left of what was paid. Choose pieces that were not "
        "given back yet, or an amount up to that.",
        "无法退款：该订单还可退 {left}。请选择尚未退的商品，或填写不超过该数的金额。",
    )


class TooLateError(QunluoError):
    """The after-sale window is over, or the order is at its end."""

    code = "too_late_to_return"
    sentence = Text(
        "This order can't be given back by itself any more. Ask us: we decide about it.",
        "该订单已超过自助退款期限，请联系我们处理。",
    )


class RefundMovedError(QunluoError):
    code = "refund_moved"
    sentence = Text(
        "This refund is on its way or done already. Load the page again.",
        "这笔退款已在处理或已完成，请刷新页面。",
    )


class SkuTakenError(QunluoError):
    code = "sku_taken"
    sentence = Text(
        "Another variant has the code “{sku}”. Choose one that is yours alone.",
        "编码“{sku}”已被其他规格使用，请换一个。",
    )


class WrongProductError(QunluoError):
    code = "wrong_product"
    sentence = Text(
        "A product needs a name, and prices of 0 or more.",
        "商品需要名称，价格不能为负数。",
    )


class WrongStockError(QunluoError):
    """No change, no reason, or fewer pieces than there are."""

    code = "wrong_stock"
    sentence = Text(
        "Say how many pieces come or go, and why. {available} can go: the others are promised.",
        "请填写增减数量和原因。当前最多可减少 {available} 件，其余已被订单占用。",
    )


class WrongPriceRuleError(QunluoError):
    code = "wrong_price_rule"
    sentence = Text(
        "A price rule needs a name, a value of 0 or more, and an end after its beginning.",
        "价格规则需要名称，数值不能为负，结束时间应晚于开始时间。",
    )


class OwnOrderError(QunluoError):
    """The order was taken here: it is paid and given back here, not noted."""

    code = "own_order"
    sentence = Text(
        "The order {number} was taken here. It is paid and refunded here, too.",
        "订单 {number} 是在这里下的，请在这里付款或退款。",
    )


class OrderElsewhereError(QunluoError):
    """Another shop has the money: it gives it back, and tells us."""

    code = "order_elsewhere"
    sentence = Text(
        "Another shop took this order, and gives its money back. Note that when it has.",
        "该订单由其他店铺收款，请在原店铺退款后再登记。",
    )

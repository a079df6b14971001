"""The catalogue, and what was ordered, paid and given back.

Stock is no column here: it is an account of the ledger, (`sku`, variant, `piece`).
"""

from __future__ import annotations

from django.db import models

from qunluo.community.models import Community
from qunluo.members.models import Member
from qunluo.segments.models import Segment


def _choices(*names: str) -> list[tuple[str, str]]:
    return [(name, name) for name in names]


class Product(models.Model):
    """Something that is sold, in one or more variants. `role` is what it does for the
    assortment: bring people in, be bought every week, earn, be the hit, or be tried."""

    STATES = ("draft", "on_sale", "off_sale")
    ROLES = ("traffic", "regular", "high_margin", "hit", "seeding")

    community = models.ForeignKey(Community, models.CASCADE, related_name="products")
    title = models.CharField(max_length=120)
    text = models.TextField(blank=True)
    image = models.CharField(max_length=200, blank=True)  # below the folder of media
    role = models.CharField(max_length=12, default="regular", choices=_choices(*ROLES))
    state = models.CharField(max_length=10, default="draft", choices=_choices(*STATES))
    made_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["community", "state", "-id"], name="product_listed")]

    def __str__(self) -> str:
        return self.title


class Variant(models.Model):
    """What is counted and priced: one size, one colour."""

    community = models.ForeignKey(Community, models.CASCADE, related_name="+")
    product = models.ForeignKey(Product, models.CASCADE, related_name="variants")
    sku = models.CharField(max_length=40)
    title = models.CharField(max_length=80, blank=True)
    list_minor = models.BigIntegerField()
    cost_minor = models.BigIntegerField(default=0)
    weight_g = models.IntegerField(default=0)
    active = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["community", "sku"], name="one_variant_a_sku"),
            models.CheckConstraint(
                condition=models.Q(list_minor__gte=0, cost_minor__gte=0, weight_g__gte=0),
                name="variant_has_no_debts",
            ),
        ]

    def __str__(self) -> str:
        return self.shown

    @property
    def shown(self) -> str:
        """The product with what tells this variant from others."""
        return f"{self.product.title} · {self.title}" if self.title else self.product.title


class PriceRule(models.Model):
    """A price or discount of a time, for everybody or for a segment. See `pricing.Offer`."""

    PHASES = ("segment", "campaign", "coupon", "shipping")
    KINDS = ("unit_price", "percent", "amount")

    community = models.ForeignKey(Community, models.CASCADE, related_name="price_rules")
    name = models.CharField(max_length=80)
    phase = models.CharField(max_length=10, choices=_choices(*PHASES))
    kind = models.CharField(max_length=12, choices=_choices(*KINDS))
    value = models.BigIntegerField()
    cap_minor = models.BigIntegerField(null=True)
    threshold_minor = models.BigIntegerField(default=0)
    variants = models.ManyToManyField(Variant, related_name="price_rules", blank=True)
    segment = models.ForeignKey(Segment, models.PROTECT, null=True, related_name="+")
    exclusive = models.CharField(max_length=40, blank=True)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)
    active = models.BooleanField(default=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["community", "starts_at"], condition=models.Q(active=True),
                name="price_rule_in_force",
            )
        ]  # fmt: skip

    @property
    def percent(self) -> str:
        """`value` as people write a percentage."""
        return f"{self.value / 100:g}"


class Order(models.Model):
    """One order, from `created` to `completed`, or to an end before that. `elsewhere`: another
    shop took it, and it is only known here. `snapshot` is the whole reckoning of its price."""

    STATES = ("created", "paid", "fulfilled", "completed", "cancelled", "expired", "refunded")

    community = models.ForeignKey(  # "order_listed" begins with it
        Community, models.CASCADE, related_name="orders", db_index=False
    )
    number = models.CharField(max_length=80)
    member = models.ForeignKey(Member, models.PROTECT, related_name="orders")
    state = models.CharField(max_length=10, default="created", choices=_choices(*STATES))
    currency = models.CharField(max_length=3)
    total_minor = models.BigIntegerField()
    shipping_minor = models.BigIntegerField(default=0)  # a part of the total
    paid_minor = models.BigIntegerField(default=0)
    refunded_minor = models.BigIntegerField(default=0)
    points = models.BigIntegerField(default=0)  # spent on it
    snapshot = models.JSONField(default=dict)
    source = models.CharField(max_length=120, blank=True)  # "campaign:<id>:<ref>"
    elsewhere = models.BooleanField(default=False)
    store = models.CharField(max_length=80, blank=True)
    key = models.CharField(max_length=160, null=True)  # who asks again gets this order
    provider = models.CharField(max_length=20, blank=True)  # that the payer was sent to last
    address_sealed = models.TextField(blank=True)
    note = models.CharField(max_length=200, blank=True)
    pay_by = models.DateTimeField(null=True)
    at = models.DateTimeField()
    paid_at = models.DateTimeField(null=True)
    fulfilled_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)  # cancelled, expired or refunded
    closed_why = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["community", "number"], name="one_order_a_number"),
            models.UniqueConstraint(
                fields=["number"],
                condition=models.Q(elsewhere=False),
                name="our_numbers_differ",
            ),
            models.UniqueConstraint(fields=["community", "key"], name="one_order_a_key"),
            models.CheckConstraint(
                condition=models.Q(
                    refunded_minor__gte=0, refunded_minor__lte=models.F("paid_minor")
                ),
                name="no_more_back_than_paid",
            ),
        ]
        indexes = [
            models.Index(fields=["community", "state", "-id"], name="order_listed"),
            models.Index(fields=["source"], name="order_by_source"),
            models.Index(
                fields=["pay_by"], condition=models.Q(state="created"), name="order_to_expire"
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def left_minor(self) -> int:
        """What was paid and not given back."""
        return self.paid_minor - self.refunded_minor


class OrderLine(models.Model):
    """Some pieces of one variant, as they were when they were ordered."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="lines", db_index=False)
    variant = models.ForeignKey(Variant, models.PROTECT, related_name="+")
    title = models.CharField(max_length=220)
    sku = models.CharField(max_length=40)
    quantity = models.IntegerField()
    list_minor = models.BigIntegerField()  # of one piece
    cost_minor = models.BigIntegerField()
    amount_minor = models.BigIntegerField()  # to be paid for all of them
    points = models.BigIntegerField(default=0)  # spent on them
    reasons = models.JSONField(default=list)
    returned = models.IntegerField(default=0)  # pieces that were given money back for
    hold_id = models.BigIntegerField(null=True)  # of the ledger

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["order", "variant"], name="one_line_a_variant"),
            models.CheckConstraint(
                condition=models.Q(
                    quantity__gte=1, returned__gte=0, returned__lte=models.F("quantity")
                ),
                name="no_more_back_than_bought",
            ),
        ]


class Payment(models.Model):
    """Money that arrived for an order, once for the provider's key. Only one that is `taken`
    pays it; any other goes back by itself: it came `late`, `twice`, or was not the amount."""

    VERDICTS = ("taken", "late", "twice", "wrong_amount")

    order = models.ForeignKey(Order, models.CASCADE, related_name="payments")
    provider = models.CharField(max_length=20)
    key = models.CharField(max_length=80)
    amount_minor = models.BigIntegerField()
    verdict = models.CharField(max_length=12, choices=_choices(*VERDICTS))
    payer_hash = models.CharField(max_length=64, default="")  # a keyed hash; "": not told
    paid_at = models.DateTimeField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "key"], name="one_payment_a_key"),
            models.UniqueConstraint(
                fields=["order"],
                condition=models.Q(verdict="taken"),
                name="an_order_is_paid_once",
            ),
        ]


class Refund(models.Model):
    """Money on its way back. `number` is how the provider knows it; `whole`: nothing of the
    order stands after it; `by_itself`: of a payment that did not count; `by_hand`: a person has
    to send it, and says so."""

    STATES = ("asked", "sending", "sent", "by_hand", "done", "failed")

    order = models.ForeignKey(Order, models.CASCADE, related_name="refunds")
    payment = models.ForeignKey(Payment, models.CASCADE, null=True, related_name="refunds")
    number = models.CharField(max_length=100, unique=True)
    key = models.CharField(max_length=160)
    amount_minor = models.BigIntegerField()
    points = models.BigIntegerField(default=0)
    whole = models.BooleanField(default=False)
    by_itself = models.BooleanField(default=False)
    restocked = models.BooleanField(default=False)
    why = models.CharField(max_length=200)
    by = models.CharField(max_length=80)
    state = models.CharField(max_length=8, default="asked", choices=_choices(*STATES))
    tries = models.IntegerField(default=0)
    due_at = models.DateTimeField()
    problem = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["order", "key"], name="one_refund_a_key"),
            models.CheckConstraint(
                condition=models.Q(amount_minor__gte=0), name="refund_gives_back"
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"], condition=models.Q(state__in=["asked", "sending", "sent"]),
                name="refund_to_send",
            )
        ]  # fmt: skip


class RefundLine(models.Model):
    """Pieces of a line that money was given back for."""

    refund = models.ForeignKey(Refund, models.CASCADE, related_name="lines")
    line = models.ForeignKey(OrderLine, models.CASCADE, related_name="refunds")
    quantity = models.IntegerField()
    amount_minor = models.BigIntegerField()
    points = models.BigIntegerField(default=0)


class OrderImport(models.Model):
    """Orders out of a CSV: its columns, and how far it is."""

    STATES = ("mapping", "mapped", "queued", "running", "done", "failed")

    community = models.ForeignKey(Community, models.CASCADE, related_name="order_imports")
    by = models.CharField(max_length=80)
    file = models.CharField(max_length=200)
    title = models.CharField(max_length=200)
    mapping = models.JSONField(default=dict)
    state = models.CharField(max_length=10, default="mapping", choices=_choices(*STATES))
    read = models.IntegerField(default=0)
    made = models.IntegerField(default=0)
    known = models.IntegerField(default=0)
    rejected = models.IntegerField(default=0)
    rejects = models.JSONField(default=list)  # the first, without what they say
    at = models.DateTimeField()

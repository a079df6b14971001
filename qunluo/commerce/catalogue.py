"""The catalogue: products, their variants, and how many pieces there are.

Stock is value of the ledger: `("sku", variant, "piece")` is what lies on the shelf, a part of
it held for orders; `("sold", variant, "piece")` what was paid for. Nothing here writes a number
of pieces into a row, so no form that is saved late can lose what was sold meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from qunluo.commerce.errors import SkuTakenError, WrongProductError, WrongStockError
from qunluo.commerce.models import Product, Variant
from qunluo.community.models import Community
from qunluo.events.actions import record
from qunluo.kit import clock
from qunluo.kit.money import MOST
from qunluo.ledger.actions import Leg, do_open, do_open_outside, do_transfer
from qunluo.ledger.errors import ShortError
from qunluo.ledger.models import Account, Transfer
from qunluo.ledger.queries import Line, list_statement

PIECE = "piece"
SUPPLY = "supply"  # where pieces come from, and go to when they break
MOST_PIECES = 10_000_000


@dataclass(frozen=True)
class ProductForm:
    """What a product says of itself."""

    title: str
    text: str = ""
    role: str = "regular"
    state: str = "on_sale"
    image: str = ""


@dataclass(frozen=True)
class VariantForm:
    """What a variant is and costs; its stock is moved, not set."""

    sku: str
    list_minor: int
    title: str = ""
    cost_minor: int = 0
    weight_g: int = 0
    active: bool = True


@dataclass(frozen=True)
class Stock:
    """Pieces of a variant: on the shelf, promised to orders of them, and sold so far."""

    on_hand: int = 0
    held: int = 0
    sold: int = 0

    @property
    def available(self) -> int:
        return self.on_hand - self.held


# reading


def list_products(community: Community, *states: str) -> QuerySet[Product]:
    """Products in these states (none: all of them), the newest first."""
    rows = Product.objects.filter(community=community)
    rows = rows.filter(state__in=states) if states else rows
    return rows.prefetch_related("variants").order_by("-pk")


def list_stock(variants: Iterable[Variant]) -> dict[int, Stock]:
    """How many pieces of each there are, by the variant's id."""
    found = {variant.pk: Stock() for variant in variants}
    rows = Account.objects.filter(
        kind__in=("sku", "sold"), owner__in=[str(pk) for pk in found], unit=PIECE,
        community_id__in={variant.community_id for variant in variants},
    )  # fmt: skip
    for row in rows:
        stock = found[int(row.owner)]
        if row.kind == "sku":
            stock = replace(stock, on_hand=row.balance, held=row.held)
        else:
            stock = replace(stock, sold=row.balance)
        found[int(row.owner)] = stock
    return found


def stock_of(variant: Variant) -> Stock:
    return list_stock([variant])[variant.pk]


def list_movements(variant: Variant, *, limit: int = 50) -> list[Line]:
    """What came and went on the shelf, the latest first."""
    return list_statement(open_shelf(variant)[0], limit=limit)


# the accounts


def open_shelf(variant: Variant) -> tuple[Account, Account]:
    """A variant's two accounts. Made in this order, so that whoever locks by ascending keys
    takes the shelf before what is sold."""
    shelf = do_open(variant.community_id, "sku", variant.pk, PIECE)
    return shelf, do_open(variant.community_id, "sold", variant.pk, PIECE)


def find_shelves(variants: Iterable[Variant]) -> dict[int, Account]:
    """What is on hand of each, by the variant's id, in ascending order; one statement."""
    wanted = {variant.pk: variant for variant in variants}
    rows = Account.objects.filter(
        kind="sku", owner__in=[str(pk) for pk in wanted], unit=PIECE,
        community_id__in={variant.community_id for variant in wanted.values()},
    )  # fmt: skip
    found = {int(row.owner): row for row in rows}
    return {pk: found.get(pk) or open_shelf(wanted[pk])[0] for pk in sorted(wanted)}


# products


@transaction.atomic
def do_make_product(community: Community, form: ProductForm, *, by: str) -> Product:
    """A new product, without variants yet. Raises `WrongProductError`."""
    made = Product.objects.create(community=community, made_at=clock.now(), **_checked(form))
    record("product_made", community=community.pk, actor=by, data={"product": made.pk})
    return made


@transaction.atomic
def do_change_product(product: Product, form: ProductForm, *, by: str) -> Product:
    """Writes the columns of the form and no others. Raises `WrongProductError`."""
    values = _checked(form)
    if not form.image:
        del values["image"]
    Product.objects.filter(pk=product.pk).update(**values)
    product.refresh_from_db()
    record("product_changed", community=product.community_id, actor=by,
           data={"product": product.pk})  # fmt: skip
    return product


def _checked(form: ProductForm) -> dict[str, str]:
    values = {**asdict(form), "title": " ".join(form.title.split())[:120]}
    known = form.role in Product.ROLES and form.state in Product.STATES
    if not values["title"] or not known:
        raise WrongProductError
    return values


# variants


@transaction.atomic
def do_add_variant(product: Product, form: VariantForm, *, by: str) -> Variant:
    """A variant with an empty shelf. Raises `WrongProductError`, `SkuTakenError`."""
    values = _checked_variant(form)
    try:
        with transaction.atomic():
            made = Variant.objects.create(
                community_id=product.community_id, product=product, **values
            )
    except IntegrityError:
        raise SkuTakenError(sku=form.sku) from None
    open_shelf(made)
    _record("product_changed", made, by)
    return made


@transaction.atomic
def do_change_variant(variant: Variant, form: VariantForm, *, by: str) -> Variant:
    """Changes what it is and costs from the next order on. Raises `WrongProductError`,
    `SkuTakenError`."""
    values = _checked_variant(form)
    try:
        with transaction.atomic():
            Variant.objects.filter(pk=variant.pk).update(**values)
    except IntegrityError:
        raise SkuTakenError(sku=form.sku) from None
    variant.refresh_from_db()
    _record("product_changed", variant, by)
    return variant


def _checked_variant(form: VariantForm) -> dict[str, object]:
    numbers = (form.list_minor, form.cost_minor, form.weight_g)
    sku = form.sku.strip()[:40]
    if not sku or any(not 0 <= number <= MOST for number in numbers):
        raise WrongProductError
    return {**asdict(form), "sku": sku, "title": " ".join(form.title.split())[:80]}


def _record(kind: str, variant: Variant, by: str) -> None:
    data = {"product": variant.product_id, "variant": variant.pk, "sku": variant.sku}
    record(kind, community=variant.community_id, actor=by, data=data)


# stock


@transaction.atomic
def do_change_stock(variant: Variant, pieces: int, *, why: str, by: str, key: str) -> Transfer:
    """Pieces come (or go, when negative), for a reason; the same key once. What is promised to
    orders can't go. Raises `WrongStockError`."""
    shelf, _ = open_shelf(variant)
    if not pieces or abs(pieces) > MOST_PIECES or not why.strip():
        raise WrongStockError(available=shelf.available)
    outside = do_open_outside(variant.community_id, SUPPLY, PIECE)
    try:
        moved = do_transfer(
            variant.community_id, cause=f"stock:{variant.pk}:{key}", by=by, note=why.strip(),
            legs=[Leg(shelf, pieces), Leg(outside, -pieces)],
        )  # fmt: skip
    except ShortError as error:
        raise WrongStockError(available=error.data["available"]) from None
    record("stock_changed", community=variant.community_id, actor=by,
           data={"variant": variant.pk, "pieces": pieces, "why": why.strip()[:200]},
           cause=f"stock:{variant.community_id}:{variant.pk}:{key}"[:160])  # fmt: skip
    return moved

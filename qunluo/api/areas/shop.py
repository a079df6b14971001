"""The shop: products, their variants and stock, and prices of a time."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from ninja import Query, Schema
from pydantic import Field

from qunluo.api.errors import NotThereError
from qunluo.api.operations import Area, Call
from qunluo.api.paging import Page, Paging, cut
from qunluo.api.values import Id, Instant, Name, Number, Why, fetch
from qunluo.commerce import catalogue, offers
from qunluo.commerce.models import PriceRule, Product, Variant
from qunluo.segments.models import Segment

area = Area("shop")
MOST_MINOR = 10**12
Title = Annotated[str, Field(min_length=1, max_length=120, pattern=r"\S")]
Role = Literal["traffic", "regular", "high_margin", "hit", "seeding"]
ProductState = Literal["draft", "on_sale", "off_sale"]
Minor = Annotated[int, Field(ge=0, le=MOST_MINOR)]
"""Minor units, such as fen or cents, of the community's currency."""
Sku = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[!-~]+$")]
Pieces = Annotated[int, Field(ge=-catalogue.MOST_PIECES, le=catalogue.MOST_PIECES)]
Key = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[!-~]+$")]


class VariantOut(Schema):
    """`available` pieces can be sold; `held` ones are promised to orders that are not paid."""

    id: int
    product_id: int
    sku: str
    title: str
    list_minor: int
    weight_g: int
    active: bool
    available: int
    held: int
    sold: int


class ProductOut(Schema):
    id: int
    title: str
    text: str
    role: Role
    state: ProductState
    made_at: datetime
    variants: list[VariantOut]


class ProductIn(Schema):
    title: Title
    text: str = Field("", max_length=4_000)
    role: Role = "regular"
    state: ProductState = "on_sale"


class ProductChange(Schema):
    """What is left out stays as it is."""

    title: Title | None = None
    text: str | None = Field(None, max_length=4_000)
    role: Role | None = None
    state: ProductState | None = None


class VariantIn(Schema):
    sku: Sku
    list_minor: Minor
    title: str = Field("", max_length=80)
    cost_minor: Minor = 0
    weight_g: int = Field(0, ge=0, le=10**6)
    active: bool = True


class VariantChange(Schema):
    """What is left out stays as it is; orders that are there keep their price."""

    sku: Sku | None = None
    list_minor: Minor | None = None
    title: str | None = Field(None, max_length=80)
    cost_minor: Minor | None = None
    weight_g: int | None = Field(None, ge=0, le=10**6)
    active: bool | None = None


class StockIn(Schema):
    """Pieces that come, or go when negative. `key` names the movement: again, it is the same."""

    pieces: Pieces
    why: Why
    key: Key


class ProductsAsked(Paging):
    state: Literal["draft", "on_sale", "off_sale", "any"] = "any"


class PriceOut(Schema):
    """A price or discount of a time. `value` is minor units, or hundredths of a percent."""

    id: int
    name: str
    phase: Literal["segment", "campaign", "coupon", "shipping"]
    kind: Literal["unit_price", "percent", "amount"]
    value: int
    threshold_minor: int
    cap_minor: int | None
    variant_ids: list[int]
    segment_id: int | None
    exclusive: str
    starts_at: datetime
    ends_at: datetime | None


class PriceIn(Schema):
    name: Name
    phase: Literal["segment", "campaign", "coupon", "shipping"]
    kind: Literal["unit_price", "percent", "amount"]
    value: Minor
    threshold_minor: Minor = 0
    cap_minor: Minor | None = None
    variant_ids: list[Number] = Field(default_factory=list, max_length=100)
    segment_id: Number | None = None
    exclusive: str = Field("", max_length=40)
    starts_at: Instant
    ends_at: Instant | None = None


def _show_variant(row: Variant, stock: catalogue.Stock) -> dict[str, Any]:
    names = ("id", "product_id", "sku", "title", "list_minor", "weight_g", "active")
    counted = {"available": stock.available, "held": stock.held, "sold": stock.sold}
    return {**{name: getattr(row, name) for name in names}, **counted}


def _show(row: Product) -> dict[str, Any]:
    variants = list(row.variants.order_by("pk"))
    stock = catalogue.list_stock(variants)
    names = ("id", "title", "text", "role", "state", "made_at")
    shown = [_show_variant(variant, stock[variant.pk]) for variant in variants]
    return {**{name: getattr(row, name) for name in names}, "variants": shown}


def _product(request: Call, product_id: int) -> Product:
    return fetch(Product.objects.filter(community=request.auth.community), product_id)


def find_variant(request: Call, variant_id: int) -> Variant:
    rows = Variant.objects.filter(community=request.auth.community)
    return fetch(rows.select_related("product"), variant_id)


@area.get("/products", "shop:read", Page[ProductOut])
def list_products(request: Call, asked: Query[ProductsAsked]) -> dict[str, Any]:
    """Products with their variants and stock, the newest first."""
    states = () if asked.state == "any" else (asked.state,)
    rows = catalogue.list_products(request.auth.community, *states)
    return cut(rows, asked, of="products", show=_show)


@area.post("/products", "shop:write", ProductOut, 201)
def make_product(request: Call, body: ProductIn) -> dict[str, Any]:
    """Puts a product into the catalogue."""
    form = catalogue.ProductForm(**body.model_dump())
    return _show(catalogue.do_make_product(request.auth.community, form, by=request.auth.actor))


@area.patch("/products/{product_id}", "shop:write", ProductOut)
def change_product(request: Call, product_id: Id, body: ProductChange) -> dict[str, Any]:
    """Changes what a product says of itself."""
    row = _product(request, product_id)
    known = {name: getattr(row, name) for name in ProductChange.model_fields}
    form = catalogue.ProductForm(**{**known, **body.model_dump(exclude_none=True)})
    return _show(catalogue.do_change_product(row, form, by=request.auth.actor))


@area.post("/products/{product_id}/variants", "shop:write", VariantOut, 201)
def add_variant(request: Call, product_id: Id, body: VariantIn) -> dict[str, Any]:
    """A variant with an empty shelf."""
    form = catalogue.VariantForm(**body.model_dump())
    made = catalogue.do_add_variant(_product(request, product_id), form, by=request.auth.actor)
    return _show_variant(made, catalogue.stock_of(made))


@area.patch("/variants/{variant_id}", "shop:write", VariantOut)
def change_variant(request: Call, variant_id: Id, body: VariantChange) -> dict[str, Any]:
    """Changes what a variant is and costs from the next order on."""
    row = find_variant(request, variant_id)
    known = {name: getattr(row, name) for name in VariantChange.model_fields}
    form = catalogue.VariantForm(**{**known, **body.model_dump(exclude_none=True)})
    catalogue.do_change_variant(row, form, by=request.auth.actor)
    return _show_variant(row, catalogue.stock_of(row))


@area.post("/variants/{variant_id}/stock", "shop:write", VariantOut)
def move_stock(request: Call, variant_id: Id, body: StockIn) -> dict[str, Any]:
    """Pieces come or go, for a reason; what is promised to orders can't go."""
    row = find_variant(request, variant_id)
    catalogue.do_change_stock(row, body.pieces, why=body.why, by=request.auth.actor,
                              key=f"api:{body.key}")  # fmt: skip
    return _show_variant(row, catalogue.stock_of(row))


def _show_price(row: PriceRule) -> dict[str, Any]:
    names = [name for name in PriceOut.model_fields if name != "variant_ids"]
    named = sorted(variant.pk for variant in row.variants.all())
    return {**{name: getattr(row, name) for name in names}, "variant_ids": named}


@area.get("/prices", "shop:read", Page[PriceOut])
def list_prices(request: Call, asked: Query[Paging]) -> dict[str, Any]:
    """Prices and discounts in force or to come, the latest first."""
    rows = offers.list_rules(request.auth.community)
    return cut(rows, asked, of="prices", show=_show_price)


@area.post("/prices", "shop:write", PriceOut, 201)
def make_price(request: Call, body: PriceIn) -> dict[str, Any]:
    """A price or discount of a time, for everybody or for a segment."""
    values = body.model_dump(exclude={"variant_ids", "segment_id"})
    rows = Variant.objects.filter(community=request.auth.community, pk__in=body.variant_ids)
    variants = list(rows)
    if len(variants) != len(set(body.variant_ids)):
        raise NotThereError
    segments = Segment.objects.filter(community=request.auth.community)
    segment = fetch(segments, body.segment_id) if body.segment_id else None
    form = offers.RuleForm(**values, variants=variants, segment=segment)
    return _show_price(offers.do_make_rule(request.auth.community, form, by=request.auth.actor))


@area.delete("/prices/{price_id}", "shop:write")
def end_price(request: Call, price_id: Id) -> None:
    """It counts no more from now on; orders that are there keep their price."""
    row = fetch(PriceRule.objects.filter(community=request.auth.community), price_id)
    offers.do_end_rule(row, by=request.auth.actor)

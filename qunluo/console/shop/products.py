"""The catalogue: products with their variants, and stock that moves for a reason."""

from __future__ import annotations

import secrets
from typing import Any, cast

from django.core.files.uploadedfile import UploadedFile
from django.http import FileResponse, Http404, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from qunluo.channels.web.images import CONTENT_TYPE, MOST_BYTES
from qunluo.channels.web.product_images import find_product_image, keep_product_image
from qunluo.commerce.catalogue import (
    ProductForm,
    VariantForm,
    do_add_variant,
    do_change_product,
    do_change_stock,
    do_change_variant,
    do_make_product,
    list_movements,
    list_products,
    list_stock,
)
from qunluo.commerce.models import Product, Variant
from qunluo.community.queries import settings_of
from qunluo.console.access import StaffRequest, staff_view
from qunluo.console.people.answering import REFUSED, done, found, telling
from qunluo.console.shop.forms import ProductFields, ShopForm, StockFields, VariantFields
from qunluo.console.uploads import Arrived
from qunluo.console.wording import current_lang
from qunluo.kit.errors import QunluoError

PAGE = 100
FORM = require_http_methods(["GET", "HEAD", "POST"])
TABS = ("on_sale", "draft", "off_sale")


@staff_view("see_shop")
@require_safe
def products(request: StaffRequest) -> HttpResponse:
    state = request.GET.get("show", "on_sale")
    state = state if state in TABS else "on_sale"
    rows = list(list_products(request.community, state)[:PAGE])
    variants = [variant for row in rows for variant in row.variants.all()]
    context = {
        "rows": rows, "state": state, "tabs": TABS, "stock": list_stock(variants),
        "currency": settings_of(request.community).currency,
    }  # fmt: skip
    return render(request, "console/shop/products.html", context)


def _find(request: StaffRequest, product_id: int) -> Product:
    rows = Product.objects.filter(community=request.community)
    return found(rows.select_related("community"), product_id)


def _find_variant(request: StaffRequest, variant_id: int) -> Variant:
    rows = Variant.objects.filter(community=request.community)
    return found(rows.select_related("product__community"), variant_id)


@staff_view("run_shop")
@FORM
def new(request: StaffRequest) -> HttpResponse:
    form = ProductFields(request.community, request.POST or None)
    if form.is_valid():
        try:
            wanted = ProductForm(**form.cleaned_data, image=_picture(request))
            made = do_make_product(request.community, wanted, by=request.staff.actor)
        except QunluoError as error:
            form.add_error(None, error.message(current_lang()))
        else:
            said = _("It is in the catalogue. Add what of it can be ordered.")
            return done(request, said, "shop:product", made.pk)
    return _form(request, form, _("A new product"))


def _picture(request: StaffRequest) -> str:
    """The picture that came along, drawn anew; none is no fault."""
    sent = cast("UploadedFile[bytes] | None", request.FILES.get("picture"))
    if not isinstance(sent, Arrived) or not sent.size:
        return ""
    with sent.path.open("rb") as file:
        return keep_product_image(file.read(MOST_BYTES + 1), request.community.pk)


def _form(request: StaffRequest, form: ShopForm, title: str, **more: Any) -> HttpResponse:
    context = {"form": form, "title": title, **more}
    status = REFUSED if form.is_bound else 200
    return render(request, "console/shop/form.html", context, status=status)


@staff_view("see_shop")
@require_safe
def product(request: StaffRequest, product_id: int) -> HttpResponse:
    """One product: its variants, how many there are of each, and what came and went."""
    row = _find(request, product_id)
    variants = list(row.variants.order_by("pk"))
    context = {
        "row": row, "variants": variants, "stock": list_stock(variants),
        "currency": settings_of(request.community).currency, "key": secrets.token_hex(8),
        "moves": {variant.pk: list_movements(variant, limit=10) for variant in variants},
    }  # fmt: skip
    return render(request, "console/shop/product.html", context)


@staff_view("run_shop")
@FORM
def edit(request: StaffRequest, product_id: int) -> HttpResponse:
    row = _find(request, product_id)
    known = {name: getattr(row, name) for name in ProductFields.base_fields}
    form = ProductFields(request.community, request.POST or None, initial=known)
    if form.is_valid():
        try:
            wanted = ProductForm(**form.cleaned_data, image=_picture(request))
            do_change_product(row, wanted, by=request.staff.actor)
        except QunluoError as error:
            form.add_error(None, error.message(current_lang()))
        else:
            return done(request, _("The product is changed."), "shop:product", row.pk)
    return _form(request, form, _("Change the product"), product=row)


@staff_view("run_shop")
@FORM
def new_variant(request: StaffRequest, product_id: int) -> HttpResponse:
    row = _find(request, product_id)
    form = VariantFields(request.community, request.POST or None)
    if form.is_valid():
        try:
            do_add_variant(row, VariantForm(**form.cleaned_data), by=request.staff.actor)
        except QunluoError as error:
            form.add_error(None, error.message(current_lang()))
        else:
            said = _("It can be ordered as soon as there are pieces of it.")
            return done(request, said, "shop:product", row.pk)
    return _form(request, form, _("Add a variant"), product=row, plain=True)


@staff_view("run_shop")
@FORM
def edit_variant(request: StaffRequest, variant_id: int) -> HttpResponse:
    row = _find_variant(request, variant_id)
    known = {name: getattr(row, name) for name in VariantFields.base_fields}
    form = VariantFields(request.community, request.POST or None, initial=known)
    if form.is_valid():
        try:
            do_change_variant(row, VariantForm(**form.cleaned_data), by=request.staff.actor)
        except QunluoError as error:
            form.add_error(None, error.message(current_lang()))
        else:
            said = _("Changed; orders that are there keep their price.")
            return done(request, said, "shop:product", row.product_id)
    return _form(request, form, _("Change the variant"), product=row.product, plain=True)


@staff_view("run_shop")
@require_POST
@telling
def move_stock(request: StaffRequest, variant_id: int) -> HttpResponseBase:
    """Pieces come or go, for a reason; a second tap is the same movement."""
    row, form = _find_variant(request, variant_id), StockFields(request.POST)
    pieces, why = (
        (form.cleaned_data[n] for n in ("pieces", "why")) if form.is_valid() else (0, "")
    )
    key = f"console:{request.POST.get('key', '')[:40]}"
    do_change_stock(row, pieces, why=why, by=request.staff.actor, key=key)
    return done(request, _("The stock has moved."), "shop:product", row.product_id)


@staff_view("see_shop")
@require_safe
def image(request: StaffRequest, product_id: int) -> HttpResponseBase:
    """The picture, as a picture and nothing else."""
    path = find_product_image(_find(request, product_id).image)
    if path is None:
        raise Http404
    response = FileResponse(path.open("rb"), content_type=CONTENT_TYPE)
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cache-Control"] = "private, max-age=300"
    return response

"""Addresses of the shop's pages."""

from __future__ import annotations

from django.urls import path

from qunluo.console.shop import importing, orders, prices, products

app_name = "shop"
_ORDER = "orders/<int:order_id>"
_PRODUCT = "products/<int:product_id>"
_VARIANT = "variants/<int:variant_id>"
_IMPORT = "imports/<int:import_id>"
urlpatterns = [
    path("", orders.home, name="home"),
    path("orders", orders.orders, name="orders"),
    path(_ORDER, orders.order, name="order"),
    path(f"{_ORDER}/move", orders.move, name="move_order"),
    path(f"{_ORDER}/refund", orders.refund, name="refund"),
    path("refunds/<int:refund_id>", orders.settle, name="settle_refund"),
    path("products", products.products, name="products"),
    path("products/new", products.new, name="new_product"),
    path(_PRODUCT, products.product, name="product"),
    path(f"{_PRODUCT}/edit", products.edit, name="edit_product"),
    path(f"{_PRODUCT}/image", products.image, name="product_image"),
    path(f"{_PRODUCT}/variants", products.new_variant, name="new_variant"),
    path(f"{_VARIANT}/edit", products.edit_variant, name="edit_variant"),
    path(f"{_VARIANT}/stock", products.move_stock, name="move_stock"),
    path("prices", prices.prices, name="prices"),
    path("prices/<int:rule_id>/end", prices.end, name="end_rule"),
    path("imports", importing.imports, name="imports"),
    path(_IMPORT, importing.one, name="import"),
    path(f"{_IMPORT}/run", importing.run, name="import_run"),
    path(f"{_IMPORT}/state", importing.state, name="import_state"),
]

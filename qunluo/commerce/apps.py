"""Selling."""

from django.apps import AppConfig


class Config(AppConfig):
    name = "qunluo.commerce"
    label = "commerce"
    default_auto_field = "django.db.models.BigAutoField"

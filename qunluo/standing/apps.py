"""Standing: who is where, and why."""

from django.apps import AppConfig


class Config(AppConfig):
    name = "qunluo.standing"
    label = "standing"
    default_auto_field = "django.db.models.BigAutoField"

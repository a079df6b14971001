"""Selling."""

from django.apps import AppConfig


class Config(AppConfig):
    name = "qunluo.commerce"
    label = "commerce"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from qunluo.commerce import auditing, tasks  # noqa: F401 - register checks and steps
        from qunluo.commerce.erasing import erase
        from qunluo.commerce.joining import caution
        from qunluo.members import erasing, merging

        erasing.register(erase)
        merging.register(caution)

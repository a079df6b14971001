"""The ledger."""

from django.apps import AppConfig


class Config(AppConfig):
    name = "qunluo.ledger"
    label = "ledger"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from qunluo.ledger import auditing  # noqa: F401 - registers what must hold here

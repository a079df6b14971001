"""Taking money, and giving it back."""

from django.apps import AppConfig


class Config(AppConfig):
    name = "qunluo.payments"
    label = "payments"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.conf import settings

        from qunluo.commerce.provider import register
        from qunluo.payments import tasks  # noqa: F401 - registers the worker's steps
        from qunluo.payments.providers import make_providers

        for provider in make_providers(settings.QUNLUO.payments):
            register(provider)

from importlib import import_module

from django.apps import AppConfig


class Config(AppConfig):
    name = "qunluo.events"
    label = "events"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        import_module("qunluo.events.rows")  # its lookup is known to every model from now on

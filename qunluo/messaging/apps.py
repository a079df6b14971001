"""What comes in from a channel and what goes out to one."""

from django.apps import AppConfig


class Config(AppConfig):
    name = "qunluo.messaging"
    label = "messaging"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from qunluo.members.erasing import register  # noqa: PLC0415 - models are loaded
        from qunluo.messaging import queries  # noqa: F401, PLC0415 - declares its index
        from qunluo.messaging.erasing import erase  # noqa: PLC0415

        register(erase)

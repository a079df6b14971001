"""What comes in from a channel and what goes out to one."""

from django.apps import AppConfig


class Config(AppConfig):
    name = "qunluo.messaging"
    label = "messaging"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from qunluo.members.erasing import register
        from qunluo.messaging import queries  # noqa: F401 - declares its index
        from qunluo.messaging.erasing import erase

        register(erase)

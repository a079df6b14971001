"""Standing: who is where, and why."""

from django.apps import AppConfig


class Config(AppConfig):
    name = "qunluo.standing"
    label = "standing"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Where an erased member stood goes with them."""
        from qunluo.members.erasing import register
        from qunluo.standing.erasing import erase

        register(erase)

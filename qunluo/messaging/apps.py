"""What comes in from a channel and what goes out to one."""

from django.apps import AppConfig


class Config(AppConfig):
    name = "qunluo.messaging"
    label = "messaging"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from qunluo.groups.succession import register_hand_over
        from qunluo.members.erasing import register
        from qunluo.messaging import queries  # noqa: F401 - declares its index
        from qunluo.messaging.erasing import erase
        from qunluo.messaging.replies import pass_replies_on

        register(erase)
        register_hand_over("replies", pass_replies_on)

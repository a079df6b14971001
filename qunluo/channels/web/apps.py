from django.apps import AppConfig


class Config(AppConfig):
    name = "qunluo.channels.web"
    label = "web"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from qunluo.channels.web.channel import WebChannel
        from qunluo.channels.web.erasing import erase
        from qunluo.members.erasing import register as register_eraser
        from qunluo.messaging.channel import register

        register(WebChannel())
        register_eraser(erase)

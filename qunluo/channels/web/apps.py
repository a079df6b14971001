from django.apps import AppConfig


class Config(AppConfig):
    name = "qunluo.channels.web"
    label = "web"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from qunluo.channels.web.channel import WebChannel  # noqa: PLC0415 - models are loaded
        from qunluo.channels.web.erasing import erase  # noqa: PLC0415
        from qunluo.members.erasing import register as register_eraser  # noqa: PLC0415
        from qunluo.messaging.channel import register  # noqa: PLC0415

        register(WebChannel())
        register_eraser(erase)

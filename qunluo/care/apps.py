"""Looking after people."""

from django.apps import AppConfig


class Config(AppConfig):
    name = "qunluo.care"
    label = "care"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from qunluo.care import tasks  # noqa: F401 - registers the worker's steps
        from qunluo.care.erasing import erase
        from qunluo.members.erasing import register

        register(erase)

"""The API for programs, its tokens and webhooks."""

from django.apps import AppConfig


class Config(AppConfig):
    name = "qunluo.api"
    label = "api"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """The worker sends what webhooks wait for."""
        from qunluo.api import actions, tasks
        from qunluo.messaging.tasks import Task, register

        register(Task("api.webhooks", tasks.look_after, every_s=0.2))
        register(Task("api.keys", actions.do_forget, every_s=600.0))

"""People: members, their accounts, tags, sources, consent."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class Config(AppConfig):
    name = "qunluo.members"
    label = "members"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Renews what migrations drop on SQLite."""
        from qunluo.members.fulltext import renew_triggers

        post_migrate.connect(renew_triggers, dispatch_uid="members.fulltext")

"""Campaigns."""

from django.apps import AppConfig


class Config(AppConfig):
    name = "qunluo.campaigns"
    label = "campaigns"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from qunluo.campaigns import (  # noqa: F401 - register what they bring
            alarm,
            arriving,
            auditing,
            gifts,
            scoring,
            tasks,
        )
        from qunluo.campaigns.erasing import erase
        from qunluo.members.erasing import register

        register(erase)

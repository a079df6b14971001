from django.apps import AppConfig


class Config(AppConfig):
    name = "qunluo.groups"
    label = "groups"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """A segment that is a gate stays."""
        from qunluo.groups.queries import list_gated
        from qunluo.segments.queries import register_uses

        register_uses(list_gated)

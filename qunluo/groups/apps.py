from django.apps import AppConfig


class Config(AppConfig):
    name = "qunluo.groups"
    label = "groups"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """A segment that is a gate stays; a successor is guarded as its predecessor was."""
        from qunluo.groups.queries import list_gated
        from qunluo.groups.succession import pass_rules_on, register_hand_over
        from qunluo.segments.queries import register_uses

        register_uses(list_gated)
        register_hand_over("rules", pass_rules_on)

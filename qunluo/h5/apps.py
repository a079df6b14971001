from django.apps import AppConfig


class Config(AppConfig):
    name = "qunluo.h5"
    label = "h5"
    default_auto_field = "django.db.models.BigAutoField"

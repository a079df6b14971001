"""Segments: who is meant."""

from django.apps import AppConfig


class Config(AppConfig):
    name = "qunluo.segments"
    label = "segments"
    default_auto_field = "django.db.models.BigAutoField"

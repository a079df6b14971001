"""A community, the people who work for it, and their roles."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AbstractUser
from django.db import models

from qunluo.community.rules import ROLES


class User(AbstractUser):
    """Somebody who signs in to the console; members have no accounts here."""

    lang = models.CharField(max_length=10, blank=True)


class Community(models.Model):
    """The whole that groups and members belong to. `settings` holds what differs from
    `rules.DEFAULTS`."""

    name = models.CharField(max_length=80)
    slug = models.SlugField(max_length=40, unique=True)
    zone = models.CharField(max_length=40, default="Asia/Shanghai")
    lang = models.CharField(max_length=10, default="zh-hans")
    settings = models.JSONField(default=dict, blank=True)
    simulated = models.BooleanField(default=False)  # the sample that lives
    made_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "communities"

    def __str__(self) -> str:
        return self.name


class Staff(models.Model):
    """A user's role in a community."""

    community = models.ForeignKey(Community, models.CASCADE, related_name="staff")
    user = models.ForeignKey(User, models.CASCADE, related_name="posts")
    role = models.CharField(max_length=20, choices=[(role, role) for role in ROLES])
    name = models.CharField(max_length=60, blank=True)  # as members see it
    on_duty = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["community", "user"], name="one_role_each")
        ]

    def __str__(self) -> str:
        return self.shown

    @property
    def shown(self) -> str:
        return self.name or self.user.get_full_name() or self.user.username

    @property
    def actor(self) -> str:
        """How the record names them."""
        return f"staff:{self.pk}"

    def save(self, **kwargs: Any) -> None:
        self.full_clean(exclude=["community", "user"])
        super().save(**kwargs)

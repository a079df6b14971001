"""Named segments."""

from __future__ import annotations

from django.db import models

from qunluo.community.models import Community


class Segment(models.Model):
    """Who is meant, under a name; `tree` is read by `rules.check`."""

    community = models.ForeignKey(Community, models.CASCADE, related_name="segments")
    name = models.CharField(max_length=80)
    tree = models.JSONField()
    by = models.CharField(max_length=80)
    made_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["community", "name"], name="one_segment_each")
        ]

    def __str__(self) -> str:
        return self.name

"""What is known of members in sums per local day, and what follows from it.

Sums don't care in which order or in which batches events came. They name members by plain ids,
twice: `origin_id` as the event does, `member_id` who that is by now. So a merge of members, and
its undoing, changes who a row is of and counts nothing again.
"""

from __future__ import annotations

from django.db import models

from qunluo.community.models import Community
from qunluo.events.models import Place
from qunluo.members.models import Member

STAFF = 0  # the partner that stands for all of the staff, in `Contact`


class Tally(models.Model):
    """How often a member did something on a day of the community's zone; see `facts.KINDS`."""

    community = models.ForeignKey(Community, models.CASCADE, related_name="+", db_index=False)
    member_id = models.BigIntegerField()
    origin_id = models.BigIntegerField()
    kind = models.CharField(max_length=20)
    day = models.DateField()
    n = models.IntegerField(default=0)
    amount_minor = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["origin_id", "kind", "day"], name="one_tally_a_day")
        ]
        indexes = [
            models.Index(fields=["member_id", "kind", "day"], name="tally_of_member"),
            models.Index(fields=["community", "kind", "day"], name="tally_of_kind"),
        ]


class Contact(models.Model):
    """How often one member turned to another on a day: a reply, mention, reaction, an invite …
    Either side may be `STAFF`."""

    KINDS = ("reply", "mention", "reaction", "invite", "order", "gathering")

    community = models.ForeignKey(Community, models.CASCADE, related_name="+", db_index=False)
    member_id = models.BigIntegerField()
    other_id = models.BigIntegerField()
    origin_id = models.BigIntegerField()
    other_origin_id = models.BigIntegerField()
    kind = models.CharField(max_length=10)
    day = models.DateField()
    n = models.IntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["community", "origin_id", "other_origin_id", "kind", "day"],
                name="one_contact_a_day",
            )
        ]
        indexes = [
            models.Index(fields=["member_id", "day"], name="contact_of_member"),
            models.Index(fields=["other_id", "day"], name="contact_with_member"),
            models.Index(fields=["community", "day"], name="contact_of_day"),
        ]


class Standing(models.Model):
    """Where one member stands as of `judged_on`. On which evidence is not kept but told anew from
    the same sums (`queries.find_why`): it is longer than all the rest."""

    LIFECYCLES = ("new", "growing", "mature", "silent", "lost")
    PHASES = ("ripen", "extend", "win_back")
    CIRCLES = ("core", "influence", "periphery")

    member = models.OneToOneField(
        Member, models.CASCADE, primary_key=True, related_name="standing"
    )
    community = models.ForeignKey(Community, models.CASCADE, related_name="standings")
    lifecycle = models.CharField(max_length=10, default="new")
    phase = models.CharField(max_length=10, default="ripen")
    trust = models.SmallIntegerField(default=0)  # 0 unaware … 6 advocate
    circle = models.CharField(max_length=10, default="periphery")
    recency = models.SmallIntegerField(default=0)  # classes 1 to 5; 0: no order that stands
    frequency = models.SmallIntegerField(default=0)
    monetary = models.SmallIntegerField(default=0)
    intimacy = models.IntegerField(default=0)  # points
    level = models.SmallIntegerField(default=0)  # which of the community's levels
    product = models.SmallIntegerField(default=0)  # core values, 0 to 100
    bringing = models.SmallIntegerField(default=0)
    content = models.SmallIntegerField(default=0)
    revenue = models.SmallIntegerField(default=0)
    churn = models.SmallIntegerField(default=0)  # risk, 0 to 100
    flags = models.JSONField(default=list)  # refunded, left, removed
    groups = models.IntegerField(default=0)  # in how many now
    joined_on = models.DateField(null=True)
    active_on = models.DateField(null=True)  # last
    ordered_on = models.DateField(null=True)  # last
    orders = models.IntegerField(default=0)  # that stand
    spent_minor = models.BigIntegerField(default=0)  # less what was refunded
    influence = models.FloatField(default=0.0)  # of the last four weeks; 1: as much as the mean
    weeks = models.SmallIntegerField(default=0)  # active ones of the last four
    placed = models.CharField(max_length=10, default="periphery")  # circle by the evidence
    lower_since = models.DateField(null=True)  # since when a lower circle would be due
    judged_on = models.DateField()
    revision = models.BigIntegerField(default=0)  # of `Reckoning`, when this was judged

    class Meta:
        indexes = [
            models.Index(fields=["community", "revision"], name="standing_revision"),
            models.Index(fields=["community", "lifecycle"], name="standing_lifecycle"),
            models.Index(fields=["community", "trust"], name="standing_trust"),
            models.Index(fields=["community", "circle"], name="standing_circle"),
        ]


class StandingChange(models.Model):
    """One move of a member: the history of their standing."""

    member = models.ForeignKey(Member, models.CASCADE, related_name="standing_changes")
    name = models.CharField(max_length=20)
    before = models.CharField(max_length=60)  # all flags together are 21
    after = models.CharField(max_length=60)
    why = models.JSONField(default=dict)  # {"en", "zh"}
    by = models.CharField(max_length=80)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["member", "-id"], name="change_of_member")]


class Correction(models.Model):
    """A value that a person set right by hand: it wins until it is lifted."""

    member = models.ForeignKey(Member, models.CASCADE, related_name="corrections")
    name = models.CharField(max_length=20)
    value = models.CharField(max_length=20)
    why = models.CharField(max_length=200)
    by = models.CharField(max_length=80)
    at = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True)
    lifted_by = models.CharField(max_length=80, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["member", "name"], condition=models.Q(lifted_at=None),
                name="corrected_once",
            )
        ]  # fmt: skip


class Reckoning(models.Model):
    """What a community's last full night found, so that a day can be judged by it: the borders
    of the quintiles; and who runs the next one."""

    community = models.OneToOneField(
        Community, models.CASCADE, primary_key=True, related_name="reckoning"
    )
    judged_on = models.DateField(null=True)  # the local day of the last full one
    borders = models.JSONField(default=dict)  # recency, frequency, monetary: four cuts each
    claimed_until = models.DateTimeField(null=True)  # by the worker that runs it
    behind = models.BigIntegerField(null=True)  # all is counted anew: the last event counted
    behind_transaction = models.BigIntegerField(default=0)  # and its transaction
    revision = models.BigIntegerField(default=0)  # one more whenever members are judged
    recounted = models.BigIntegerField(default=0)  # the revision when all was last counted anew

    @property
    def place(self) -> Place:
        """The last event that was counted anew."""
        return Place(self.behind_transaction, self.behind or 0)


class Tie(models.Model):
    """What two members have between them 关系, as of `judged_on`; see `tie_rules`."""

    community = models.ForeignKey(Community, models.CASCADE, related_name="+", db_index=False)
    one = models.ForeignKey(Member, models.CASCADE, related_name="+", db_index=False)
    other = models.ForeignKey(Member, models.CASCADE, related_name="+")  # the larger id
    kinds = models.JSONField()  # kind of contact → how often
    dimension = models.SmallIntegerField()  # kinds of contact
    frequency = models.FloatField()  # contacts a week
    weeks = models.FloatField()  # since the first
    strong = models.BooleanField(default=False)  # all three above the community's median
    since = models.DateField()
    last_on = models.DateField()
    judged_on = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["one", "other"], name="one_tie_each"),
            models.CheckConstraint(
                condition=models.Q(one__lt=models.F("other")), name="tie_has_one_direction"
            ),
        ]
        indexes = [
            models.Index(fields=["community", "dimension"], name="tie_dimension"),
            models.Index(fields=["community", "frequency"], name="tie_frequency"),
            models.Index(fields=["community", "weeks"], name="tie_weeks"),
        ]


class TieMedian(models.Model):
    """The middle of a community's ties on its last night: what a strong one is above."""

    community = models.OneToOneField(
        Community, models.CASCADE, primary_key=True, related_name="tie_median"
    )
    dimension = models.FloatField()
    frequency = models.FloatField()
    weeks = models.FloatField()
    ties = models.IntegerField()
    judged_on = models.DateField()

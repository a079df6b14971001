"""Campaigns, the versions of their rules, their plays, and what every act left."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q

from qunluo.campaigns.inviting import Attribution, Evidence, Mark, Suspicion, Visit
from qunluo.commerce.models import Order
from qunluo.community.models import Community
from qunluo.groups.models import Group
from qunluo.members.models import Member
from qunluo.segments.models import Segment

__all__ = [
    "STATES", "Attribution", "Campaign", "CampaignVersion", "Coupon", "Deed", "Evidence", "Following",
    "Mark", "Play", "Purchase", "Reward", "Slot", "Suspicion", "Visit",
]  # fmt: skip
STATES = ("draft", "running", "paused", "stopped", "ended")


class Campaign(models.Model):
    """A mechanic with rules, an audience, a budget (a ledger account) and a window
    `[starts_at, ends_at)`. `seed` stays secret until the end; its `commitment` is published
    at the start, so that every draw can be verified."""

    community = models.ForeignKey(Community, models.CASCADE, related_name="campaigns")
    name = models.CharField(max_length=80)
    mechanic = models.CharField(max_length=30)
    goal = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=10, default="draft")
    code = models.SlugField(max_length=24, unique=True)  # of its address
    zone = models.CharField(max_length=40)
    starts_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)
    segment = models.ForeignKey(Segment, models.PROTECT, null=True, related_name="+")
    group = models.ForeignKey(Group, models.PROTECT, null=True, related_name="campaigns")
    version = models.ForeignKey(
        "CampaignVersion", models.PROTECT, null=True, related_name="+"
    )  # in force
    seed = models.CharField(max_length=64)
    commitment = models.CharField(max_length=64)
    made_at = models.DateTimeField()
    by = models.CharField(max_length=80)
    closed_at = models.DateTimeField(null=True)
    why = models.CharField(max_length=200, blank=True)  # it was paused or stopped

    class Meta:
        indexes = [models.Index(fields=["community", "state"], name="campaign_running")]

    def __str__(self) -> str:
        return self.name


class CampaignVersion(models.Model):
    """Rules as they were in force; a play keeps the version it began under."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="versions")
    number = models.IntegerField()
    rules = models.JSONField()
    reasons = models.JSONField(default=dict)  # why a warning was accepted, by its code
    at = models.DateTimeField()
    by = models.CharField(max_length=80)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "number"], name="one_version_a_number")
        ]


def _within(name: str) -> Any:
    """Of rows that are only written by acts of a campaign that was just read (members' acts hold
    it, see `playing`), and that go with it: the database need not look for it once more a row,
    in a crowd a third of what it checked. The unique key of each begins with it, so it needs no
    index of its own."""
    return models.ForeignKey(
        Campaign, models.CASCADE, related_name=name, db_constraint=False, db_index=False
    )


class Play(models.Model):
    """One instance of a campaign: a team, a task, somebody's bargain."""

    campaign = _within("plays")
    version = models.ForeignKey(
        CampaignVersion, models.PROTECT, related_name="+", db_constraint=False
    )
    key = models.CharField(max_length=60)
    state = models.JSONField()
    revision = models.IntegerField()
    deadline = models.DateTimeField(null=True)
    starter = models.ForeignKey(
        Member, models.PROTECT, null=True, related_name="+", db_index=False
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "key"], name="one_play_a_key")
        ]
        indexes = [
            models.Index(fields=["deadline"], condition=Q(deadline__isnull=False),
                         name="play_due"),
            models.Index(fields=["starter", "campaign"], name="play_of_member"),
        ]  # fmt: skip


class Slot(models.Model):
    """How many of a limited thing are taken: "helped task 7", "draws of member 5 today"."""

    campaign = _within("slots")
    name = models.CharField(max_length=120)
    taken = models.IntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "name"], name="one_slot_a_name"),
            models.CheckConstraint(condition=Q(taken__gte=0), name="slot_is_not_negative"),
        ]


class Reward(models.Model):
    """A grant and what became of it: pending → paid, or clawed back."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="rewards")
    play = models.CharField(max_length=60)
    name = models.CharField(max_length=200)  # rule, member and cause
    rule = models.CharField(max_length=60)
    member = models.ForeignKey(Member, models.PROTECT, related_name="rewards")
    cause = models.CharField(max_length=120)
    unit = models.CharField(max_length=60)
    amount = models.BigIntegerField()
    source = models.CharField(max_length=80)
    vests = models.CharField(max_length=5)
    vests_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=12, default="pending")
    why = models.CharField(max_length=200, blank=True)  # it was taken back
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "name"], name="one_reward_a_cause")
        ]
        indexes = [
            models.Index(fields=["vests_at"], condition=Q(state="pending", vests="at"),
                         name="reward_due"),
            models.Index(fields=["member", "-id"], name="reward_of_member"),
        ]  # fmt: skip


class Coupon(models.Model):
    """One coupon of somebody's; its life is in `mechanics.coupon_life`. `template` are the rules
    that say what it takes off, as they were when it was given (None: the shop does not know it,
    the team redeems it). On the ledger it is one piece of the member's account of `unit`."""

    FREE = ("issued", "returned")
    IN_ORDER = ("locked", "used")

    reward = models.ForeignKey(Reward, models.PROTECT, related_name="coupons")
    number = models.IntegerField()  # of the coupons of one reward
    member = models.ForeignKey(Member, models.PROTECT, related_name="coupons")
    unit = models.CharField(max_length=60)
    template = models.ForeignKey(CampaignVersion, models.PROTECT, null=True, related_name="+")
    state = models.CharField(max_length=10, default="issued")
    valid_from = models.DateTimeField()
    valid_until = models.DateTimeField(null=True)
    order = models.ForeignKey(Order, models.PROTECT, null=True, related_name="coupons")
    hold_id = models.BigIntegerField(null=True)  # of the ledger, while it is locked

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["reward", "number"], name="one_coupon_a_number"),
            models.CheckConstraint(
                condition=Q(state__in=["locked", "used"], order__isnull=False)
                | (~Q(state__in=["locked", "used"]) & Q(order__isnull=True)),
                name="coupon_in_its_order",
            ),
        ]
        indexes = [
            models.Index(fields=["member", "state"], name="coupon_of_member"),
            models.Index(fields=["valid_until"], condition=Q(state__in=["issued", "returned"]),
                         name="coupon_to_expire"),
        ]  # fmt: skip

    @property
    def name(self) -> str:
        return self.unit.partition(":")[2]


class Deed(models.Model):
    """An act that happened, once for its key, and what it answered."""

    campaign = _within("deeds")
    key = models.CharField(max_length=120)
    play = models.CharField(max_length=60)
    kind = models.CharField(max_length=30)
    member = models.ForeignKey(Member, models.PROTECT, null=True, related_name="+")
    revision = models.IntegerField()
    at = models.DateTimeField()
    answer = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "key"], name="one_deed_a_key")
        ]
        indexes = [models.Index(fields=["campaign", "play", "id"], name="deed_of_play")]


class Purchase(models.Model):
    """Which order a play asked for, by its name within the campaign."""

    campaign = _within("purchases")
    play = models.CharField(max_length=60)
    ref = models.CharField(max_length=100)
    order = models.OneToOneField(Order, models.PROTECT, related_name="purchase")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "ref"], name="one_purchase_a_ref")
        ]


class Following(models.Model):
    """An act that follows from another, to be carried out in a transaction of its own."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="following")
    play = models.CharField(max_length=60)
    kind = models.CharField(max_length=30)
    key = models.CharField(max_length=120)
    member = models.ForeignKey(Member, models.PROTECT, null=True, related_name="+")
    data = models.JSONField(default=dict)
    at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    refused = models.CharField(max_length=60, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "key"], name="one_following_a_key")
        ]
        indexes = [
            models.Index(fields=["id"], condition=Q(done_at=None), name="following_open")
        ]

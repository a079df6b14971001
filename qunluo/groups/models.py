"""Groups, who is in them, and what is not welcome there."""

from __future__ import annotations

from datetime import datetime

from django.db import models

from qunluo.community.models import Community
from qunluo.members.models import Member


class Group(models.Model):
    """A chat group. `gate` and `place` are read by `rules`; `purpose` to `success` answer what
    it is for before it is made."""

    STATES = ("setup", "growing", "mature", "silent", "closing", "dissolved")

    community = models.ForeignKey(Community, models.CASCADE, related_name="groups")
    name = models.CharField(max_length=80)
    channel = models.CharField(max_length=20, default="web")
    external_id = models.CharField(max_length=120, blank=True)
    code = models.SlugField(max_length=30, unique=True)  # in its join link
    blueprint = models.CharField(max_length=20, blank=True)  # it was founded from
    purpose = models.TextField()
    audience = models.TextField(blank=True)
    gives = models.TextField(blank=True)
    success = models.TextField(blank=True)
    state = models.CharField(
        max_length=10, default="setup", choices=[(state, state) for state in STATES]
    )
    capacity = models.IntegerField(default=200)
    taken = models.IntegerField(default=0)  # seats; moved by conditional statements only
    gate = models.JSONField(default=dict, blank=True)  # {"kind": "open"}, see groups.rules.Gate
    tags = models.JSONField(default=list, blank=True)  # ids of tags its people share
    lat = models.FloatField(null=True, blank=True)
    lon = models.FloatField(null=True, blank=True)
    goal = models.JSONField(default=dict, blank=True)  # {"members": 100}: it closes when met
    opens_at = models.DateTimeField(null=True, blank=True)  # nobody joins by themselves before
    ends_at = models.DateTimeField(null=True, blank=True)
    successor = models.ForeignKey("self", models.SET_NULL, null=True, related_name="before")
    welcome = models.TextField(blank=True)  # with {name}, {group}, {gives}, {rules}
    rules = models.TextField(blank=True)
    nickname = models.CharField(max_length=80, blank=True)  # such as {city}-{nick}
    pinned = models.JSONField(default=list, blank=True)  # benefits: {"title", "text"}
    made_at = models.DateTimeField()
    closing_at = models.DateTimeField(null=True)  # since when it says goodbye
    closed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["community", "state"], name="group_of_community")]

    def __str__(self) -> str:
        return self.name

    @property
    def opened_at(self) -> datetime:
        """Since when its time runs."""
        return self.opens_at or self.made_at


class StaffTask(models.Model):
    """Something for the staff to do, by when and why; a group's launch checklist is made of
    them. `step` is one of the checklist (plan, build, seed, open, week), or empty."""

    community = models.ForeignKey(Community, models.CASCADE, related_name="staff_tasks")
    group = models.ForeignKey(
        Group, models.CASCADE, null=True, blank=True, related_name="staff_tasks"
    )
    step = models.CharField(max_length=10, blank=True)
    title = models.CharField(max_length=200)
    why = models.CharField(max_length=400, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    made_at = models.DateTimeField()
    by = models.CharField(max_length=80)
    done_at = models.DateTimeField(null=True)
    done_by = models.CharField(max_length=80, blank=True)

    class Meta:
        indexes = [models.Index(fields=["community", "done_at", "due_at"], name="task_due")]

    def __str__(self) -> str:
        return self.title


class Positioning(models.Model):
    """Where a group stood in a month: intent × order value, from what was counted; empty where
    the data does not carry it."""

    group = models.ForeignKey(Group, models.CASCADE, related_name="positions")
    month = models.DateField()  # its first day, in the community's zone
    intent = models.CharField(max_length=4, blank=True)  # high, low
    order_value = models.CharField(max_length=4, blank=True)
    facts = models.JSONField()  # of groups.positioning.Facts
    reasons = models.JSONField()  # [{"en", "zh"}]
    move = models.JSONField()  # {"en", "zh"}
    suggests = models.CharField(max_length=20, blank=True)  # a blueprint
    judged_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["group", "month"], name="one_position_a_month")
        ]


class Membership(models.Model):
    """A member in a group; leaving ends it, joining again begins another."""

    group = models.ForeignKey(Group, models.CASCADE, related_name="memberships")
    member = models.ForeignKey(Member, models.CASCADE, related_name="memberships")
    nickname = models.CharField(max_length=80, blank=True)
    reminders = models.IntegerField(default=0)  # of the nickname template
    reminded_at = models.DateTimeField(null=True)
    moderator = models.BooleanField(default=False)
    why = models.JSONField(default=list)  # the routing's reasons
    joined_at = models.DateTimeField()
    welcomed_at = models.DateTimeField(null=True)
    left_at = models.DateTimeField(null=True)
    left_why = models.CharField(max_length=20, blank=True)  # left, removed, closed, erased
    case = models.ForeignKey(
        "Case", models.SET_NULL, null=True, related_name="ended"
    )  # removed by
    read_id = models.BigIntegerField(default=0)  # the last message they saw

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["group", "member"], condition=models.Q(left_at=None),
                name="in_a_group_once",
            )
        ]  # fmt: skip
        indexes = [models.Index(fields=["member", "-id"], name="membership_of_member")]


class JoinRequest(models.Model):
    """Somebody at a gate that asks for approval."""

    group = models.ForeignKey(Group, models.CASCADE, related_name="requests")
    member = models.ForeignKey(Member, models.CASCADE, related_name="+")
    text = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField()
    state = models.CharField(max_length=10, default="waiting")  # approved, refused
    by = models.CharField(max_length=80, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["group", "member"], condition=models.Q(state="waiting"),
                name="one_request_each",
            )
        ]  # fmt: skip


class ModerationRule(models.Model):
    """A detector switched on, in one group or in all; in shadow it only says what it would do."""

    community = models.ForeignKey(Community, models.CASCADE, related_name="moderation_rules")
    group = models.ForeignKey(Group, models.CASCADE, null=True, blank=True, related_name="+")
    detector = models.CharField(max_length=30)
    options = models.JSONField(default=dict, blank=True)
    shadow = models.BooleanField(default=True)
    active = models.BooleanField(default=True)
    made_at = models.DateTimeField()


class Said(models.Model):
    """That somebody said something a moment ago: floods and repeats are seen by it. Kept for
    minutes; `digest` tells equal texts, not what they were."""

    group = models.ForeignKey(Group, models.CASCADE, related_name="+")
    member = models.ForeignKey(Member, models.CASCADE, related_name="+")
    digest = models.BigIntegerField()
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["member", "at"], name="said_by_member")]


class Case(models.Model):
    """A message that a rule took exception to: evidence, what was done, and what came of it."""

    ACTS = ("none", "hold", "remind", "warn", "remove", "ban")
    STATES = ("open", "upheld", "undone", "appealed")

    community = models.ForeignKey(Community, models.CASCADE, related_name="cases")
    group = models.ForeignKey(Group, models.CASCADE, related_name="cases")
    member = models.ForeignKey(Member, models.CASCADE, related_name="cases")
    message_id = models.BigIntegerField(null=True)
    text = models.TextField(blank=True)
    score = models.FloatField()
    evidence = models.JSONField()  # [{"detector", "score", "words", "why"}]
    act = models.CharField(max_length=10, choices=[(act, act) for act in ACTS])
    shadow = models.BooleanField(default=False)
    state = models.CharField(
        max_length=10, default="open", choices=[(state, state) for state in STATES]
    )
    appeal = models.TextField(blank=True)
    appealed_at = models.DateTimeField(null=True)
    by = models.CharField(max_length=80)
    decided_by = models.CharField(max_length=80, blank=True)
    decided_at = models.DateTimeField(null=True)
    why = models.TextField(blank=True)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["community", "state", "-id"], name="case_queue")]

    @property
    def stands(self) -> bool:
        """Whether what was done is still in force."""
        return self.state != "undone" and not self.shadow


class Strike(models.Model):
    """One step on the ladder; it expires, and falls with its case."""

    member = models.ForeignKey(Member, models.CASCADE, related_name="strikes")
    case = models.OneToOneField(Case, models.CASCADE, related_name="strike")
    at = models.DateTimeField()
    expires_at = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True)


class Ban(models.Model):
    """Somebody who may not come back, until it is lifted."""

    community = models.ForeignKey(Community, models.CASCADE, related_name="bans")
    member = models.ForeignKey(Member, models.CASCADE, related_name="bans")
    case = models.ForeignKey(Case, models.SET_NULL, null=True, related_name="bans")
    why = models.CharField(max_length=200)
    by = models.CharField(max_length=80)
    at = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["community", "member"], condition=models.Q(lifted_at=None),
                name="banned_once",
            )
        ]  # fmt: skip

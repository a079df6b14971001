"""What was said, what came in, what goes out."""

from __future__ import annotations

from django.db import models

from qunluo.community.models import Community
from qunluo.events.models import TransactionNumber
from qunluo.groups.models import Group
from qunluo.members.models import Member


class Message(models.Model):
    """One message of a group, by a member, the staff or Qunluo itself (`label` says which).

    `revision` grows with every change that a reader must see (recall, reaction, removal); it is
    given out by `Room`, one number after the other in each group.
    """

    group = models.ForeignKey(Group, models.CASCADE, related_name="messages")
    member = models.ForeignKey(Member, models.SET_NULL, null=True, related_name="messages")
    staff_id = models.BigIntegerField(null=True)
    label = models.CharField(max_length=10, default="member")  # member, staff, auto, system
    name = models.CharField(max_length=80)  # as shown then
    kind = models.CharField(max_length=10, default="text")  # text, image, join, leave, notice
    text = models.TextField(blank=True)
    image = models.CharField(max_length=120, blank=True)  # below the data folder
    reply_to = models.ForeignKey("self", models.SET_NULL, null=True, related_name="replies")
    mentions = models.JSONField(default=list)  # member ids
    reactions = models.JSONField(default=dict)  # emoji → member ids
    external_id = models.CharField(max_length=120, null=True)
    search = models.TextField(blank=True)  # kit.grams of the text
    at = models.DateTimeField()
    recalled_at = models.DateTimeField(null=True)
    hidden_at = models.DateTimeField(null=True)  # removed by moderation
    revision = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["group", "external_id"], name="one_message_each")
        ]
        indexes = [
            models.Index(fields=["group", "-id"], name="message_newest"),
            models.Index(fields=["group", "revision"], name="message_changes"),
            models.Index(fields=["member", "-id"], name="message_of_member"),
            models.Index(
                fields=["image"], condition=~models.Q(image=""), name="message_of_picture"
            ),
        ]


class Room(models.Model):
    """The last revision given out in a group: readers ask for what is newer than theirs."""

    group = models.OneToOneField(Group, models.CASCADE, primary_key=True, related_name="room")
    revision = models.BigIntegerField(default=0)


class Inbound(models.Model):
    """Everything a channel brought, once: `key` is the channel's own name for it."""

    channel = models.CharField(max_length=20)
    key = models.CharField(max_length=160)
    kind = models.CharField(max_length=20)
    body = models.JSONField()
    at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    message = models.ForeignKey(Message, models.SET_NULL, null=True, related_name="+")
    why = models.CharField(max_length=200, blank=True)  # nothing came of it, or it went wrong
    attempts = models.IntegerField(default=0)
    transaction = models.BigIntegerField(db_default=TransactionNumber())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["channel", "key"], name="inbound_once")]
        indexes = [
            models.Index(fields=["id"], condition=models.Q(done_at=None), name="inbound_waiting"
            )
        ]  # fmt: skip


class Delivery(models.Model):
    """One thing that leaves for one group or person: planned, claimed, sent at most once,
    answered for. `cause` is unique: the same reason sends once."""

    STATES = ("planned", "claimed", "sent", "received", "failed", "unknown", "dropped")

    community = models.ForeignKey(Community, models.CASCADE, related_name="deliveries")
    channel = models.CharField(max_length=20)
    kind = models.CharField(max_length=20)  # post, direct, welcome, pin, remove, …
    purpose = models.CharField(max_length=20, default="service")  # of consent
    group = models.ForeignKey(Group, models.CASCADE, null=True, related_name="deliveries")
    member = models.ForeignKey(Member, models.CASCADE, null=True, related_name="deliveries")
    body = models.JSONField()
    cause = models.CharField(max_length=160, unique=True)
    due_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)  # a welcome's window
    state = models.CharField(
        max_length=10, default="planned", choices=[(state, state) for state in STATES]
    )
    claimed_at = models.DateTimeField(null=True)
    claimed_until = models.DateTimeField(null=True)
    claim = models.CharField(max_length=40, blank=True)
    attempts = models.IntegerField(default=0)
    own_act = models.BooleanField(default=False)  # answers what the member just did
    message = models.ForeignKey(Message, models.SET_NULL, null=True, related_name="+")
    receipt = models.JSONField(default=dict)
    why = models.CharField(max_length=200, blank=True)  # dropped or failed
    sent_at = models.DateTimeField(null=True)
    made_at = models.DateTimeField()

    @property
    def key(self) -> str:
        """What a channel knows it by: the same at every attempt."""
        return f"delivery-{self.pk}"

    class Meta:
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(state="planned"), name="delivery_due"
            ),
            models.Index(fields=["claimed_until"], condition=models.Q(state="claimed"), name="delivery_leased"
            ),
            models.Index(fields=["member", "-id"], name="delivery_of_member"),
            models.Index(fields=["group", "kind", "-id"], name="delivery_of_group"),
        ]  # fmt: skip


class AutoReply(models.Model):
    """An answer that is known: exact, contains or regex; the highest priority that fits."""

    HOWS = ("exact", "contains", "regex")

    community = models.ForeignKey(Community, models.CASCADE, related_name="auto_replies")
    group = models.ForeignKey(Group, models.CASCADE, null=True, blank=True, related_name="+")
    how = models.CharField(max_length=10, choices=[(how, how) for how in HOWS])
    pattern = models.CharField(max_length=200)
    answer = models.TextField()
    priority = models.IntegerField(default=0)
    group_cooldown_s = models.IntegerField(default=60)
    member_cooldown_s = models.IntegerField(default=600)
    hours = models.JSONField(default=list, blank=True)  # [[9, 18]] local; none: always
    active = models.BooleanField(default=True)


class AutoReplyUse(models.Model):
    """When an auto-reply last answered in a group, and to a member there: its cooldowns."""

    reply = models.ForeignKey(AutoReply, models.CASCADE, related_name="uses")
    group = models.ForeignKey(Group, models.CASCADE, related_name="+")
    member = models.ForeignKey(Member, models.CASCADE, related_name="+")
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["reply", "group", "-id"], name="auto_reply_last")]


class Question(models.Model):
    """A question that no rule answered: for the person on duty, with a timer."""

    community = models.ForeignKey(Community, models.CASCADE, related_name="questions")
    message = models.OneToOneField(Message, models.CASCADE, related_name="question")
    member = models.ForeignKey(Member, models.CASCADE, related_name="questions")
    staff_id = models.BigIntegerField(null=True)  # on duty when it was asked
    due_at = models.DateTimeField()
    at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    answer = models.ForeignKey(Message, models.SET_NULL, null=True, related_name="+")
    closed_why = models.CharField(max_length=20, blank=True)  # answered, dismissed, recalled

    class Meta:
        indexes = [
            models.Index(fields=["community", "answered_at", "due_at"], name="question_waiting")
        ]

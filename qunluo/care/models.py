"""What is done for members, and what they do for the community."""

from __future__ import annotations

from django.db import models

from qunluo.community.models import Community, Staff
from qunluo.groups.models import Group
from qunluo.members.models import Member
from qunluo.messaging.models import Message


class Wish(models.Model):
    """What members want 心愿单. `votes` is the number of its `Support` rows, moved with them."""

    STATES = ("open", "product", "campaign", "no", "merged", "aside")

    community = models.ForeignKey(Community, models.CASCADE, related_name="wishes")
    member = models.ForeignKey(Member, models.SET_NULL, null=True, related_name="wishes")
    title = models.CharField(max_length=120)
    text = models.TextField(blank=True)
    state = models.CharField(
        max_length=10, default="open", choices=[(state, state) for state in STATES]
    )
    votes = models.IntegerField(default=0)
    merged_into = models.ForeignKey("self", models.SET_NULL, null=True, related_name="absorbed")
    answer = models.TextField(blank=True)
    answered_by = models.CharField(max_length=80, blank=True)
    answered_at = models.DateTimeField(null=True)
    told_id = models.BigIntegerField(default=0)  # the last support whose member was told
    told_at = models.DateTimeField(null=True)  # all of them were
    by = models.CharField(max_length=80)
    at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["community", "state", "-votes"], name="wish_ranking"),
            models.Index(
                fields=["answered_at"],
                condition=models.Q(answered_at__isnull=False, told_at=None),
                name="wish_to_tell",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def answered(self) -> bool:
        return self.state in ("product", "campaign", "no")


class Support(models.Model):
    """One member's vote for one wish."""

    wish = models.ForeignKey(Wish, models.CASCADE, related_name="supports")
    member = models.ForeignKey(Member, models.CASCADE, related_name="supports")
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["wish", "member"], name="one_vote_each")]


class WishMerge(models.Model):
    """Two wishes that are one; `moved` are the votes that went over, to give them back."""

    kept = models.ForeignKey(Wish, models.CASCADE, related_name="merges")
    gone = models.ForeignKey(Wish, models.CASCADE, related_name="+")
    moved = models.JSONField(default=list)
    by = models.CharField(max_length=80)
    at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True)


class Need(models.Model):
    """A need or a complaint that somebody voiced in talk: suggests a wish, or is dismissed. The
    words stay with the message, which can be taken back."""

    community = models.ForeignKey(Community, models.CASCADE, related_name="needs")
    group = models.ForeignKey(Group, models.CASCADE, related_name="needs")
    member = models.ForeignKey(Member, models.CASCADE, related_name="needs")
    message = models.OneToOneField(Message, models.CASCADE, related_name="need")
    family = models.CharField(max_length=20)  # of insight.metrics.wishes.FAMILIES
    at = models.DateTimeField()
    state = models.CharField(max_length=10, default="open")  # taken, dismissed
    wish = models.ForeignKey(Wish, models.SET_NULL, null=True, related_name="needs")
    by = models.CharField(max_length=80, blank=True)
    why = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["community", "state", "-at"], name="need_waiting"),
            models.Index(fields=["group", "at"], name="need_of_group"),
        ]


class Trigger(models.Model):
    """What opens an incident by itself, as this community set it, with its own scripts. What is
    empty is as in the handbook."""

    KINDS = ("negatives", "words", "refunds", "leaves", "hand")  # by hand: scripts only

    community = models.ForeignKey(Community, models.CASCADE, related_name="triggers")
    kind = models.CharField(max_length=12, choices=[(kind, kind) for kind in KINDS])
    active = models.BooleanField(default=True)
    options = models.JSONField(default=dict)  # of rules.TRIGGERS, where it differs
    before = models.TextField(blank=True)  # one step a line
    during = models.TextField(blank=True)
    after = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["community", "kind"], name="one_trigger_each")
        ]


class Incident(models.Model):
    """Something that needs people now: why it was opened, whose it is, and what was done."""

    STATES = ("open", "handled", "closed")

    community = models.ForeignKey(Community, models.CASCADE, related_name="incidents")
    group = models.ForeignKey(Group, models.CASCADE, null=True, related_name="incidents")
    kind = models.CharField(max_length=12, choices=[(kind, kind) for kind in Trigger.KINDS])
    why = models.JSONField()  # {"en", "zh"}
    evidence = models.JSONField(default=dict)  # counts, and "messages": ids
    state = models.CharField(
        max_length=10, default="open", choices=[(state, state) for state in STATES]
    )
    owner = models.ForeignKey(Staff, models.SET_NULL, null=True, related_name="incidents")
    steps = models.JSONField(default=list)  # what is done: ["during:0", …]
    outcome = models.TextField(blank=True)
    by = models.CharField(max_length=80)
    at = models.DateTimeField()
    handled_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["community", "kind", "group"],
                condition=~models.Q(state="closed"), name="one_incident_of_a_group",
            ),
            models.UniqueConstraint(
                fields=["community", "kind"],
                condition=~models.Q(state="closed") & models.Q(group=None),
                name="one_incident_everywhere",
            ),
        ]  # fmt: skip
        indexes = [models.Index(fields=["community", "state", "-id"], name="incident_queue")]


class IncidentNote(models.Model):
    """One line of an incident's timeline."""

    incident = models.ForeignKey(Incident, models.CASCADE, related_name="notes")
    what = models.CharField(max_length=12)  # opened, owned, noted, done, undone, handled, …
    text = models.TextField(blank=True)
    by = models.CharField(max_length=80)
    at = models.DateTimeField()


class PatrolSlot(models.Model):
    """Who looks through which groups when, each week 巡群. Hours are the community's."""

    community = models.ForeignKey(Community, models.CASCADE, related_name="patrol_slots")
    staff = models.ForeignKey(Staff, models.SET_NULL, null=True, related_name="patrol_slots")
    groups = models.JSONField(default=list)  # ids; none: every running group
    days = models.JSONField()  # 0 is Monday
    since = models.TimeField()
    until = models.TimeField()  # not after `since`: on the next day
    checklist = models.TextField(blank=True)  # one line each; empty: the usual ones
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)


class Patrol(models.Model):
    """One round that was done: at most one for each slot and day."""

    slot = models.ForeignKey(PatrolSlot, models.CASCADE, related_name="patrols")
    on = models.DateField()  # the local day on which the round begins
    ticked = models.JSONField(default=list)  # the lines of the checklist, as they were
    note = models.TextField(blank=True)
    by = models.CharField(max_length=80)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["slot", "on"], name="one_patrol_each")]


class Promise(models.Model):
    """A member was promised attention: how often, by whom. Contact debt is counted from it."""

    community = models.ForeignKey(Community, models.CASCADE, related_name="promises")
    member = models.ForeignKey(Member, models.CASCADE, related_name="promises")
    every_days = models.IntegerField()
    staff = models.ForeignKey(Staff, models.SET_NULL, null=True, related_name="promises")
    what = models.CharField(max_length=200)  # such as "yearly plan, skin adviser"
    since = models.DateField()
    by = models.CharField(max_length=80)
    at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ended_why = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["member"], condition=models.Q(ended_at=None), name="one_promise_each"
            )
        ]


class Exchange(models.Model):
    """A real exchange with a member that no group saw: a call, a visit, a letter."""

    community = models.ForeignKey(Community, models.CASCADE, related_name="exchanges")
    member = models.ForeignKey(Member, models.CASCADE, related_name="exchanges")
    text = models.TextField()
    by = models.CharField(max_length=80)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["member", "-at"], name="exchange_of_member")]

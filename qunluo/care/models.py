"""What is done for members, and what they do for the community."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Greatest, Least

from qunluo.community.models import Community, Staff
from qunluo.groups.models import Group
from qunluo.members.models import Member, Tag
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
    reopened_at = models.DateTimeField(null=True)  # after an answer, while it is open again
    reopened_why = models.CharField(max_length=200, blank=True)
    turn = models.PositiveSmallIntegerField(default=0)  # how often an answer was taken back
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
            models.Index(
                fields=["reopened_at"],
                condition=models.Q(reopened_at__isnull=False, told_at=None),
                name="wish_to_tell_again",
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

    KINDS = ("negatives", "words", "refunds", "leaves", "audit", "hand")  # hand: scripts only

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


class Testimony(models.Model):
    """What a buyer says of what they bought 客户见证. It is shown only while it is approved and
    its member allows it."""

    STATES = ("waiting", "approved", "refused")

    community = models.ForeignKey(Community, models.CASCADE, related_name="testimonies")
    group = models.ForeignKey(Group, models.SET_NULL, null=True, related_name="testimonies")
    member = models.ForeignKey(Member, models.CASCADE, related_name="testimonies")
    text = models.TextField()
    image = models.CharField(max_length=120, blank=True)  # below the data folder
    order = models.CharField(max_length=80, blank=True)  # its number, as the member gave it
    state = models.CharField(
        max_length=10, default="waiting", choices=[(state, state) for state in STATES]
    )
    consented_at = models.DateTimeField(null=True)  # may be shown since; none: may not
    why = models.CharField(max_length=200, blank=True)
    decided_by = models.CharField(max_length=80, blank=True)
    decided_at = models.DateTimeField(null=True)
    at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["community", "state", "-id"], name="testimony_queue"),
            models.Index(fields=["group", "state", "-id"], name="testimony_of_group"),
        ]

    @property
    def shown(self) -> bool:
        return self.state == "approved" and self.consented_at is not None


class Gathering(models.Model):
    """People come together at a time, in a place or online. `taken` seats are moved by
    conditional statements only."""

    community = models.ForeignKey(Community, models.CASCADE, related_name="gatherings")
    group = models.ForeignKey(Group, models.CASCADE, null=True, related_name="gatherings")
    title = models.CharField(max_length=120)
    text = models.TextField(blank=True)
    place = models.CharField(max_length=300)  # an address, or a link where it is online
    online = models.BooleanField(default=False)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    capacity = models.IntegerField()
    taken = models.IntegerField(default=0)
    code = models.CharField(max_length=6)  # told on the spot, to note who was there
    state = models.CharField(max_length=10, default="open")  # cancelled
    follow_up = models.TextField(blank=True)  # to those who came
    missed_you = models.TextField(blank=True)  # to those who had a seat and did not
    reminded_h = models.IntegerField(default=0)  # the last reminder that went out, hours before
    followed_at = models.DateTimeField(null=True)
    by = models.CharField(max_length=80)
    made_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["community", "-starts_at"], name="gathering_newest"),
            models.Index(
                fields=["starts_at"], condition=models.Q(state="open", followed_at=None),
                name="gathering_to_tell",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.title


class SignUp(models.Model):
    """Somebody who wants to come, or came."""

    STATES = ("seated", "waiting", "gone", "extra")  # extra: came without a seat

    gathering = models.ForeignKey(Gathering, models.CASCADE, related_name="signups")
    member = models.ForeignKey(Member, models.CASCADE, related_name="signups")
    state = models.CharField(max_length=10, choices=[(state, state) for state in STATES])
    at = models.DateTimeField()  # of signing up last: the order of the waiting list
    attended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["gathering", "member"], name="one_signup_each")
        ]
        indexes = [models.Index(fields=["gathering", "state", "at"], name="signup_waiting")]


class Complement(models.Model):
    """Two tags whose members have something for each other, such as "sells" and "looks for"."""

    community = models.ForeignKey(Community, models.CASCADE, related_name="complements")
    one = models.ForeignKey(Tag, models.CASCADE, related_name="+")  # the smaller id
    other = models.ForeignKey(Tag, models.CASCADE, related_name="+")
    by = models.CharField(max_length=80)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["one", "other"], name="one_complement")]


class Introduction(models.Model):
    """Two members who might get to know each other 牵线: suggested, asked, introduced where both
    said yes, and measured."""

    STATES = (
        "suggested", "asked", "made", "refused", "expired", "dismissed", "met", "lapsed",
        "withdrawn",
    )  # fmt: skip

    community = models.ForeignKey(Community, models.CASCADE, related_name="introductions")
    group = models.ForeignKey(Group, models.SET_NULL, null=True, related_name="introductions")
    one = models.ForeignKey(Member, models.CASCADE, related_name="+")
    other = models.ForeignKey(Member, models.CASCADE, related_name="+")
    score = models.FloatField()
    reasons = models.JSONField(default=list)  # [{"en", "zh"}], for the staff
    state = models.CharField(
        max_length=10, default="suggested", choices=[(state, state) for state in STATES]
    )
    suggested_at = models.DateTimeField()
    note = models.CharField(max_length=200, blank=True)  # what both are told of the reasons
    site = models.CharField(max_length=200, blank=True)  # where members reach our pages
    by = models.CharField(max_length=80, blank=True)  # who asked, or dismissed
    why = models.CharField(max_length=200, blank=True)
    decided_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    one_said = models.BooleanField(null=True)
    other_said = models.BooleanField(null=True)
    made_at = models.DateTimeField(null=True)
    measured_at = models.DateTimeField(null=True)
    tied = models.BooleanField(null=True)  # did a tie follow

    class Meta:
        constraints = [
            models.UniqueConstraint(
                Least("one", "other"), Greatest("one", "other"),  # a merge may turn them around
                condition=~models.Q(state="lapsed"), name="introduced_once",
            ),
            models.CheckConstraint(
                condition=~models.Q(one=models.F("other")), name="introduction_is_of_two"
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["community", "state", "-score"], name="introduction_queue"),
            models.Index(
                fields=["state", "suggested_at"], condition=models.Q(measured_at=None),
                name="introduction_to_measure",
            ),
        ]  # fmt: skip

    @property
    def pair(self) -> tuple[int, int]:
        """Both, the smaller id first."""
        return min(self.one_id, self.other_id), max(self.one_id, self.other_id)

    @property
    def waits_for(self) -> list[Member]:
        """Who has not answered yet."""
        said = ((self.one, self.one_said), (self.other, self.other_said))
        return [member for member, word in said if word is None]


class IntroductionOptOut(models.Model):
    """A member who wants to be introduced to nobody."""

    member = models.OneToOneField(
        Member, models.CASCADE, primary_key=True, related_name="no_introductions"
    )
    at = models.DateTimeField()

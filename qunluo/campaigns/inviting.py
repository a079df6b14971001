"""Who brought whom, and what speaks against an invitation that counts, as rows.

No address and no device is kept, only a keyed hash of each, and none of them outlives a member's
erasure.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from qunluo.community.models import Community
from qunluo.members.models import Member


class Visit(models.Model):
    """Somebody opened an invitation. Of a stranger only the hash of a cookie is kept, and not
    for long; `member` is who they turned out to be."""

    community = models.ForeignKey(Community, models.CASCADE, related_name="+")
    campaign = models.ForeignKey(
        "campaigns.Campaign", models.SET_NULL, null=True, related_name="visits"
    )
    inviter = models.ForeignKey(Member, models.CASCADE, related_name="invite_visits")
    channel = models.CharField(max_length=20)
    visitor_hash = models.CharField(max_length=64, blank=True, db_index=True)
    key_hash = models.CharField(max_length=64, null=True, unique=True)  # visitor and invitation
    member = models.ForeignKey(Member, models.SET_NULL, null=True, related_name="visits")
    at = models.DateTimeField()
    last_at = models.DateTimeField()
    times = models.IntegerField(default=1)

    class Meta:
        indexes = [
            models.Index(fields=["member", "at"], name="visit_of_member"),
            models.Index(fields=["campaign", "-id"], name="visit_of_campaign"),
            models.Index(
                fields=["last_at"], condition=~Q(visitor_hash=""), name="visit_to_forget"
            ),
        ]


class Attribution(models.Model):
    """Who brought a member to the community: decided once, for life. No `inviter`: they came
    by themselves."""

    community = models.ForeignKey(Community, models.CASCADE, related_name="+")
    member = models.OneToOneField(Member, models.CASCADE, related_name="attribution")
    inviter = models.ForeignKey(Member, models.SET_NULL, null=True, related_name="brought")
    campaign = models.ForeignKey(
        "campaigns.Campaign", models.SET_NULL, null=True, related_name="brought"
    )
    channel = models.CharField(max_length=20, blank=True)
    at = models.DateTimeField()  # they came to the community
    touched_at = models.DateTimeField()  # they first opened the invitation

    class Meta:
        indexes = [
            models.Index(fields=["community", "at"], name="attribution_listed"),
            models.Index(fields=["inviter", "-id"], name="attribution_by_inviter"),
        ]


class Mark(models.Model):
    """Something that tells people apart (a device, an address block, a payer, an address), as
    a keyed hash that says nothing but "the same"."""

    KINDS = ("device", "block", "payer", "address")

    member = models.ForeignKey(Member, models.CASCADE, related_name="marks")
    kind = models.CharField(max_length=10, choices=[(k, k) for k in KINDS])
    mark_hash = models.CharField(max_length=64)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["member", "kind", "mark_hash"], name="one_mark_each"
            )
        ]
        indexes = [models.Index(fields=["at"], name="mark_old")]


class Suspicion(models.Model):
    """One friend who counts for somebody in a play, and what became of the doubts about it.

    noted (not enough to ask anybody) → open → kept, or voided → restored after an appeal.
    `undo` is what the voiding changed, so that it can be given back exactly.
    """

    STATES = ("noted", "open", "kept", "voided", "restored")

    community = models.ForeignKey(Community, models.CASCADE, related_name="+")
    campaign = models.ForeignKey(
        "campaigns.Campaign", models.CASCADE, related_name="suspicions"
    )
    play = models.CharField(max_length=60)
    act = models.CharField(max_length=30)  # by which the friend counted
    member = models.ForeignKey(Member, models.CASCADE, related_name="suspicions")  # the friend
    inviter = models.ForeignKey(Member, models.CASCADE, related_name="doubted")  # who has of it
    score = models.IntegerField(default=0)
    state = models.CharField(
        max_length=10, default="noted", choices=[(state, state) for state in STATES]
    )
    at = models.DateTimeField()
    by = models.CharField(max_length=80, blank=True)  # who decided
    why = models.CharField(max_length=200, blank=True)
    decided_at = models.DateTimeField(null=True)
    undo = models.JSONField(default=dict)
    appeal = models.TextField(blank=True)
    appealed_by = models.ForeignKey(Member, models.SET_NULL, null=True, related_name="+")
    appealed_at = models.DateTimeField(null=True)
    answer = models.CharField(max_length=200, blank=True)
    answered_by = models.CharField(max_length=80, blank=True)
    answered_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "play", "member"], name="one_suspicion_a_friend"
            )
        ]
        indexes = [
            models.Index(fields=["community", "state", "-score"], name="suspicion_queue"),
            models.Index(fields=["inviter", "state"], name="suspicion_of_inviter"),
        ]


class Evidence(models.Model):
    """One signal: by which version of the rules, from which facts, how much it weighs. The
    facts name members by their numbers and count; they hold nothing else of anybody."""

    suspicion = models.ForeignKey(Suspicion, models.CASCADE, related_name="evidence")
    kind = models.CharField(max_length=20)
    version = models.IntegerField()
    facts = models.JSONField()
    score = models.IntegerField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["suspicion", "kind"], name="one_evidence_a_kind")
        ]

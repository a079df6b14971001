"""People: a member is one person in one community, with any number of accounts."""

from __future__ import annotations

from django.db import models

from qunluo.community.models import Community


class Member(models.Model):
    """One person. Contact data is sealed (`kit.sealed`) and found by its blind hash."""

    community = models.ForeignKey(Community, models.CASCADE, related_name="members")
    name = models.CharField(max_length=80)
    avatar = models.CharField(max_length=200, blank=True)
    region = models.CharField(max_length=80, blank=True)
    birthday = models.DateField(null=True, blank=True)
    lat = models.FloatField(null=True, blank=True)  # with the member's consent only
    lon = models.FloatField(null=True, blank=True)
    phone_sealed = models.TextField(blank=True)
    phone_hash = models.CharField(max_length=64, blank=True)
    email_sealed = models.TextField(blank=True)
    email_hash = models.CharField(max_length=64, blank=True)
    verified = models.JSONField(default=list, blank=True)  # which of phone, email is proven
    claimed = models.JSONField(default=list, blank=True)  # which only the member says, unproven
    fields = models.JSONField(default=dict, blank=True)  # of `Field`, by key
    note = models.TextField(blank=True)
    search = models.TextField(blank=True)  # kit.grams of name, nicknames and fields
    simulated = models.BooleanField(default=False)
    clean_messages = models.IntegerField(default=0)  # since the last strike
    made_at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True)
    merged_into = models.ForeignKey("self", models.SET_NULL, null=True, related_name="absorbed")
    erased_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["community", "-id"], name="member_newest"),
            models.Index(fields=["community", "phone_hash"], name="member_by_phone"),
            models.Index(fields=["community", "email_hash"], name="member_by_email"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def actor(self) -> str:
        """How the record names them."""
        return f"member:{self.pk}"


class Identity(models.Model):
    """An account on a platform; `external_id` is the platform's own name for it."""

    community = models.ForeignKey(Community, models.CASCADE, related_name="+")
    member = models.ForeignKey(Member, models.CASCADE, related_name="identities")
    channel = models.CharField(max_length=20)
    external_id = models.CharField(max_length=120)
    union_id = models.CharField(max_length=120, blank=True)
    name = models.CharField(max_length=80, blank=True)
    made_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["community", "channel", "external_id"], name="one_identity_each"
            )
        ]
        indexes = [
            models.Index(
                fields=["union_id"], condition=~models.Q(union_id=""), name="identity_of_union"
            ),
            models.Index(fields=["community", "external_id"], name="identity_by_account"),
        ]


class Merge(models.Model):
    """Two members who turned out to be one; `moved` says what went over, to undo it."""

    kept = models.ForeignKey(Member, models.CASCADE, related_name="merges")
    gone = models.ForeignKey(Member, models.CASCADE, related_name="+")
    evidence = (
        models.JSONField()
    )  # {"kind": "phone" | "email" | "union_id" | "invite" | "hand"}
    moved = models.JSONField()
    by = models.CharField(max_length=80)
    at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True)


class Field(models.Model):
    """A typed profile field of the community."""

    KINDS = ("text", "number", "date", "yes_no", "choice")

    community = models.ForeignKey(Community, models.CASCADE, related_name="fields")
    key = models.SlugField(max_length=40)
    label = models.CharField(max_length=60)
    kind = models.CharField(max_length=10, choices=[(k, k) for k in KINDS])
    choices = models.JSONField(default=list, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["community", "key"], name="one_field_each")
        ]


class TagGroup(models.Model):
    community = models.ForeignKey(Community, models.CASCADE, related_name="tag_groups")
    name = models.CharField(max_length=60)
    single = models.BooleanField(default=False)  # setting one of its tags takes the others off

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["community", "name"], name="one_tag_group_each")
        ]

    def __str__(self) -> str:
        return self.name


class Tag(models.Model):
    group = models.ForeignKey(TagGroup, models.CASCADE, related_name="tags")
    name = models.CharField(max_length=60)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["group", "name"], name="one_tag_each")]

    def __str__(self) -> str:
        return self.name


class Tagging(models.Model):
    """A tag on a member: who set it, when, why, until when."""

    member = models.ForeignKey(Member, models.CASCADE, related_name="taggings")
    tag = models.ForeignKey(Tag, models.CASCADE, related_name="taggings")
    by = models.CharField(max_length=80)
    why = models.CharField(max_length=200)
    at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["member", "tag"], name="one_tagging_each")
        ]
        indexes = [
            models.Index(
                fields=["expires_at"],
                condition=models.Q(expires_at__isnull=False),
                name="tagging_expires",
            )
        ]


class ChannelCode(models.Model):
    """A code or link that says where somebody came from (渠道活码)."""

    community = models.ForeignKey(Community, models.CASCADE, related_name="channel_codes")
    code = models.SlugField(max_length=30, unique=True)
    name = models.CharField(max_length=80)
    groups = models.JSONField(default=list, blank=True)  # ids; none: whichever fits best
    utm = models.JSONField(default=dict, blank=True)
    active = models.BooleanField(default=True)
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class Touch(models.Model):
    """Where a member was met: the first and the last tell the source."""

    member = models.ForeignKey(Member, models.CASCADE, related_name="touches")
    code = models.ForeignKey(ChannelCode, models.SET_NULL, null=True, related_name="touches")
    inviter = models.ForeignKey(Member, models.SET_NULL, null=True, related_name="+")
    page = models.CharField(max_length=200, blank=True)
    utm = models.JSONField(default=dict, blank=True)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["member", "at"], name="touch_of_member")]


class Consent(models.Model):
    """What a member allowed or refused, per purpose and channel; the latest row counts."""

    PURPOSES = ("service", "marketing", "analysis", "location")

    member = models.ForeignKey(Member, models.CASCADE, related_name="consents")
    purpose = models.CharField(max_length=20, choices=[(p, p) for p in PURPOSES])
    channel = models.CharField(max_length=20)
    granted = models.BooleanField()
    words = models.TextField(blank=True)  # what they agreed to, as shown
    at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["member", "purpose", "channel", "-id"], name="consent_latest")
        ]


class MemberImport(models.Model):
    """A CSV on its way in: mapped, previewed, then read; what could not be is kept."""

    community = models.ForeignKey(Community, models.CASCADE, related_name="member_imports")
    by = models.CharField(max_length=80)
    file = models.CharField(max_length=200)  # below the data folder
    title = models.CharField(max_length=200)
    mapping = models.JSONField(default=dict)
    state = models.CharField(max_length=12, default="mapping")
    read = models.IntegerField(default=0)
    made = models.IntegerField(default=0)
    met = models.IntegerField(default=0)  # rows of members that were there
    rejects = models.JSONField(default=list)  # the first of them: line, reason
    rejected = models.IntegerField(default=0)
    rejects_size = models.BigIntegerField(default=0)  # bytes of the file that has them all
    at = models.DateTimeField()

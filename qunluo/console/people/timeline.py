"""What an event of the record says, in the reader's words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as N_  # noqa: N812 - its usual name

from qunluo.community.models import Community, Staff
from qunluo.community.queries import settings_of
from qunluo.console.deeds import say_kind
from qunluo.console.people.moves import say_move
from qunluo.console.people.taking_part import TITLES as TAKING_PART
from qunluo.console.people.taking_part import (
    name_campaign_actors,
    name_campaigns,
    say_part,
    title_part,
)
from qunluo.console.wording import current_lang
from qunluo.events.models import Event
from qunluo.groups.models import Group
from qunluo.members.models import Member
from qunluo.members.queries import list_ids

TITLES = {
    "member_met": N_("Was met"),
    "source_learned": N_("Where they came from became known"),
    "member_merged": N_("Two entries became one"),
    "merge_undone": N_("A merge was undone"),
    "member_tagged": N_("Got a tag"),
    "member_untagged": N_("Lost a tag"),
    "fields_set": N_("Profile changed"),
    "contact_set": N_("Contact data set"),
    "contact_revealed": N_("Contact data were looked at"),
    "consent_set": N_("Consent changed"),
    "member_exported": N_("Data were exported"),
    "member_erased": N_("Was erased"),
    "member_renamed": N_("Was renamed"),
    "member_joined": N_("Joined a group"),
    "member_left": N_("Left a group"),
    "member_removed": N_("Was removed from a group"),
    "member_restored": N_("Came back into a group"),
    "member_reminded": N_("Was reminded"),
    "member_warned": N_("Was warned"),
    "nickname_set": N_("Set a nickname"),
    "message_posted": N_("Wrote a message"),
    "message_recalled": N_("Took a message back"),
    "message_hidden": N_("A message was hidden"),
    "message_restored": N_("A message was shown again"),
    "case_opened": N_("A rule took exception to a message"),
    "case_upheld": N_("A moderation decision was upheld"),
    "case_undone": N_("A moderation decision was undone"),
    "case_appealed": N_("Appealed"),
    "appeal_decided": N_("An appeal was decided"),
    "question_asked": N_("Asked a question"),
    "question_answered": N_("Was answered"),
    "question_dismissed": N_("A question was dismissed"),
    "welcome_sent": N_("Was welcomed"),
    "member_banned": N_("Was put on the ban list"),
    "standing_changed": N_("Standing changed"),
    "standing_corrected": N_("Standing was set by hand"),
    "correction_lifted": N_("A standing set by hand was lifted"),
    "order_paid": N_("Paid an order"),
    "order_refunded": N_("Got money back"),
    "attention_promised": N_("Was promised attention"),
    "promise_ended": N_("A promise of attention ended"),
    "exchange_noted": N_("Had an exchange with the team"),
    "testimony_offered": N_("Offered a testimony"),
    "testimony_posted": N_("A testimony of theirs was put on the pages"),
    "testimony_refused": N_("A testimony of theirs was refused"),
    "testimony_allowed": N_("Allowed a testimony to be shown"),
    "testimony_withdrawn": N_("Withdrew a testimony"),
    "gathering_signed_up": N_("Signed up for a gathering"),
    "gathering_waited": N_("Went on a waiting list"),
    "gathering_moved_up": N_("Got a seat from the waiting list"),
    "gathering_signed_off": N_("Gave a seat at a gathering back"),
    "gathering_attended": N_("Was at a gathering"),
    "introduction_asked": N_("Was asked about an introduction"),
    "introduction_answered": N_("Answered about an introduction"),
    "introduction_made": N_("Was introduced to a member"),
    "introduction_dismissed": N_("An introduction of theirs was dismissed"),
    "introduction_expired": N_("An introduction ran out unanswered"),
    "introductions_switched": N_("Said whether to be asked about introductions"),
    "wish_made": N_("Made a wish"),
    "wish_voted": N_("Voted for a wish"),
    "wish_vote_taken_back": N_("Took a vote back"),
    "wish_answered": N_("A wish of theirs was answered"),
    "wish_adopted": N_("A wish of theirs was adopted"),
    "wish_set_aside": N_("A wish of theirs was set aside"),
    "wish_reopened": N_("A wish of theirs was brought back"),
}
FILTERS: dict[str, tuple[str, ...]] = {
    N_("Talk"): (
        "message_posted", "message_recalled", "question_asked", "question_answered",
        "question_dismissed", "message_hidden", "message_restored",
    ),
    N_("Groups"): (
        "member_joined", "member_left", "member_removed", "member_restored", "nickname_set",
        "welcome_sent",
    ),
    N_("Profile"): (
        "member_met", "member_merged", "merge_undone", "member_tagged", "member_untagged",
        "fields_set", "member_renamed",
    ),
    N_("Moderation"): (
        "case_opened", "case_upheld", "case_undone", "case_appealed", "appeal_decided",
        "member_reminded", "member_warned", "member_banned",
    ),
    N_("Standing"): (
        "standing_changed", "standing_corrected", "correction_lifted", "order_paid",
        "order_refunded",
    ),
    N_("Purchases and campaigns"): ("order_paid", "order_refunded", *TAKING_PART),
    N_("Privacy"): ("consent_set", "contact_set", "contact_revealed", "member_exported"),
}  # fmt: skip
SHOWN = ("why", "tag", "nickname", "name", "text", "act", "purpose", "channel", "reason")
LONGEST = 160


@dataclass(frozen=True)
class Line:
    """One row of a timeline."""

    at: datetime
    title: str
    detail: str
    actor: str
    group: str
    quiet: bool  # said often: shown smaller


def tell(events: Sequence[Event], community: Community) -> list[Line]:
    """Events as lines; names of actors and groups are fetched together."""
    actors = name_actors((event.actor for event in events), community)
    wanted = {event.group_id for event in events if event.group_id}
    groups = dict(Group.objects.filter(pk__in=wanted).values_list("pk", "name"))
    campaigns, currency = name_campaigns(events), settings_of(community).currency
    return [
        Line(
            event.at, title_of(event.kind),
            say_part(event, campaigns, currency) or detail_of(event, currency), actors.get(event.actor, ""),
            groups.get(event.group_id or 0, ""), event.kind == "message_posted",
        )
        for event in events
    ]  # fmt: skip


def title_of(kind: str) -> str:
    """The words for a kind; one that is not about members is told as in the record of staff."""
    words = TITLES.get(kind)
    if words:
        return _(words)
    told = title_part(kind) or say_kind(kind, current_lang())
    return told[:1].upper() + told[1:]


def detail_of(event: Event, currency: str) -> str:
    """What the event says beside its kind, such as the reason."""
    moved = say_move(event, currency)
    said = [moved, event.data.get("why")] if moved else [event.data.get(k) for k in SHOWN]
    return " · ".join(str(value) for value in said if value and isinstance(value, str))[
        :LONGEST
    ]


def name_actors(actors: Iterable[str], community: Community) -> dict[str, str]:
    """ "staff:3" → the name of that staff; what no longer exists is told by its kind."""
    all_of = set(actors)
    names = {actor: _actor_kind(actor) for actor in all_of}
    for staff in Staff.objects.filter(pk__in=_ids(all_of, "staff"), community=community):
        names[staff.actor] = staff.shown
    for member in Member.objects.filter(pk__in=_ids(all_of, "member"), community=community):
        names[member.actor] = member.name
    return names | name_campaign_actors(all_of, community)


def _ids(actors: set[str], kind: str) -> list[int]:
    parts = (actor.partition(":") for actor in actors)
    return [
        int(number) for word, _colon, number in parts if word == kind and number.isdecimal()
    ]


def _actor_kind(actor: str) -> str:
    kinds = {
        "staff": _("Staff"), "member": _("A member"), "rule": _("A rule"), "campaign": _("A campaign"),
        "system": _("Qunluo"), "api": _("A program"),
    }  # fmt: skip
    return kinds.get(actor.partition(":")[0], actor)


def timeline(member: Member, chosen: str = "") -> QuerySet[Event]:
    """The record of one member, the newest first."""
    rows = Event.objects.filter(member_id__in=list_ids(member))
    kinds = FILTERS.get(chosen)
    return (rows.filter(kind__in=kinds) if kinds else rows).order_by("-pk")

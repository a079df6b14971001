"""Which prices and discounts hold for a member now, out of what the community has set."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from qunluo.commerce.errors import WrongPriceRuleError
from qunluo.commerce.models import PriceRule, Variant
from qunluo.commerce.pricing import Offer
from qunluo.community.models import Community
from qunluo.events.actions import record
from qunluo.kit.money import MOST
from qunluo.kit.text import Text
from qunluo.members.models import Member
from qunluo.segments.models import Segment
from qunluo.segments.queries import Use, find_in, load_vocabulary, register_uses
from qunluo.segments.rules import InSegment


@dataclass(frozen=True)
class RuleForm:
    """A price rule to be: see `pricing.Offer` for what `value` means."""

    name: str
    phase: str
    kind: str
    value: int
    starts_at: datetime
    ends_at: datetime | None = None
    variants: Sequence[Variant] = ()
    segment: Segment | None = None
    threshold_minor: int = 0
    cap_minor: int | None = None
    exclusive: str = ""


def list_rules(community: Community) -> QuerySet[PriceRule]:
    """Those in force or to come, the latest first."""
    rows = PriceRule.objects.filter(community=community, active=True)
    return rows.select_related("segment").prefetch_related("variants").order_by("-pk")


@transaction.atomic
def do_make_rule(community: Community, form: RuleForm, *, by: str) -> PriceRule:
    """Raises `WrongPriceRuleError`."""
    _check(form)
    made = PriceRule.objects.create(
        community=community, name=form.name.strip()[:80], phase=form.phase, kind=form.kind,
        value=form.value, cap_minor=form.cap_minor, threshold_minor=form.threshold_minor,
        segment=form.segment, exclusive=form.exclusive.strip()[:40], starts_at=form.starts_at,
        ends_at=form.ends_at,
    )  # fmt: skip
    made.variants.set(form.variants)
    record("price_rule_made", community=community.pk, actor=by,
           data={"rule": made.pk, "name": made.name, "value": made.value})  # fmt: skip
    return made


def _check(form: RuleForm) -> None:
    numbers = (form.value, form.threshold_minor, form.cap_minor or 0)
    known = form.phase in PriceRule.PHASES and form.kind in PriceRule.KINDS
    backwards = form.ends_at is not None and form.ends_at <= form.starts_at
    by_piece_of_nothing = form.phase == "shipping" and form.kind == "unit_price"
    if not form.name.strip() or not known or backwards or by_piece_of_nothing:
        raise WrongPriceRuleError
    if any(not 0 <= number <= MOST for number in numbers):
        raise WrongPriceRuleError


@transaction.atomic
def do_end_rule(rule: PriceRule, *, by: str) -> None:
    """From now on it counts no more; what was ordered keeps its price."""
    if PriceRule.objects.filter(pk=rule.pk, active=True).update(active=False):
        record("price_rule_ended", community=rule.community_id, actor=by,
               data={"rule": rule.pk, "name": rule.name})  # fmt: skip


def list_offers(member: Member, variants: Sequence[Variant], at: datetime) -> list[Offer]:
    """The community's rules that a member can use for these things at an instant."""
    return list_offers_of([member], variants, at)[member.pk]


def list_offers_of(
    members: Sequence[Member], variants: Sequence[Variant], at: datetime
) -> dict[int, list[Offer]]:
    """The same for many members of one community, by their ids."""
    community, keys = members[0].community, {variant.pk for variant in variants}
    rows = list_rules(community).filter(Q(ends_at=None) | Q(ends_at__gt=at), starts_at__lte=at)
    found: dict[int, list[Offer]] = {member.pk: [] for member in members}
    for rule in rows:
        named = [variant.pk for variant in rule.variants.all()]
        if not named or keys & set(named):
            for pk in _who_may(rule, community, found):
                found[pk].append(as_offer(rule, named))
    return found


def _who_may(rule: PriceRule, community: Community, members: Iterable[int]) -> Collection[int]:
    """All, or those in the rule's segment."""
    if rule.segment_id is None:
        return list(members)
    words = load_vocabulary(community)
    return find_in(community, InSegment(rule.segment_id), list(members), words)


def as_offer(rule: PriceRule, named: Sequence[int]) -> Offer:
    return Offer(
        id=f"rule:{rule.pk}", phase=rule.phase, kind=rule.kind, value=rule.value,  # type: ignore[arg-type]
        words=Text(rule.name, rule.name), group=rule.exclusive,
        scope=tuple(str(pk) for pk in named), threshold_minor=rule.threshold_minor,
        cap_minor=rule.cap_minor, starts_at=rule.starts_at, ends_at=rule.ends_at,
    )  # fmt: skip


def points_offer(available: int, *, points_each: int, minor_each: int) -> Offer:
    """Paying a part with points, as many as fit."""
    return Offer(
        id="points", phase="points", kind="points", value=available,
        words=Text("Paid with points", "积分抵扣"), points_each=points_each,
        minor_each=minor_each,
    )  # fmt: skip


def _uses(segment: Segment) -> list[Use]:
    rows = PriceRule.objects.filter(segment=segment, active=True)
    return [Use(Text("price", "价格"), rule.name, rule.pk) for rule in rows]


register_uses(_uses)

"""Which mechanic is drawn how, and what a look at a play takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from qunluo.campaigns.mechanics.kernel import OPEN, Act
from qunluo.campaigns.mechanics.steps import day_of
from qunluo.campaigns.models import Campaign, Deed, Play, Purchase, Slot
from qunluo.campaigns.playing import is_running, rules_of
from qunluo.campaigns.registry import find_mechanic
from qunluo.commerce.models import Variant
from qunluo.community.queries import settings_of
from qunluo.h5.scenes import bargains, days, luck, shopping, swaps, together
from qunluo.h5.scenes.scene import Look, Person, Scene, say
from qunluo.kit import clock
from qunluo.members.models import Member
from qunluo.segments.queries import find_in
from qunluo.segments.rules import InSegment

Told = dict[str, object]
PEOPLE = 60


@dataclass(frozen=True)
class Drawn:
    """How a mechanic is drawn. `own`: everybody has one play, that nobody else sees; `helps`:
    acts of friends that are named on it; `joins`: plays of others are listed to join."""

    draw: Callable[[Look], Scene]
    terms: Callable[[Look], list[str]]
    answer: Callable[[Look, str, Told], str]
    own: bool = False
    one: bool = False  # the same play for all
    joins: bool = False
    waits: bool = False  # what others have begun is what one comes for
    helps: str = ""
    help_words: Callable[[Look, Told], str] = lambda look, told: ""


def _thanks(look: Look, kind: str, told: Told) -> str:
    return say("Done.", "操作成功。")


def _plain(look: Look) -> Scene:
    """A mechanic that nobody has drawn yet: its figures, and the way in."""
    facts = [(name.replace("_", " "), str(value)) for name, value in look.shown.items()
             if isinstance(value, int | str) and not isinstance(value, bool)]  # fmt: skip
    gist = find_mechanic(look.campaign.mechanic).gist
    return Scene(say(gist.en, gist.zh), facts=facts)


def _plain_terms(look: Look) -> list[str]:
    fields = type(look.rules).model_fields.items()
    return [f"{field.title or name}: {getattr(look.rules, name)}" for name, field in fields]


PLAIN = Drawn(_plain, _plain_terms, _thanks)
DRAWN: Mapping[str, Drawn] = {
    "bargain": Drawn(bargains.draw, bargains.terms, bargains.answer, helps="help",
                     help_words=bargains.help_words),
    "assist": Drawn(together.draw_assist, together.assist_terms, together.assist_answer, helps="help"),
    "group_buy": Drawn(together.draw_group, together.group_terms, together.group_answer, joins=True),
    "tiered_invites": Drawn(together.draw_invites, together.invites_terms, together.invites_answer,
                            own=True),
    "flash_sale": Drawn(shopping.draw_flash, shopping.flash_terms, shopping.order_answer, own=True),
    "rising_price": Drawn(shopping.draw_rising, shopping.rising_terms, shopping.order_answer, one=True),
    "coupon": Drawn(shopping.draw_coupon, shopping.coupon_terms, shopping.coupon_answer, own=True),
    "gift": Drawn(shopping.draw_gift, shopping.gift_terms, shopping.done_answer),
    "lucky_draw": Drawn(luck.draw_lucky, luck.lucky_terms, luck.lucky_answer, own=True),
    "red_packet": Drawn(luck.draw_packet, luck.packet_terms, luck.packet_answer, joins=True,
                        waits=True),
    "check_in": Drawn(days.draw_check_in, days.check_in_terms, days.check_in_answer, own=True),
    "contest": Drawn(days.draw_contest, days.contest_terms, days.contest_answer, own=True),
    "swap": Drawn(swaps.draw, swaps.terms, swaps.answer, joins=True),
}  # fmt: skip
FRESH = frozenset({"flash_sale", "lucky_draw", "coupon", "contest", "gift"})
"""Those whose `shown` tells something before a member has begun."""


def drawn(campaign: Campaign) -> Drawn:
    return DRAWN.get(campaign.mechanic, PLAIN)


def own_key(campaign: Campaign, member: Member) -> str:
    """The one play a member has in it; "" where there may be more."""
    how = drawn(campaign)
    if not how.own and not how.one:
        return ""
    act = Act(OPEN, clock.now(), member.pk)
    return find_mechanic(campaign.mechanic).play_of(act, rules_of(campaign))


def is_for(campaign: Campaign, member: Member | None) -> bool:
    """Whether a member is in its audience."""
    if member is None or member.community_id != campaign.community_id:
        return False
    if campaign.segment_id is None:
        return True
    return bool(find_in(campaign.community, InSegment(campaign.segment_id), [member.pk]))


@dataclass(frozen=True)
class Seen:
    """What is the same for all plays of a campaign that one page shows."""

    runs: bool
    currency: str
    now: datetime
    begun: int = 0
    taken: Mapping[str, int] = field(default_factory=dict)
    rules: dict[int, Any] = field(default_factory=dict)  # by version


def look_at(
    campaign: Campaign, member: Member | None, play: Play | None = None,
    seen: Seen | None = None,
) -> Look:  # fmt: skip
    """What there is to see, by the rules the play began under."""
    found = _look(campaign, member, play, seen or see(campaign, member))
    return _name(campaign, [found])[0]


def look_at_all(
    campaign: Campaign, member: Member | None, plays: Sequence[Play], seen: Seen
) -> list[Look]:
    """The same for the lines of a list; who and what they name is looked up once."""
    looks = [_look(campaign, member, play, seen) for play in plays]
    return [replace(look, brief=True) for look in _name(campaign, looks)]


def see(campaign: Campaign, member: Member | None) -> Seen:
    now = clock.now()
    return Seen(
        is_running(campaign, now) and is_for(campaign, member),
        settings_of(campaign.community).currency, now, _begun(campaign, member),
        _taken(campaign, member, now),
    )  # fmt: skip


def _look(campaign: Campaign, member: Member | None, play: Play | None, seen: Seen) -> Look:
    mechanic, rules = find_mechanic(campaign.mechanic), _rules(campaign, play, seen)
    shown: Mapping[str, Any] = {}
    if play is not None or campaign.mechanic in FRESH:
        state = mechanic.state.model_validate(play.state) if play else None
        shown = mechanic.shown(state, rules, member.pk if member else None)
    return Look(campaign, member, play, rules, shown, seen.runs, seen.currency, seen.now,
                begun=seen.begun, taken=seen.taken)  # fmt: skip


def _rules(campaign: Campaign, play: Play | None, seen: Seen) -> Any:
    version = play.version_id if play else campaign.version_id or 0
    if version not in seen.rules:
        typed = find_mechanic(campaign.mechanic).rules
        seen.rules[version] = (
            typed.model_validate(play.version.rules) if play else rules_of(campaign)
        )
    return seen.rules[version]


def _begun(campaign: Campaign, member: Member | None) -> int:
    return Play.objects.filter(campaign=campaign, starter=member).count() if member else 0


def _taken(campaign: Campaign, member: Member | None, now: datetime) -> Mapping[str, int]:
    """What is limited for everybody, and what of it this member has had."""
    names = ["sold", "packets"]
    if member is not None:
        today = day_of(now, getattr(rules_of(campaign), "zone", "UTC"))
        names += [f"{slot}:{member.pk}" for slot in ("buyer", "live", "times", "owner", "help")]
        names.append(f"help:{member.pk}:{today}")
    rows = Slot.objects.filter(campaign=campaign, name__in=names)
    return dict(rows.values_list("name", "taken"))


def _name(campaign: Campaign, looks: Sequence[Look]) -> list[Look]:
    """With the names of whom they mention, and of what is bought."""
    names = _names({one for look in looks for one in _mentioned(look)})
    rows = _goods(campaign, looks)
    goods, listed = {v.sku: v.shown for v in rows}, {v.sku: v.list_minor for v in rows}
    return [replace(look, names=names, goods=goods, listed=listed) for look in looks]


def _goods(campaign: Campaign, looks: Sequence[Look]) -> list[Variant]:
    skus = {price.sku for look in looks for price in getattr(look.rules, "prices", ())}
    skus |= {look.rules.sku for look in looks if hasattr(look.rules, "sku")}
    rows = Variant.objects.filter(community=campaign.community_id, sku__in=skus)
    return list(rows.select_related("product")) if skus else []


def find_goods(look: Look) -> str:
    """What is bought, where it is one thing."""
    return next(iter(look.goods.values())) if len(look.goods) == 1 else ""


def find_list_price(look: Look, scene: Scene) -> str:
    """What its one article costs without the campaign, where that is more; "" else."""
    listed = next(iter(look.listed.values())) if len(look.listed) == 1 else 0
    return look.money(listed) if 0 < scene.minor < listed and not scene.was else ""


def _mentioned(look: Look) -> set[int]:
    """Whom a page names: its starter, and those the mechanic shows."""
    s = look.shown
    found: set[object] = {s.get(name) for name in ("owner", "leader", "giver", "inviter")}
    if look.member is not None:  # strangers are told who invites them, and nobody else
        taken = s.get("taken")
        found |= set(s.get("members", ()))
        found |= {one["member"] for one in taken} if isinstance(taken, list) else set()
    return {one for one in found if isinstance(one, int)}


def _names(members: Iterable[int]) -> dict[int, str]:
    wanted = set(members)
    rows = Member.objects.filter(pk__in=wanted, erased_at=None)
    return dict(rows.values_list("pk", "name")) if wanted else {}


def draw(look: Look) -> Scene:
    """The page of a play, with those who helped by name."""
    how = drawn(look.campaign)
    scene = how.draw(look)
    if look.member is None:
        return replace(scene, people=())  # who takes part is for members
    if look.play is None or not how.helps or look.brief:
        return scene
    deeds = Deed.objects.filter(campaign=look.campaign, play=look.play.key, kind=how.helps)
    rows = list(deeds.select_related("member").order_by("pk")[:PEOPLE])
    people = [Person(_shown_name(row.member), how.help_words(look, row.answer)) for row in rows]
    return replace(scene, people=people)


def _shown_name(member: Member | None) -> str:
    return member.name if member and not member.erased_at else say("Somebody", "有人")


def list_purchases(look: Look) -> list[Purchase]:
    """The member's own orders out of a play, the latest first."""
    if look.play is None or look.member is None:
        return []
    rows = Purchase.objects.filter(campaign=look.campaign, play=look.play.key)
    return list(
        rows.filter(order__member=look.member).select_related("order").order_by("-pk")[:5]
    )

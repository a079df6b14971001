"""What newcomers are greeted with. Pure but for claiming whom to greet."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from qunluo.groups.models import Group, Membership
from qunluo.groups.nicknames import render_nickname
from qunluo.kit.text import Text

NAMED = 5  # more people than that are counted
NAME_LENGTH = 24
_SLOT = re.compile(r"\{(name|group|gives|rules|nickname|invite|next)\}")
DEFAULT = Text("Welcome to {group}, {name}! {gives}", "欢迎 {name} 加入{group}！{gives}")


@dataclass(frozen=True)
class Welcome:
    """One greeting for everybody who just came."""

    text: str
    memberships: tuple[Membership, ...]

    @property
    def member_ids(self) -> list[int]:
        return [seat.member_id for seat in self.memberships]


def join_names(names: Sequence[str], lang: str) -> str:
    """One name, several, or the first few and how many there are."""
    shown = [_short(name) for name in names[:NAMED]]
    zh = lang.startswith("zh")
    if len(names) > NAMED:
        more = len(names) - NAMED
        return (
            f"{'、'.join(shown)} 等 {len(names)} 位"
            if zh
            else f"{', '.join(shown)} and {more} more"
        )
    if zh or len(shown) < 2:
        return "、".join(shown)
    return f"{', '.join(shown[:-1])} and {shown[-1]}"


def _short(name: str) -> str:
    """A name that stays on its line."""
    plain = " ".join(name.split())
    return plain if len(plain) <= NAME_LENGTH else f"{plain[: NAME_LENGTH - 1]}…"


def render_welcome(  # noqa: PLR0913 - the words it is made of
    template: str, names: Sequence[str], *, group: str, lang: str, gives: str = "",
    rules: str = "", nickname: str = "", invite: str = "", upcoming: str = "",
) -> str:  # fmt: skip
    """The greeting of one joiner or of a burst. Every placeholder is filled once: braces in a
    name stay what they are."""
    example = (
        render_nickname(nickname, {"nick": _short(names[0])}) if names and nickname else ""
    )
    values = {
        "name": join_names(names, lang), "group": group, "gives": gives, "rules": rules,
        "nickname": example, "invite": invite, "next": upcoming,
    }  # fmt: skip
    words = template.strip() or DEFAULT(lang)
    return _SLOT.sub(lambda slot: values[slot[1]], words).strip()


def do_claim_welcome(
    group: Group, *, now: datetime, within: timedelta, lang: str, invite: str = ""
) -> Welcome | None:
    """The greeting for those who came within the window and were not greeted; nobody is greeted
    twice, whoever asks at the same time. The caller sends it, in the same transaction."""
    with transaction.atomic():
        fresh = Membership.objects.filter(
            group=group, left_at=None, welcomed_at=None, joined_at__gt=now - within
        )
        seats = list(fresh.select_related("member").order_by("id"))
        mine = [seat for seat in seats if _claim(seat, now)]
    if not mine:
        return None
    text = render_welcome(
        group.welcome, [seat.member.name for seat in mine], group=group.name, lang=lang,
        gives=group.gives, rules=group.rules, nickname=group.nickname, invite=invite,
    )  # fmt: skip
    return Welcome(text, tuple(mine))


def _claim(seat: Membership, now: datetime) -> bool:
    return bool(Membership.objects.filter(pk=seat.pk, welcomed_at=None).update(welcomed_at=now))

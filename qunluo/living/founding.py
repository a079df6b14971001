"""The sample community is founded: staff, groups, what is known, and some weeks behind it."""

from __future__ import annotations

import secrets
from random import Random

from django.db import transaction

from qunluo.community.actions import do_appoint, do_found
from qunluo.community.models import Community, Staff, User
from qunluo.events.actions import SYSTEM
from qunluo.events.models import Consumer, Event, Place
from qunluo.groups.actions import do_found_group
from qunluo.groups.models import Group
from qunluo.groups.moderation import do_ensure_rules, do_set_rule
from qunluo.kit.text import Text
from qunluo.living import script
from qunluo.living.caring import found_care
from qunluo.living.history import History, write_history
from qunluo.living.trading import found_trade
from qunluo.members.actions import (
    do_define_field,
    do_define_tag_group,
    do_define_tags,
    do_set_code,
)
from qunluo.members.models import ChannelCode, Tag
from qunluo.messaging.actions import do_set_auto_reply
from qunluo.messaging.models import AutoReply

SEED = 8460
SIGN_IN = Text(
    "Sign in as {name} with the password {password} — it is shown this once.",
    "用账号 {name} 登录，密码：{password}（仅显示这一次）。",
)
SIMULATED = Text(
    "The sample community lives: its members are simulated, and labelled as such.",
    "示例社群正在运行：其中的成员均为模拟成员，并带有标注。",
)
FOLLOWERS = ("messaging.joins", "messaging.cases", "messaging.closings",
             "messaging.erasure")  # fmt: skip


def find_sample() -> Community | None:
    """The community that lives, if it was founded."""
    return Community.objects.filter(simulated=True).order_by("pk").first()


def found_sample(lang: str) -> list[str]:
    """Founds it where there is none; the lines to print, with the owner's password."""
    known = find_sample()
    if known is not None:
        with transaction.atomic():
            found_care(known, Random(SEED))  # noqa: S311 - a story
            found_trade(known, Random(SEED))  # noqa: S311 - a story
        return [SIMULATED(lang)]
    password = secrets.token_urlsafe(9)
    with transaction.atomic():
        first = not Event.objects.exists()
        name = _found(password)
        if first:
            _skip_history()
    return [SIMULATED(lang), SIGN_IN(lang).format(name=name, password=password)]


def _found(password: str) -> str:
    owner = _make_user(script.OWNER[0], password)
    community = do_found(script.NAME, owner, simulated=True)
    posts = [_name(Staff.objects.get(community=community, user=owner), script.OWNER[1])]
    for name, role, shown in script.STAFF:
        post = do_appoint(community, _make_user(name, None), role, by="system")
        posts.append(_name(post, shown))
    tags = _make_tags(community)
    groups = [_make_group(community, plan, tags, posts[0]) for plan in script.GROUPS]
    codes = _make_codes(community, groups)
    _make_replies(community)
    _arm(community, posts[0])
    write_history(History(community, groups, codes, tags, posts, Random(SEED)))  # noqa: S311 - a story
    found_care(community, Random(SEED))  # noqa: S311 - a story
    found_trade(community, Random(SEED))  # noqa: S311 - a story
    return owner.username


def _make_user(name: str, password: str | None) -> User:
    """An account of that name, or of the next that is free; without a password it is nobody's."""
    free, number = name, 2
    while User.objects.filter(username=free).exists():
        free, number = f"{name}{number}", number + 1
    return User.objects.create_user(username=free, password=password)


def _name(post: Staff, shown: str) -> Staff:
    post.name, post.on_duty = shown, True
    post.save()
    return post


def _make_tags(community: Community) -> dict[str, Tag]:
    for key, label in (("city", "城市"), ("nick", "称呼")):
        do_define_field(community, key=key, label=label, kind="text", by=SYSTEM)
    found: dict[str, Tag] = {}
    for name, (single, tags) in script.TAGS.items():
        group = do_define_tag_group(community, name=name, single=single, by=SYSTEM)
        found |= {tag.name: tag for tag in do_define_tags(group, tags, by=SYSTEM)}
    return found


def _make_group(
    community: Community, plan: script.Planned, tags: dict[str, Tag], owner: Staff
) -> Group:
    more = dict(plan.more)
    if plan.code == "sample-pourover":
        tag = tags[script.POUROVER_TAG]
        more |= {
            "gate": {"kind": "tag", "tags": [tag.pk], "names": [tag.name]},
            "tags": [tag.pk],
        }
    more |= {"code": _free_code(plan.code), "state": "growing"}
    return do_found_group(
        community, name=plan.name, purpose=plan.purpose, by=owner.actor, **more
    )


def _free_code(code: str) -> str:
    taken = Group.objects.filter(code=code).exists()
    return f"{code}-{secrets.token_hex(2)}" if taken else code


def _make_codes(community: Community, groups: list[Group]) -> list[ChannelCode]:
    by_plan = {plan.code: group for plan, group in zip(script.GROUPS, groups, strict=True)}
    return [
        do_set_code(
            ChannelCode(community=community),
            {"code": f"{code}-{secrets.token_hex(3)}", "name": name,
             "groups": [by_plan[wanted].pk for wanted in leads]},
            by=SYSTEM,
        )
        for code, name, leads in script.CODES
    ]  # fmt: skip


def _make_replies(community: Community) -> None:
    for priority, (how, pattern, answer) in enumerate(reversed(script.REPLIES)):
        values = {"how": how, "pattern": pattern, "answer": answer, "priority": priority}
        do_set_auto_reply(AutoReply(community=community), values, by=SYSTEM)


def _arm(community: Community, owner: Staff) -> None:
    """Its detectors act, so that the queue has something to decide; one stays in shadow."""
    for rule in do_ensure_rules(community):
        if rule.detector in ("links", "cards", "ads", "banned", "classifier"):
            do_set_rule(rule, by=owner.actor, shadow=False)


def _skip_history() -> None:
    """What happened before the start is no work for the worker."""
    last = Event.objects.order_by("transaction", "id").last()
    transaction, position = last.place if last is not None else Place()
    for name in FOLLOWERS:
        Consumer.objects.update_or_create(
            name=name, defaults={"transaction": transaction, "position": position}
        )

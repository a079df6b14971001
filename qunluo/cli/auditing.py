"""`qunluo audit`: what must hold, asked of the live database."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from qunluo.cli.telling import say
from qunluo.kit.errors import QunluoError
from qunluo.kit.text import Text

HOLDS = Text("holds", "正常")
BROKEN = Text("BROKEN", "异常")
ALL_WELL = Text("Everything holds: {n} checks.", "全部正常：共 {n} 项检查。")
SOME_BROKEN = Text("{n} of {all} checks are broken.", "{all} 项检查中有 {n} 项异常。")


class NoSuchCommunityError(QunluoError):
    code = "no_such_community"
    sentence = Text(
        "There is no community “{slug}”. These are there: {there}.",
        "没有社群“{slug}”。现有社群：{there}。",
    )


class NoCommunitiesError(QunluoError):
    code = "no_communities"
    sentence = Text(
        "There is no community here yet, so nothing can be broken. Is it the right data folder?",
        "这里还没有社群，无需核对。请确认数据目录是否正确。",
    )


class NotPreparedError(QunluoError):
    code = "not_prepared"
    sentence = Text(
        "The database is not as this version of Qunluo needs it. Start `qunluo up` once, then "
        "run the audit again.",
        "数据库尚未升级到当前版本。请先运行一次 qunluo up，再执行核对。",
    )


def audit_command(*, data: Path | None, slug: str | None, as_json: bool, lang: str) -> bool:
    """Prints each check of each community; whether everything holds. Raises
    `NoSuchCommunityError`, `NoCommunitiesError`."""
    from qunluo.server import database, serving  # noqa: PLC0415 - a quick --help

    settings = serving.prepare(None, None, data)
    if not settings.database and not database.is_made(settings):
        raise NoCommunitiesError
    database.load_django()
    if database.pending():
        raise NotPreparedError
    found = [_audit(community, lang) for community in _communities(slug)]
    if as_json:
        print(json.dumps({"communities": found}, indent=2))  # escaped: harmless for a terminal
    else:
        _print(found, lang)
    return all(check["holds"] for one in found for check in one["checks"])


def _communities(slug: str | None) -> list[Any]:
    from qunluo.community.models import Community  # noqa: PLC0415 - once Django is set up

    every = list(Community.objects.order_by("pk"))
    wanted = [community for community in every if slug in (None, community.slug)]
    if not every:
        raise NoCommunitiesError
    if not wanted:
        there = ", ".join(community.slug for community in every)
        raise NoSuchCommunityError(slug=slug, there=there)
    return wanted


def _audit(community: Any, lang: str) -> dict[str, Any]:
    from qunluo.ledger.auditing import do_audit  # noqa: PLC0415 - once Django is set up

    checks = [
        {"name": v.check.name, "title": v.check.title(lang), "holds": v.holds,
         "broken": list(v.broken)}
        for v in do_audit(community.pk)
    ]  # fmt: skip
    return {"community": community.slug, "name": community.name, "checks": checks}


def _print(found: Sequence[dict[str, Any]], lang: str) -> None:
    for one in found:
        say(f"{one['name']} ({one['community']})", error=False)
        for check in one["checks"]:
            word = HOLDS(lang) if check["holds"] else BROKEN(lang)
            say(f"  {word:<7} {check['title']}", error=False)
            for name in check["broken"]:
                say(f"            {name}", error=False)
    checks = [check["holds"] for one in found for check in one["checks"]]
    bad = checks.count(False)
    words = (
        SOME_BROKEN.format(n=bad, all=len(checks)) if bad else ALL_WELL.format(n=len(checks))
    )
    say(words(lang), error=False)

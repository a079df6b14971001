"""What a Matrix state event did to a membership, told from its content and what was before."""

from __future__ import annotations

from dataclasses import dataclass

from qunluo.archive.importers.json_values import Json, fields, text

MEMBERSHIP = "m.room.member"
WORDS = ("name", "topic", "body", "membership", "join_rule", "alias", "url")


@dataclass(frozen=True)
class Change:
    """The kind of an event, its raw kind, the name shown after it, and a notice's text."""

    kind: str
    raw_kind: str
    name: str | None = None
    text: str | None = None


def change(event: Json, sender: str) -> Change:
    """What the event did; all that touches no membership is a notice."""
    content = fields(event.get("content"))
    if event.get("type") != MEMBERSHIP:
        words = next((text(content[key]) for key in WORDS if text(content.get(key))), None)
        return Change("notice", text(event.get("type")) or "unknown", text=words)
    now, name = text(content.get("membership")) or "", text(content.get("displayname"))
    before = _before(event)
    return _moved(now, before, name=name, own=text(event.get("state_key")) in (None, sender))


def _before(event: Json) -> Json:
    unsigned = fields(event.get("unsigned"))
    return fields(unsigned.get("prev_content")) or fields(event.get("prev_content"))


def _moved(now: str, before: Json, *, name: str | None, own: bool) -> Change:
    was = text(before.get("membership"))
    if now == "join" and was == "join":
        renamed = name is not None and name != text(before.get("displayname"))
        return Change(
            "rename" if renamed else "notice", "displayname" if renamed else "profile", name
        )
    if now == "leave" and was in ("invite", "knock", "ban"):
        return Change(
            "notice", {"invite": "declined", "knock": "unknocked"}.get(was, "unbanned")
        )
    if now == "leave":
        return Change("leave", "leave") if own else Change("remove", "kick")
    known = {"join": "join", "ban": "remove", "invite": "invite"}
    return Change(known.get(now, "notice"), now or "unknown", name)

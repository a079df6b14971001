"""Events that name people by display name only, held until the file told who bears the name.

WeChat and QQ write who joined or left as text. Their accounts are known only from the messages
they send, mostly later; so events wait for the end of the file. A name that no account or more
than one bears stays `name:小红`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from qunluo.archive.importers.base import Rows
from qunluo.archive.importers.chinese_notices import YOU, read_notice

MOST_HELD = 50_000


class People:
    """Who bears which name in one file."""

    def __init__(self) -> None:
        self._ids: dict[str, str | None] = {}
        self.own_id: str | None = None  # of who made the export, once known

    def seen(self, account: str, *names: str | None) -> None:
        """An account was seen with these names."""
        for name in names:
            if name and self._ids.setdefault(name, account) != account:
                self._ids[name] = None

    def id_of(self, name: str) -> str:
        """The account that bears the name, or `name:…`."""
        if name == YOU and self.own_id:
            return self.own_id
        return self._ids.get(name) or f"name:{name}"


class NamedEvents:
    """Notices of one file on their way to events."""

    def __init__(self, rows: Rows, people: People) -> None:
        self._rows = rows
        self._people = people
        self._held: list[dict[str, object]] = []

    def add(self, text: str, common: Mapping[str, object], sender: str | None = None) -> None:
        """One notice: an event for each person it names, or a notice with its text.

        `common` holds group, time and event id; `sender` is whom a notice without a name
        (“加入了群聊”) is about.
        """
        notice = read_notice(text)
        values = {
            **common,
            "kind": notice.kind,
            "raw_kind": common.get("raw_kind") or notice.raw_kind,
            "text": text,
            "actor": notice.actor,
            "new_name": notice.new_name,
        }
        people: list[str | None] = list(notice.subjects)
        if not people and sender and notice.kind in ("join", "leave", "remove"):
            values["subject_id"], people = sender, [None]
        self._rows.tally.events += 1
        for number, person in enumerate(people or [None]):
            self._held.append({**values, "subject": person, **_numbered(common, number)})
        if len(self._held) >= MOST_HELD:
            self.release()

    def release(self) -> None:
        """Turn what is held into rows."""
        for values in self._held:
            subject, actor = values.pop("subject"), values.pop("actor")
            if isinstance(subject, str):
                values |= {"subject_id": self._people.id_of(subject), "subject_name": subject}
            if isinstance(actor, str):
                values["actor_id"] = self._people.id_of(actor)
                if values["kind"] == "join":
                    values["inviter_id"] = values["actor_id"]
            self._rows.event(same_line=True, **values)  # counted when added
        self._held = []


def _numbered(common: Mapping[str, object], number: int) -> dict[str, object]:
    """Events of one record need ids of their own."""
    own = common.get("event_id")
    return {"event_id": f"{own}/{number}"} if own and number else {}


_CALLED = re.compile("@([^@\u2005\n]{1,40})\u2005")


def called_names(text: str | None) -> list[str]:
    """Names called by `@name` and the special space that WeChat puts after them."""
    return _CALLED.findall(text) if text and "\u2005" in text else []

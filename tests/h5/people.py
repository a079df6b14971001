"""Members with a browser of their own."""

from __future__ import annotations

import json
from typing import Any

from django.test import Client

from qunluo.channels.web.sessions import COOKIE, do_open_session
from qunluo.groups.models import Group, Membership
from qunluo.kit import clock
from qunluo.members.models import Identity, Member
from tests.cast import client_of, make_member


def browser_of(member: Member, lang: str = "en") -> Client:
    """A browser signed in as the member's account."""
    account = Identity.objects.get(member=member, channel="web").external_id
    client = client_of(lang=lang)
    client.cookies[COOKIE] = do_open_session(account)[1]
    return client


def seated(
    group: Group, name: str = "Bob", member: Member | None = None
) -> tuple[Client, Member]:
    """A member of a group, and their browser."""
    found = member or make_member(group.community, name)
    Membership.objects.create(group=group, member=found, joined_at=clock.now())
    return browser_of(found), found


def send(client: Client, address: str, **body: Any) -> Any:
    """What the room's script posts."""
    return client.post(address, json.dumps(body), content_type="application/json")

"""Which account a browser is: a signed cookie that names a session, which can be revoked.

One account serves every community of the installation; in each it is the `Identity` of the
channel "web" with the account's name, once the person joined there.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import timedelta
from hashlib import sha256

from django.conf import settings
from django.core import signing
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from qunluo.channels.web.models import WebSession
from qunluo.kit import clock
from qunluo.members.models import Identity, Member

CHANNEL = "web"
COOKIE = "qunluo_member"
SALT = "qunluo.web.session"
LASTS_S = 400 * 24 * 3600  # the longest that browsers keep one
SEEN_EVERY = timedelta(hours=1)  # a row is not written with every page


def do_open_session(account: str = "") -> tuple[WebSession, str]:
    """A new session of an account, of a new one if none is named; and the cookie's value."""
    token = secrets.token_urlsafe(24)
    now = clock.now()
    session = WebSession.objects.create(
        token_hash=_hash(token),
        account=account or f"w-{secrets.token_hex(10)}",
        made_at=now,
        seen_at=now,
    )
    return session, signing.dumps(token, salt=SALT)


def find_session(cookie: str | None) -> WebSession | None:
    """The session a cookie names; none if it is forged, unknown or revoked."""
    if not cookie:
        return None
    token = _read(cookie)
    if not token:
        return None
    found = WebSession.objects.filter(token_hash=_hash(token), revoked_at=None).first()
    if found is not None:
        _see(found)
    return found


def _see(session: WebSession) -> None:
    now = clock.now()
    if now - session.seen_at > SEEN_EVERY:
        WebSession.objects.filter(pk=session.pk).update(seen_at=now)


def do_revoke_sessions(account: str) -> int:
    """Signs an account out everywhere; how many browsers that were."""
    return WebSession.objects.filter(account=account, revoked_at=None).update(
        revoked_at=clock.now()
    )


def list_members_of(session: WebSession | None) -> QuerySet[Member]:
    """Who an account is, in every community it joined; the erased are nobody."""
    if session is None:
        return Member.objects.none()
    mine = Identity.objects.filter(channel=CHANNEL, external_id=session.account)
    members = Member.objects.filter(pk__in=mine.values("member_id"), erased_at=None)
    return members.select_related("community").order_by("id")


def find_member(session: WebSession | None, community_id: int) -> Member | None:
    """Who an account is in a community."""
    return list_members_of(session).filter(community_id=community_id).first()


def find_members(cookies: Iterable[str], community_id: int) -> dict[str, Member]:
    """Who many cookies are in a community, in few statements; those who are nobody are left
    out. The members don't bring their community: it is the same for all."""
    hashes = {cookie: _hash(token) for cookie in cookies if (token := _read(cookie))}
    sessions = WebSession.objects.filter(token_hash__among=hashes.values(), revoked_at=None)
    accounts = dict(sessions.values_list("token_hash", "account"))
    rows = Member.objects.filter(
        identities__channel=CHANNEL, identities__external_id__among=accounts.values(),
        identities__community=community_id, erased_at=None,
    ).annotate(account=F("identities__external_id"))  # fmt: skip
    members = {row.account: row for row in rows}
    found = {cookie: members.get(accounts.get(hashed, "")) for cookie, hashed in hashes.items()}
    return {cookie: member for cookie, member in found.items() if member is not None}


def _read(cookie: str) -> str:
    try:
        return str(signing.loads(cookie, salt=SALT))
    except signing.BadSignature:
        return ""


def session_of(request: HttpRequest) -> WebSession | None:
    return find_session(request.COOKIES.get(COOKIE))


def set_cookie(response: HttpResponseBase, value: str) -> None:
    response.set_cookie(
        COOKIE, value, max_age=LASTS_S, httponly=True, samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )  # fmt: skip


def _hash(token: str) -> str:
    return sha256(token.encode()).hexdigest()

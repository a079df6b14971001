"""Invite links: they name who invites, signed, so that nobody invites in another's name."""

from __future__ import annotations

from django.core import signing

from qunluo.members.models import Member

_signer = signing.Signer(salt="qunluo.web.invite", sep="~")


def invite_token(member: Member) -> str:
    return _signer.sign(str(member.pk))


def find_inviter(token: str, community_id: int) -> Member | None:
    """Who invites by this token, in this community; none where it is forged or they are gone."""
    try:
        number = int(_signer.unsign(token))
    except (signing.BadSignature, ValueError):
        return None
    members = Member.objects.filter(community_id=community_id, erased_at=None)
    return members.filter(pk=number).first()

"""Contact data of members: sealed where it lies, found by its hash."""

from __future__ import annotations

from django.conf import settings

from qunluo.kit.sealed import blind, seal, unseal
from qunluo.members.models import Member
from qunluo.members.rules import mask_email, mask_phone, read_email, read_phone


def seal_phone(phone: str) -> tuple[str, str]:
    """What is stored of a number: sealed, and the hash that finds it; nothing of nothing."""
    return _sealed(read_phone(phone)) if phone.strip() else ("", "")


def seal_email(email: str) -> tuple[str, str]:
    return _sealed(read_email(email)) if email.strip() else ("", "")


def _sealed(value: str) -> tuple[str, str]:
    return seal(value, settings.SECRET_KEY), hash_contact(value)


def hash_contact(value: str) -> str:
    """The hash of a number or an address as `read_phone` and `read_email` return them."""
    return blind(value, settings.SECRET_KEY)


def open_contact(member: Member) -> dict[str, str]:
    """Phone and e-mail in clear; for `do_reveal_contact` and the member's own export only."""
    sealed = {"phone": member.phone_sealed, "email": member.email_sealed}
    return {k: unseal(v, settings.SECRET_KEY) for k, v in sealed.items() if v}


def mask_contact(member: Member) -> dict[str, str]:
    """Phone and e-mail as lists may show them."""
    masks = {"phone": mask_phone, "email": mask_email}
    return {kind: masks[kind](value) for kind, value in open_contact(member).items()}

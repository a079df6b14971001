"""Marks that tell people apart: keyed hashes of a device, an address block, a payer, an address.

The same thing makes the same mark within a community, and says nothing without our key. Marks
are kept for half a year, and not past a member's erasure.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from datetime import timedelta
from ipaddress import IPv6Address, ip_address, ip_network

from django.conf import settings

from qunluo.campaigns.models import Mark
from qunluo.commerce.models import Order, Payment
from qunluo.kit import clock
from qunluo.kit.sealed import blind, unseal
from qunluo.members.models import Member

KEPT = timedelta(days=180)
BLOCK4, BLOCK6 = 24, 48  # bits of an address that its neighbours share
_NOT_TOLD = re.compile(r"[\W_]+")


def hash_of(community_id: int, kind: str, value: str) -> str:
    """What is kept of a value: the same for the same, in one community."""
    return blind(f"{kind}:{community_id}:{value}", settings.SECRET_KEY)


def block_of(address: str) -> str:
    """The neighbourhood of a network address; "" for what is none and for our own."""
    try:
        found = ip_address(address.strip().partition("%")[0])
    except ValueError:
        return ""
    if isinstance(found, IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    if found.is_loopback or found.is_unspecified:
        return ""
    bits = BLOCK6 if isinstance(found, IPv6Address) else BLOCK4
    return str(ip_network(f"{found}/{bits}", strict=False))


def plain_address(written: str) -> str:
    """A delivery address without what people write in different ways: full width and half
    width letters, blanks, commas."""
    return _NOT_TOLD.sub("", unicodedata.normalize("NFKC", written)).casefold()


def do_mark(member: Member, kind: str, value: str) -> None:
    """Keeps that a member was seen with something; nothing of nothing."""
    if value:
        _keep(member, kind, hash_of(member.community_id, kind, value))


def _keep(member: Member, kind: str, mark_hash: str) -> None:
    Mark.objects.update_or_create(
        member=member, kind=kind, mark_hash=mark_hash, defaults={"at": clock.now()}
    )


def do_mark_browser(member: Member, *, device: str, address: str) -> None:
    """A signed-in member looked at a page of a campaign: with which browser, from where."""
    do_mark(member, "device", device)
    do_mark(member, "block", block_of(address))


def do_mark_orders(members: Collection[int]) -> None:
    """Where orders of members were sent to. They are sealed: this opens them for a moment."""
    rows = Order.objects.filter(member__in=members).exclude(address_sealed="")
    for order in rows.select_related("member"):
        written = unseal(order.address_sealed, settings.SECRET_KEY)
        do_mark(order.member, "address", plain_address(written))


def do_mark_payers(members: Collection[int]) -> None:
    """Which accounts members paid from, as far as the providers say."""
    rows = Payment.objects.filter(order__member__in=members).exclude(payer_hash="")
    for payment in rows.select_related("order__member"):
        _keep(payment.order.member, "payer", payment.payer_hash)


def shared(one: int, other: int) -> set[str]:
    """The kinds of marks that two members have in common."""
    theirs = Mark.objects.filter(member=other).values_list("kind", "mark_hash")
    mine = set(Mark.objects.filter(member=one).values_list("kind", "mark_hash"))
    return {kind for kind, mark_hash in theirs if (kind, mark_hash) in mine}


def do_forget_marks() -> int:
    """Forgets what is older than needed; how many that were."""
    return Mark.objects.filter(at__lt=clock.now() - KEPT).delete()[0]

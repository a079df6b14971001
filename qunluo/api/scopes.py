"""What a token may do: each scope is one permission of the roles, to read or to write."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, get_args

from qunluo.community.rules import Permission, may

Scope = Literal[
    "groups:read", "groups:write", "members:read", "members:write", "contact:read",
    "members:export", "members:erase", "messages:read", "messages:write", "moderation:read",
    "moderation:write", "questions:read", "questions:write", "events:read", "events:write",
    "webhooks:read", "webhooks:write", "community:read", "deliveries:read", "codes:read",
    "codes:write", "replies:read", "replies:write", "care:read", "care:write",
    "introductions:read", "introductions:write",
    "shop:read", "shop:write", "refunds:write", "campaigns:read", "campaigns:write",
]  # fmt: skip
ALL_SCOPES: tuple[Scope, ...] = get_args(Scope)

PERMISSION: dict[Scope, Permission] = {
    "community:read": "see_home",
    "groups:read": "see_groups",
    "groups:write": "run_groups",
    "members:read": "see_members",
    "members:write": "edit_members",
    "contact:read": "reveal_contact",
    "members:export": "export_members",
    "members:erase": "erase_members",
    "messages:read": "see_room",
    "messages:write": "speak",
    "moderation:read": "moderate",
    "moderation:write": "moderate",
    "questions:read": "answer",
    "questions:write": "answer",
    "deliveries:read": "see_room",
    "codes:read": "see_groups",
    "codes:write": "run_groups",
    "replies:read": "see_groups",
    "replies:write": "run_groups",
    "care:read": "care",
    "care:write": "run_care",
    "introductions:read": "edit_members",
    "introductions:write": "edit_members",
    "shop:read": "see_shop",
    "shop:write": "run_shop",
    "refunds:write": "refund",
    "campaigns:read": "see_campaigns",
    "campaigns:write": "run_campaigns",
    "events:read": "see_audit",
    "events:write": "edit_members",
    "webhooks:read": "manage_api",
    "webhooks:write": "manage_api",
}


def allows(scopes: Iterable[str], role: str, scope: Scope) -> bool:
    """Whether a token with these scopes, made by somebody of this role, may do it now."""
    return scope in scopes and may(role, PERMISSION[scope])


def list_scopes(role: str) -> list[Scope]:
    """The scopes that a token of somebody of this role can use."""
    return [scope for scope in ALL_SCOPES if may(role, PERMISSION[scope])]

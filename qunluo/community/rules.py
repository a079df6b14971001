"""Who may do what, and what a community may set. Pure."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

from qunluo.kit.errors import QunluoError
from qunluo.kit.text import Text

Role = Literal["owner", "operator", "moderator", "analyst", "store_staff"]
ROLES: tuple[Role, ...] = get_args(Role)

Permission = Literal[
    "see_home", "see_groups", "run_groups", "see_room", "speak", "moderate", "see_members",
    "edit_members", "reveal_contact", "import_members", "export_members", "erase_members",
    "answer", "see_insight", "make_reports", "see_audit", "edit_settings", "manage_staff",
    "manage_api", "care", "run_care", "see_shop", "run_shop", "refund", "see_campaigns",
    "run_campaigns",
]  # fmt: skip
PERMISSIONS: tuple[Permission, ...] = get_args(Permission)

_STORE: set[Permission] = {
    "see_home",
    "see_groups",
    "see_room",
    "speak",
    "see_members",
    "answer",
    "care",
    "see_shop",
}
_MODERATOR: set[Permission] = _STORE | {"moderate", "see_campaigns"}
_ANALYST: set[Permission] = {
    "see_home", "see_groups", "see_members", "see_insight", "make_reports", "see_shop",
    "see_campaigns",
}  # fmt: skip
_OPERATOR: set[Permission] = (
    _MODERATOR
    | _ANALYST
    | {
        "run_groups",
        "run_care",
        "run_shop",
        "run_campaigns",
        "refund",
        "edit_members",
        "reveal_contact",
        "import_members",
        "see_audit",
    }
)
MAY: dict[Role, frozenset[Permission]] = {
    "owner": frozenset(PERMISSIONS),
    "operator": frozenset(_OPERATOR),
    "moderator": frozenset(_MODERATOR),
    "analyst": frozenset(_ANALYST),
    "store_staff": frozenset(_STORE),
}
"""Personal data leaves (export, erasure) only through an owner or the member."""


class NotAllowedError(QunluoError):
    """The role does not carry the permission."""

    code = "not_allowed"
    sentence = Text(
        "Your role does not allow this. An owner of the community can change your role.",
        "你的角色没有此权限，可请社群所有者调整角色。",
    )


class NoCommunityError(QunluoError):
    """There is none, or it is not theirs: both look the same from outside."""

    code = "no_community"
    sentence = Text("There is no such community for you.", "没有找到你可以进入的社群。")


def may(role: str, permission: Permission) -> bool:
    found: frozenset[Permission] = MAY.get(role, frozenset())  # type: ignore[call-overload]
    return permission in found


@dataclass(frozen=True)
class Settings:
    """What an owner may decide for a community; the defaults of the spec."""

    answer_within_min: int = 30  # an unanswered question goes red then
    quiet_from: int = 22  # local hour, inclusive
    quiet_until: int = 8  # local hour, exclusive
    direct_cap_per_day: int = 2  # messages to one member
    welcome_within_s: int = 20
    trusted_after: int = 20  # clean messages
    newcomer_hours: int = 24  # cool-off in which links of newcomers are held
    remind_at: float = 0.5  # moderation scores
    remove_at: float = 0.9
    strike_days: int = 30
    nickname_reminders: int = 2
    currency: str = "CNY"  # of prices and orders, from the next one on
    dear_order_minor: int = 30_000  # an order is of high value from here on
    points_days: int = 365  # after which points expire; 0: never
    two_factor: bool = False  # staff need a second factor to get in


DEFAULTS = Settings()


class WrongSettingError(QunluoError):
    """A setting can't have that value."""

    code = "wrong_community_setting"
    sentence = Text("“{name}” can't be {value}: {reason}", "“{name}”不能是 {value}：{reason}")


def read_settings(stored: dict[str, Any]) -> Settings:
    """The community's settings: what it stored over the defaults; unknown names are ignored."""
    known = {f.name for f in fields(Settings)}
    return Settings(**{name: value for name, value in stored.items() if name in known})

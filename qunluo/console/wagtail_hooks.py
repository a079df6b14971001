"""What Wagtail's shell shows of ours: the menu, the style, and nothing of its own."""

from __future__ import annotations

from typing import Any, cast

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.admin.menu import MenuItem

from qunluo.community.rules import Permission, may
from qunluo.console.access import StaffRequest

MENU: tuple[tuple[str, Promise | str, str, str, Permission], ...] = (
    ("q-home", _("Home"), "console:home", "home", "see_home"),
    ("q-inbox", _("Questions"), "people:inbox", "mail", "answer"),
    ("q-groups", _("Groups"), "console:groups", "group", "see_groups"),
    ("q-members", _("Members"), "people:members", "user", "see_members"),
    ("q-segments", _("Segments"), "segments:all", "group", "see_members"),
    ("q-cases", _("Moderation"), "people:cases", "warning", "moderate"),
    ("q-care", _("Care"), "care:home", "pick", "care"),
    ("q-transfers", _("Transfers"), "console:transfers", "download", "run_shop"),
    ("q-shop", _("Shop"), "shop:home", "clipboard-list", "see_shop"),
    ("q-campaigns", _("Campaigns"), "campaigns:all", "tag", "see_campaigns"),
    ("q-insight", _("Insight"), "insight:home", "history", "see_insight"),
    ("q-reports", _("Reports"), "reports", "doc-full", "make_reports"),
    ("q-audit", _("Record"), "console:audit", "list-ul", "see_audit"),
    ("q-ledger", _("Ledger"), "campaigns:accounts", "table", "see_audit"),
    ("q-staff", _("Staff"), "console:staff", "key", "manage_staff"),
    ("q-keys", _("API"), "keys:tokens", "code", "manage_api"),
    ("q-settings", _("Settings"), "console:settings", "cog", "edit_settings"),
)  # fmt: skip


class Entry(MenuItem):  # type: ignore[misc]
    """An entry for those whose role carries its permission."""

    permission: Permission

    def is_shown(self, request: HttpRequest) -> bool:
        post = getattr(cast(StaffRequest, request), "staff", None)
        return post is not None and may(post.role, self.permission)


def make_entries() -> list[Entry]:
    """The menu in its order; a page that isn't there has no entry."""
    made = []
    for order, (name, label, to, icon, permission) in enumerate(MENU):
        try:
            address = reverse(to)
        except NoReverseMatch:
            continue
        entry = Entry(label, address, name=name, icon_name=icon, order=order)
        entry.permission = permission
        made.append(entry)
    return made


@hooks.register("construct_main_menu", order=1000)  # type: ignore[untyped-decorator]
def only_ours(request: HttpRequest, items: list[Any]) -> None:
    """Our entries in place of Wagtail's pages, images, reports and settings."""
    items[:] = [entry for entry in make_entries() if entry.is_shown(request)]


@hooks.register("construct_settings_menu", order=1000)  # type: ignore[untyped-decorator]
@hooks.register("construct_reports_menu", order=1000)  # type: ignore[untyped-decorator]
@hooks.register("construct_help_menu", order=1000)  # type: ignore[untyped-decorator]
def none_of_theirs(request: HttpRequest, items: list[Any]) -> None:
    items.clear()


@hooks.register("insert_global_admin_css")  # type: ignore[untyped-decorator]
def our_style() -> SafeString:
    return format_html('<link rel="stylesheet" href="{}">', static("console/shell.css"))


@hooks.register("get_avatar_url")  # type: ignore[untyped-decorator]
def our_avatar(user: Any, size: int) -> str:
    """No pictures of staff are kept, and none fetched from elsewhere."""
    return f"{static('wagtailadmin/images/default-user-avatar.png')}?v=1"

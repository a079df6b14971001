"""Addresses of the console and of what stands before its door."""

from django.http import HttpRequest, HttpResponseBase
from django.urls import include, path, register_converter
from django.views.i18n import set_language

from qunluo.console import (
    auditing,
    closing,
    groups,
    home,
    rules_page,
    settings_page,
    shell,
    signing,
    staffing,
    standing_page,
    starting,
    transfers,
    two_factor,
    views,
)
from qunluo.console.access import open_view


class JobId:
    regex = "[0-9a-f]{16}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(JobId, "job")


@open_view("everybody: the language of the pages, in their own cookie")
def language(request: HttpRequest) -> HttpResponseBase:
    return set_language(request)


_GROUP = "groups/<int:group_id>"
console = [
    path("", home.home, name="home"),
    path("sign-in", signing.sign_in, name="sign_in"),
    path("code", signing.code, name="code"),
    path("sign-out", signing.sign_out, name="sign_out"),
    path("choose", signing.choose, name="choose"),
    path("account", two_factor.account, name="account"),
    path("account/two-factor", two_factor.set_up, name="two_factor"),
    path("account/two-factor/off", two_factor.switch_off, name="two_factor_off"),
    path("start", starting.start, name="start"),
    path("start/group", starting.first_group, name="first_group"),
    path("groups", groups.groups, name="groups"),
    path("groups/new", groups.new_group, name="new_group"),
    path(_GROUP, groups.group, name="group"),
    path(f"{_GROUP}/edit", groups.edit, name="edit_group"),
    path(f"{_GROUP}/close", closing.close, name="close_group"),
    path(f"{_GROUP}/dissolve", closing.dissolve, name="dissolve_group"),
    path(f"{_GROUP}/successor", closing.open_successor, name="open_successor"),
    path(f"{_GROUP}/pin", groups.pin, name="pin"),
    path(f"{_GROUP}/moderators", groups.moderator, name="moderator"),
    path(f"{_GROUP}/replies", rules_page.add_reply, name="add_reply"),
    path(f"{_GROUP}/replies/<int:reply_id>", rules_page.edit_reply, name="edit_reply"),
    path(f"{_GROUP}/replies/<int:reply_id>/delete", rules_page.delete_reply, name="delete_reply"),
    path(f"{_GROUP}/replies/<int:reply_id>/switch", rules_page.switch_reply, name="switch_reply"),
    path(f"{_GROUP}/rules/<int:rule_id>", rules_page.set_rule, name="set_rule"),
    path("requests/<int:request_id>", groups.decide, name="decide_request"),
    path("staff", staffing.staff, name="staff"),
    path("staff/<int:staff_id>", staffing.change, name="change_staff"),
    path("record", auditing.audit, name="audit"),
    path("settings", settings_page.settings, name="settings"),
    path("settings/standing", standing_page.thresholds, name="standing"),
    path("transfers", transfers.transfers, name="transfers"),
    path("transfers/account", transfers.account, name="bank_account"),
    path("transfers/orders/<int:order_id>", transfers.confirm, name="confirm_transfer"),
]  # fmt: skip
reports = [
    path("", views.home, name="reports"),
    path("make", views.create, name="create"),
    path("jobs/<job:job_id>", views.job, name="job"),
    path("jobs/<job:job_id>/stop", views.stop, name="stop"),
    path("jobs/<job:job_id>/retry", views.retry, name="retry"),
    path("jobs/<job:job_id>/delete", views.delete, name="delete"),
    path("jobs/<job:job_id>/restore", views.restore, name="restore"),
    path("<job:job_id>/report.html", views.report_html, name="report_html"),
    path("<job:job_id>/report.json", views.report_json, name="report_json"),
]
# Names that the shell's own templates ask for, with our pages behind them.
named_by_shell = [
    path("", home.home, name="wagtailadmin_home"),
    path("account", two_factor.account, name="wagtailadmin_account"),
    path("sign-out", signing.sign_out, name="wagtailadmin_logout"),
    path("sign-in", signing.sign_in, name="wagtailadmin_login"),
]
urlpatterns = [
    path("", starting.landing, name="home"),
    path("assets/<str:name>", views.asset, name="asset"),
    path("static/<path:path>", shell.static, name="static"),
    path("language", language, name="set_language"),
    path("console/", include((console, "console"))),
    path("console/", include("qunluo.console.launching.urls")),
    path("console/segments/", include("qunluo.console.segments.urls")),
    path("console/", include("qunluo.console.people.urls")),
    path("console/care/", include("qunluo.console.care.urls")),
    path("console/shop/", include("qunluo.console.shop.urls")),
    path("console/", include("qunluo.console.campaigns.urls")),
    path("console/", include("qunluo.console.insight")),
    path("console/reports/", include(reports)),
    path("console/", include(named_by_shell)),
    path("console/shell/", include(shell)),
]

"""What Carol, who must see and do nothing, is refused; and what every answer carries."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.test import Client, override_settings

from qunluo.community.models import Community, User
from qunluo.console.work import Workshop
from qunluo.kit.settings import Settings
from tests.console.builders import asked, put_report, strict_client

CAROL = "https://carol.example"


def test_a_foreign_host_name_is_refused(desk: Client) -> None:
    """A name that resolves to this computer (DNS rebinding) reads nothing."""
    answer = desk.get("/console/reports/", headers={"host": "carol.example"})
    assert answer.status_code == 400
    assert "Open the address that Qunluo printed" in answer.content.decode()


@pytest.mark.parametrize("action", ["make", "jobs/{}/delete", "jobs/{}/retry", "jobs/{}/stop"])
def test_another_site_can_do_nothing(
    shop: Workshop, tea: Community, alice: User, action: str
) -> None:
    job = put_report(shop)
    browser = strict_client(alice)
    browser.get("/console/reports/")
    token = browser.cookies["csrftoken"].value
    body = {"csrfmiddlewaretoken": token}
    answer = browser.post(
        f"/console/reports/{action.format(job.id)}", body, headers={"origin": CAROL}
    )
    assert answer.status_code == 403
    assert shop.shelf.list_all() == [job]


def test_a_form_without_its_token_is_refused_and_nothing_stays(
    shop: Workshop, tea: Community, alice: User, settings: Settings
) -> None:
    answer = strict_client(alice).post("/console/reports/make", asked())
    assert answer.status_code == 403
    assert answer["Content-Security-Policy"]
    assert shop.shelf.list_all() == []
    assert [p.name for p in (settings.data / "incoming").iterdir()] == []


def test_a_form_with_its_token_is_taken(shop: Workshop, tea: Community, alice: User) -> None:
    browser = strict_client(alice)
    browser.get("/console/reports/")
    token = browser.cookies["csrftoken"].value
    answer = browser.post("/console/reports/make", asked(csrfmiddlewaretoken=token))
    assert answer.status_code == 302


@pytest.mark.parametrize(
    "address", ["/console/", "/console/sign-in", "/nothing", "/assets/console.css"]
)
def test_every_answer_limits_what_a_browser_does_with_it(desk: Client, address: str) -> None:
    answer = desk.get(address)
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin"


def test_a_report_runs_its_scripts_away_from_this_page(desk: Client, shop: Workshop) -> None:
    answer = desk.get(f"/console/reports/{put_report(shop).id}/report.html")
    policy = answer["Content-Security-Policy"].split("; ")
    assert policy[0].startswith("sandbox allow-scripts")
    assert "allow-same-origin" not in policy[0]
    assert "default-src 'none'" in policy
    assert not any(rule.startswith("connect-src") for rule in policy)
    answer.close()


def test_a_body_beyond_the_limit_is_refused_unread(desk: Client, settings: Settings) -> None:
    large = {"CONTENT_LENGTH": str(3_000_000)}
    answer = desk.post("/console/reports/make", asked(), **large)
    assert answer.status_code == 413
    assert "larger than 1 MB" in answer.content.decode()


def test_a_body_beyond_the_disk_is_refused_unread(desk: Client, settings: Settings) -> None:
    roomy = replace(settings, max_upload_mb=10**12)
    with override_settings(QUNLUO=roomy):
        answer = desk.post("/console/reports/make", asked(), CONTENT_LENGTH=str(10**17))
    assert answer.status_code == 507
    assert "not enough room" in answer.content.decode()


def test_the_cookie_is_kept_from_other_sites(desk: Client) -> None:
    cookie = desk.get("/console/reports/").cookies["csrftoken"]
    assert cookie["samesite"] == "Strict"


@pytest.mark.parametrize("action", ["delete", "retry", "stop", "restore"])
def test_looking_changes_nothing(desk: Client, shop: Workshop, action: str) -> None:
    assert desk.get(f"/console/reports/jobs/{put_report(shop).id}/{action}").status_code == 405

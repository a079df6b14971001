"""What the pages answer to Alice, who may, and what they tell her."""

from __future__ import annotations

import pytest
from django.test import Client

from qunluo.community.models import Community
from qunluo.console.work import Workshop
from qunluo.kit.text import Text
from tests.console.builders import put_job, put_report


def test_an_empty_list_says_what_to_do(desk: Client) -> None:
    page = desk.get("/console/reports/").content.decode()
    assert "No report yet" in page
    assert "Export a chat in its app" in page


def test_the_browser_decides_the_language(desk: Client) -> None:
    page = desk.get(
        "/console/reports/", headers={"accept-language": "zh-CN,zh;q=0.9"}
    ).content.decode()
    assert '<html lang="zh-hans">' in page
    assert "你的群里正在发生什么？" in page


def test_a_reader_may_switch_the_language(desk: Client) -> None:
    desk.post("/language", {"language": "zh-hans"})
    assert "还没有报告" in desk.get("/console/reports/").content.decode()


def test_a_report_is_listed_with_its_facts_and_opens(desk: Client, shop: Workshop) -> None:
    job = put_report(shop)
    page = desk.get("/console/reports/").content.decode()
    assert "2 lines could not be read" in page.replace('<span title="2">2</span>', "2")
    answer = desk.get(f"/console/reports/{job.id}/report.html")
    assert b"".join(answer) == b"<h1>Report</h1>"
    answer.close()


def test_a_report_is_saved_under_a_name_of_its_own(desk: Client, shop: Workshop) -> None:
    answer = desk.get(f"/console/reports/{put_report(shop).id}/report.json?save")
    assert answer["Content-Disposition"] == 'attachment; filename="qunluo-chat.json"'
    answer.close()


@pytest.mark.parametrize("state", ["failed", "stopped", "interrupted"])
def test_what_is_not_done_has_no_report(desk: Client, shop: Workshop, state: str) -> None:
    job = put_job(shop, state)  # type: ignore[arg-type]
    (shop.shelf.folder(job.id) / "report.html").write_text("half")
    assert desk.get(f"/console/reports/{job.id}/report.html").status_code == 404
    assert "Try again" in desk.get(f"/console/reports/jobs/{job.id}").content.decode()


def test_a_failure_says_why_in_the_readers_language(desk: Client, shop: Workshop) -> None:
    job = put_job(shop, "failed", error=Text("The file is empty.", "文件是空的。"))
    assert "The file is empty." in desk.get(f"/console/reports/jobs/{job.id}").content.decode()
    chinese = desk.get(f"/console/reports/jobs/{job.id}", headers={"accept-language": "zh"})
    assert "文件是空的。" in chinese.content.decode()


def test_a_deleted_report_comes_back_with_undo(desk: Client, shop: Workshop) -> None:
    job = put_report(shop)
    after = desk.post(f"/console/reports/jobs/{job.id}/delete", follow=True).content.decode()
    assert "The report was deleted." in after
    assert desk.get(f"/console/reports/jobs/{job.id}").status_code == 404
    desk.post(f"/console/reports/jobs/{job.id}/restore")
    assert desk.get(f"/console/reports/jobs/{job.id}").status_code == 200


def test_another_communitys_reports_are_as_if_there_were_none(
    desk: Client, shop: Workshop, tea: Community
) -> None:
    mine, other = put_report(shop, community=tea.pk), put_report(shop, community=tea.pk + 1)
    listed = desk.get("/console/reports/").content.decode()
    assert mine.id in listed
    assert other.id not in listed
    base = f"/console/reports/jobs/{other.id}"
    for address in (base, f"/console/reports/{other.id}/report.html",
                    f"/console/reports/{other.id}/report.json"):  # fmt: skip
        assert desk.get(address).status_code == 404
    for act in ("stop", "retry", "delete"):
        assert desk.post(f"{base}/{act}").status_code == 404
    shop.shelf.discard(other.id)
    assert desk.post(f"{base}/restore").status_code == 404
    assert shop.shelf.find_discarded(other.id) == other


def test_a_running_job_is_not_deleted_under_its_feet(desk: Client, shop: Workshop) -> None:
    job = put_job(shop, "running")
    desk.post(f"/console/reports/jobs/{job.id}/delete")
    assert shop.shelf.find(job.id) == job


@pytest.mark.parametrize(
    "address",
    [
        "/console/reports/jobs/0123456789abcdef",
        "/console/reports/0123456789abcdef/report.html",
        "/console/reports/jobs/..%2f..%2fetc",
        "/assets/..%2fconf.py",
        "/assets/conf.py",
        "/nothing",
    ],
)
def test_an_unknown_address_is_told_kindly(desk: Client, address: str) -> None:
    answer = desk.get(address)
    assert answer.status_code == 404
    assert "There is nothing here" in answer.content.decode()


def test_names_from_outside_are_escaped(desk: Client, shop: Workshop) -> None:
    job = put_job(shop, "failed", error=Text("<script>alert(1)</script>", "x"))
    page = desk.get(f"/console/reports/jobs/{job.id}").content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_style_and_script_may_be_kept_by_browsers(desk: Client) -> None:
    page = desk.get("/console/reports/").content.decode()
    address = page.split('<script src="')[1].split('"')[0]
    answer = desk.get(address)
    assert answer["Content-Type"] == "text/javascript; charset=utf-8"
    assert "immutable" in answer["Cache-Control"]

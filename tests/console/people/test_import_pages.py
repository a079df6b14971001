"""A list of members comes in: mapped, looked at, run, and told line by line what did not."""

from __future__ import annotations

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import StreamingHttpResponse
from django.test import Client
from django.urls import reverse

from qunluo.community.models import Community
from qunluo.members.models import Member, MemberImport
from qunluo.members.tasks import step_import
from tests.console.people.conftest import HOSTILE, kinds, read

pytestmark = pytest.mark.django_db
CSV = f"姓名,手机,城市,记号\n王小明,13800138000,杭州,x\n{HOSTILE},13800138001,,y\n坏行,12,上海,z\n"


def at(name: str, *args: object) -> str:
    return reverse(f"people:{name}", args=args)


def upload(desk: Client, content: bytes, name: str = "members.csv") -> MemberImport:
    answer = desk.post(at("imports"), {"file": SimpleUploadedFile(name, content)})
    assert answer.status_code == 302, answer.content
    return MemberImport.objects.get()


def test_a_list_comes_in_after_a_look(desk: Client, tea: Community) -> None:
    row = upload(desk, CSV.encode())
    page = read(desk.get(at("import", row.pk)))
    assert "Of the first 3 lines, 2 would be new members" in page
    assert "138****8000" in page
    assert "13800138000" not in page
    assert "<img src=x" not in page
    assert not Member.objects.exists()
    mapped = desk.post(at("import", row.pk), {"column": ["name", "phone", "region", ""]})
    assert "Start the import" in read(mapped)
    desk.post(at("import_run", row.pk))
    assert json.loads(read(desk.get(at("import_state", row.pk))))["ended"] is False
    assert step_import()
    step_import()
    assert json.loads(read(desk.get(at("import_state", row.pk))))["ended"] is True
    assert Member.objects.filter(community=tea).count() == 2
    result = read(desk.get(at("import", row.pk)))
    assert "3 lines read: 2 new, 0 known, 1 rejected" in result
    assert "Line 4" in result  # the first names the columns
    answer = desk.get(at("import_rejects", row.pk))
    assert isinstance(answer, StreamingHttpResponse)
    table = answer.getvalue().decode("utf-8-sig").splitlines()
    assert table[0] == "Line,Why,姓名,手机,城市,记号"
    assert table[1].endswith(",坏行,12,上海,z")
    assert "rejects_downloaded" in kinds(tea)
    assert "members_imported" in kinds(tea)


def test_columns_that_tell_nobody_apart_are_refused_and_kept(
    desk: Client, tea: Community
) -> None:
    row = upload(desk, CSV.encode("gb18030"))
    given = {"column": ["name", "", "region", "note"]}
    page = read(desk.post(at("import", row.pk), given), 400)
    assert "Say which column is the phone" in page
    assert '<option value="note" selected>' in page


@pytest.mark.parametrize(
    "content", [b"", b"\n\n", b"PK\x03\x04 a spreadsheet", b"\x89PNG\r\n\x1a\n\0\0\0"]
)
def test_what_is_no_table_is_refused_and_not_kept(
    desk: Client, tea: Community, content: bytes
) -> None:
    sent = {"file": SimpleUploadedFile("members.csv", content)}
    assert 'role="alert"' in read(desk.post(at("imports"), sent), 400)
    assert not MemberImport.objects.exists()


def test_no_file_is_a_sentence(desk: Client, tea: Community) -> None:
    assert "Choose a CSV file first" in read(desk.post(at("imports"), {}), 400)

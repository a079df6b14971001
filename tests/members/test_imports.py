"""A CSV comes in once, whatever it is written in and whoever dies on the way."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qunluo.community.models import Community
from qunluo.events.models import Event
from qunluo.kit import clock
from qunluo.kit.settings import read_settings
from qunluo.kit.text import Lang, Text
from qunluo.members import imports
from qunluo.members.actions import do_set_contact, do_set_fields, do_tag
from qunluo.members.imports import (
    WrongFileError,
    WrongMappingError,
    do_map_import,
    do_queue_import,
    do_run_import,
    do_start_import,
    preview,
)
from qunluo.members.models import Field, Identity, Member, MemberImport, Tag, Tagging, TagGroup
from qunluo.members.queries import list_tags, search_members
from qunluo.members.rejecting import KEPT, are_kept, do_tell_rejects, keep_rejects
from qunluo.members.sealing import open_contact
from qunluo.members.sheets import Reject, guard_cell
from qunluo.members.tasks import step_import, step_rejects
from tests.cast import make_member

pytestmark = pytest.mark.django_db
_files = count(1)
SHEET = """\
姓名,手机号,邮箱,城市,生日,标签,肤质
王小明,138 0013 8000,,苏州,1990/1/2,VIP;老客,干性
李小红,,Li@Example.com,,,,
,13800138002,,,,,
没有联系,,,杭州,,,
坏号码,12,,,,,
坏肤质,13800138003,,,,,鳞片
"""


def start(tea: Community, content: str | bytes, **more: str) -> MemberImport:
    name = f"incoming/members-{next(_files)}.csv"
    raw = content.encode() if isinstance(content, str) else content
    (read_settings().data / name).write_bytes(raw)
    return do_start_import(tea, name, title="members.csv", by="staff:1", **more)


def run(tea: Community, content: str | bytes, **more: str) -> MemberImport:
    imported = start(tea, content, **more)
    while not do_run_import(imported):
        pass
    return imported


def counted(row: MemberImport) -> tuple[int, int, int, int]:
    return row.read, row.made, row.met, row.rejected


def skin(tea: Community) -> Field:
    return Field.objects.create(
        community=tea, key="skin", label="肤质", kind="choice", choices=["干性", "油性"]
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_columns_are_guessed_in_every_writing(
    tea: Community, encoding: str, delimiter: str
) -> None:
    skin(tea)
    text = SHEET.replace(";", "、").replace(",", delimiter)
    seen = preview(start(tea, text.encode(encoding)))
    assert seen.columns == [
        "name",
        "phone",
        "email",
        "region",
        "birthday",
        "tags",
        "field:skin",
    ]
    assert (seen.read, seen.made, seen.met) == (6, 3, 0)
    assert [row.name for row in seen.rows] == ["王小明", "李小红", "138****8002"]
    assert [reject.line for reject in seen.rejects] == [5, 6, 7]
    assert "干性" in seen.rejects[2].why.zh
    assert not Member.objects.exists()


def test_members_come_in_with_all_that_is_told_of_them(tea: Community) -> None:
    skin(tea)
    imported = run(tea, SHEET)
    assert counted(imported) == (6, 3, 0, 3)
    assert imported.state == "done"
    assert [row["line"] for row in imported.rejects] == [5, 6, 7]
    (wang,) = search_members(tea, "王小明")
    assert open_contact(wang) == {"phone": "+8613800138000"}
    assert (wang.region, str(wang.birthday), wang.fields) == (
        "苏州",
        "1990-01-02",
        {"skin": "干性"},
    )
    assert {row.tag.name for row in list_tags(wang)} == {"VIP", "老客"}
    assert search_members(tea, "苏州") == search_members(tea, "干性") == [wang]
    event = Event.objects.get(kind="members_imported")
    assert event.data == {"read": 6, "made": 3, "met": 0, "rejected": 3}
    assert not (read_settings().data / imported.file).exists()


def told(imported: MemberImport, lang: Lang = "en") -> list[list[str]]:
    lines = do_tell_rejects(imported, by="staff:1", lang=lang)
    return list(csv.reader(io.StringIO("".join(lines), newline="")))


def test_all_rejected_lines_are_told_with_what_they_say(
    tea: Community, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "BATCH", 100)
    rows = "".join(f"坏{n},=1+{n},杭州\n" for n in range(450))
    imported = run(tea, f"姓名,手机,城市\n{rows}好,13800138000,上海\n")
    assert (imported.rejected, len(imported.rejects)) == (450, 200)
    header, *lines = told(imported, "zh")
    assert header == ["行号", "原因", "姓名", "手机", "城市"]
    assert [int(line[0]) for line in lines] == list(range(2, 452))
    assert lines[449][2:] == ["坏449", "'=1+449", "杭州"]
    event = Event.objects.get(kind="rejects_downloaded")
    assert (event.actor, event.data) == ("staff:1", {"import": imported.pk, "lines": 450})
    assert "杭州" not in repr(Reject(1, Text("", ""), ("杭州",)))


def test_lines_of_a_batch_that_was_lost_are_not_told_twice(tea: Community) -> None:
    imported = start(tea, "姓名,手机\n坏,1\n坏,2\n")
    keep_rejects(imported, [Reject(9, Text("lost", "丢"), ("x",))])  # its worker was killed
    while not do_run_import(imported):
        pass
    assert [line[0] for line in told(imported)] == ["Line", "2", "3"]


def test_corrected_lines_come_in_as_they_were_told(tea: Community) -> None:
    first = run(tea, "姓名,手机,生日\n王小明,+8613800138000,昨天\n")
    ((_line, _why, name, phone, _birthday),) = told(first)[1:]
    assert phone == "'+8613800138000"
    assert counted(run(tea, f"姓名,手机,生日\n{name},{phone},1990-01-02\n")) == (1, 1, 0, 0)
    assert open_contact(Member.objects.get()) == {"phone": "+8613800138000"}


@given(st.text(max_size=9))
def test_no_cell_is_calculated_with(cell: str) -> None:
    guarded = guard_cell(cell)
    assert guarded[:1] not in {"=", "+", "-", "@", "\t", "\r"}
    assert guarded.removeprefix("'") == cell.removeprefix("'")


def test_rejected_lines_are_forgotten_after_some_days(tea: Community) -> None:
    imported = run(tea, "姓名,手机\n坏,1\n")
    assert not step_rejects()
    MemberImport.objects.update(at=clock.now() - KEPT - timedelta(minutes=1))
    assert step_rejects()
    assert not step_rejects()
    imported.refresh_from_db()
    assert not are_kept(imported)
    assert [line[0] for line in told(imported)] == ["Line", "2"]
    assert not list((read_settings().data / "imports").glob(f"{imported.pk}.*"))


def test_who_is_there_gets_what_is_missing_and_keeps_the_rest(tea: Community) -> None:
    skin(tea)
    wang = make_member(tea, "Wang")
    do_set_contact(wang, phone="13800138000", by="staff:1")
    do_set_fields(wang, {"skin": "油性"}, by="staff:1", why="")
    group = TagGroup.objects.create(community=tea, name="Level", single=True)
    tags = {name: Tag.objects.create(group=group, name=name) for name in ("VIP", "new")}
    do_tag(wang, tags["new"], by="staff:1", why="")
    assert counted(run(tea, SHEET)) == (6, 2, 1, 3)
    wang.refresh_from_db()
    assert (wang.name, wang.region, wang.fields) == ("Wang", "苏州", {"skin": "油性"})
    assert {row.tag.name for row in list_tags(wang)} == {"new", "老客"}


def test_a_number_that_somebody_only_claims_gives_them_nothing(
    tea: Community, bob: Member
) -> None:
    do_set_contact(bob, phone="13800138000", by=bob.actor)
    skin(tea)
    run(tea, SHEET)
    bob.refresh_from_db()
    assert bob.region == ""
    assert counted(run(tea, SHEET)) == (6, 0, 3, 3)


def test_an_import_goes_on_where_it_was(
    tea: Community, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "BATCH", 2)
    text = "id,name\n" + "".join(f"a{n},Member {n}\n" for n in range(7))
    imported = start(tea, text)
    assert not do_run_import(imported, batches=2)
    stale = MemberImport.objects.get(pk=imported.pk)
    assert not do_run_import(imported, batches=1)
    assert not imports._take_in(stale, list(imports._read(stale, after=stale.read))[:2])
    do_queue_import(MemberImport.objects.get(pk=start(tea, "name,id\nZoe,z1\n").pk))
    while step_import():
        pass
    imported.refresh_from_db()
    assert counted(imported) == (7, 7, 0, 0)
    assert Identity.objects.filter(channel="import").count() == Member.objects.count() == 8
    assert do_run_import(imported)


def test_accounts_belong_to_their_channel(tea: Community) -> None:
    run(tea, "id,name\nw1,Wang\n", channel="wecom")
    assert Identity.objects.get().channel == "wecom"
    assert counted(run(tea, "id,name\nw1,Wang\n", channel="wecom")) == (1, 0, 1, 0)


def test_a_mapping_needs_something_to_know_members_by(tea: Community) -> None:
    imported = start(tea, "Who,Call\nWang,13800138000\n")
    assert imported.mapping["columns"] == ["", ""]
    for wrong in (["name", ""], ["phone", "phone"], ["name"], ["name", "field:none"]):
        with pytest.raises(WrongMappingError):
            do_map_import(imported, wrong)
    with pytest.raises(WrongMappingError):
        do_run_import(imported)
    do_map_import(imported, ["name", "phone"])
    assert do_run_import(imported)
    assert Member.objects.get().name == "Wang"


@pytest.mark.parametrize("content", ["", "\n\n", ",,,\n"])
def test_an_empty_file_is_told(tea: Community, content: str) -> None:
    with pytest.raises(WrongFileError):
        start(tea, content)


def test_no_file_outside_the_data_folder_is_read(tea: Community) -> None:
    with pytest.raises(WrongFileError):
        do_start_import(tea, "../../../etc/passwd", title="x", by="staff:1")


@given(raw=st.binary(max_size=300))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_in_the_file_it_is_read_or_refused(tea: Community, raw: bytes) -> None:
    with transaction.atomic():
        imported = start(tea, b"id,name,phone,tags\n" + raw)
        do_map_import(imported, ["external_id", "name", "phone", "tags"][: _width(imported)])
        assert do_run_import(imported)
        assert imported.read == imported.made + imported.met + imported.rejected
        transaction.set_rollback(True)


def _width(imported: MemberImport) -> int:
    return len(imported.mapping["header"])


_row = st.fixed_dictionaries(
    {
        "id": st.sampled_from(["", "a", "b", "c"]),
        "name": st.sampled_from(["Wang", "王", ""]),
        "phone": st.sampled_from(["", "13800138000", "13800138001", "+86 13800138001"]),
        "email": st.sampled_from(["", "a@b.cn", "A@B.cn", "c@d.cn"]),
        "region": st.sampled_from(["", "苏州", "Berlin"]),
        "tags": st.sampled_from(["", "VIP", "VIP;老客"]),
        "skin": st.sampled_from(["", "干性", "油性", "wrong"]),
    }
)


def everything() -> list[Any]:
    models = (Member, Identity, Tag, Tagging, TagGroup)
    return [list(model.objects.order_by("pk").values()) for model in models]  # type: ignore[attr-defined]


@given(rows=st.lists(_row, max_size=12), cut=st.integers(1, 5))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_same_file_twice_changes_nothing(
    tea: Community, rows: list[dict[str, str]], cut: int
) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, ["id", "name", "phone", "email", "region", "tags", "skin"])
    writer.writeheader()
    writer.writerows(rows)
    patch = pytest.MonkeyPatch()
    patch.setattr(imports, "BATCH", cut)
    with transaction.atomic():
        skin(tea)
        run(tea, text.getvalue())
        before = everything()
        patch.setattr(imports, "BATCH", 1000)
        again = run(tea, text.getvalue())
        assert again.made == 0
        assert everything() == before
        transaction.set_rollback(True)
    patch.undo()

"""Tables: column names people use, times in every form, encodings, rows that can't be read."""

from __future__ import annotations

import io
import json
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qunluo.archive.importers import tabular
from qunluo.archive.importers.base import Options
from qunluo.archive.importers.table_columns import columns_of, is_table
from qunluo.archive.importers.table_times import instants
from qunluo.archive.importers.tabular import BrokenTableError, Tabular
from qunluo.archive.streams import BrokenFileError
from tests.archive.sources_builder import Memory, Taken, take

SHANGHAI = Options(zone=ZoneInfo("Asia/Shanghai"))
AT = datetime(2024, 2, 13, 1, 5, tzinfo=UTC)


def csv_file(*rows: str, encoding: str = "utf-8", name: str = "茶友群.csv") -> Memory:
    return Memory(name, "".join(row + "\n" for row in rows).encode(encoding))


def read(*rows: str, options: Options = SHANGHAI, encoding: str = "utf-8") -> Taken:
    return take(Tabular(), csv_file(*rows, encoding=encoding), options)


def parquet(**columns: object) -> Memory:
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file)
    return Memory("t.parquet", file.getvalue())


def at_of(value: object, kind: pa.DataType | None = None, **options: object) -> object:
    given = Options(**({"zone": ZoneInfo("Asia/Shanghai")} | options))  # type: ignore[arg-type]
    return instants(pa.array([value], kind), given, given.date_order).at[0].as_py()


# columns


def test_only_group_time_sender_and_text_are_needed():
    (found,) = read("group,time,sender,text", "g,2024-02-13T09:05:00+08:00,a,hi").messages
    assert (found["group_id"], found["sender_id"], found["text"]) == ("g", "a", "hi")
    assert (found["sent_at"], found["kind"], found["zone_known"]) == (AT, "text", "offset")


def test_chinese_columns_and_kinds_are_known():
    (found,) = read(
        "时间,发送者,昵称,群,内容,类型", "2024/2/13 9:05,a,小红,茶友群,你好,图片"
    ).messages
    assert (found["sent_at"], found["sender_id"], found["sender_name"]) == (AT, "a", "小红")
    assert (found["group_id"], found["kind"], found["raw_kind"]) == ("茶友群", "image", "图片")


def test_a_name_alone_is_the_id_too():
    (found,) = read("时间,昵称,内容", "2024-02-13 09:05,小红,你好").messages
    assert found["sender_id"] == "小红"


def test_without_a_group_column_the_file_or_the_user_names_it():
    rows = ("time,sender,text", "2024-02-13 09:05,a,hi")
    assert read(*rows).messages[0]["group_id"] == "茶友群"
    assert read(*rows, options=Options(group="G")).messages[0]["group_id"] == "G"


def test_exact_names_go_before_aliases_and_unknown_columns_are_left_out():
    assert columns_of(["id", "time", "message_id", "x"]) == {1: "sent_at", 2: "message_id"}
    assert columns_of([" Sent At ", "Sender-ID"]) == {0: "sent_at", 1: "sender_id"}


def test_a_table_needs_who_when_and_what():
    assert is_table(["time", "sender", "text"])
    assert is_table(["time", "member", "event"])
    assert not is_table(["time", "sender"])
    assert not is_table(["sender", "text"])


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(delimiter):
    rows = [["time", "sender", "text"], ["2024-02-13 09:05", "a", "hi"]]
    assert len(read(*(delimiter.join(r) for r in rows)).messages) == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_the_encoding_is_found(encoding):
    found = read("时间,发送者,内容", "2024-02-13 09:05,小红,群里的消息", encoding=encoding)
    assert found.messages[0]["text"] == "群里的消息"


def test_windows_line_ends_and_newlines_in_cells():
    found = read("time,sender,text\r", '2024-02-13 09:05,a,"one\r\ntwo"\r')
    assert found.messages[0]["text"] == "one\r\ntwo"


# times


@pytest.mark.parametrize(
    "said",
    [
        "2024-02-13T01:05:00Z",
        "2024-02-13 09:05:00+08:00",
        "2024-02-13T09:05:00.000+0800",
        "2024-02-13 09:05",
        "2024/2/13 9:05",
        "2024.02.13 09:05:00",
        "2024年2月13日 9时05分",
        "2024/2/13 上午9:05",
        "2024-2-13 9:05 AM",
        "1707786300",
        "1707786300000",
        "1707786300000000",
        "45335.378472222226",
    ],
)
def test_times_come_in_many_forms(said):
    assert at_of(said) == AT


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (1707786300, pa.int64()),
        (1707786300000, pa.int64()),
        (1707786300000000000, pa.int64()),
        (1707786300.0, pa.float64()),
        (45335.378472222226, pa.float64()),
        (datetime(2024, 2, 13, 9, 5), pa.timestamp("ms")),
        (AT, pa.timestamp("ns", "Asia/Shanghai")),
    ],
)
def test_typed_times_are_cast(value, kind):
    assert at_of(value, kind) == AT


def test_dates_and_noons():
    assert at_of(date(2024, 2, 13)) == datetime(2024, 2, 12, 16, tzinfo=UTC)
    assert at_of("2024/2/13 12:05 am") == datetime(2024, 2, 12, 16, 5, tzinfo=UTC)
    assert at_of("2024/2/13 下午12:05") == datetime(2024, 2, 13, 4, 5, tzinfo=UTC)


def test_the_unit_of_epochs_can_be_given():
    assert at_of("5000", unit="s") == datetime(1970, 1, 1, 1, 23, 20, tzinfo=UTC)
    assert at_of("5000", unit="ms") == datetime(1970, 1, 1, 0, 0, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "said", ["", "soon", "2024-02-30 09:05", "2024/13/1 9:05", "2024/2/13 25:00", "9" * 30]
)
def test_what_is_no_time_is_null(said):
    assert at_of(said) is None


def test_the_larger_number_tells_day_from_month():
    rows = ("time,sender,text", "03/02/2024 09:05,a,x", "13/02/2024 09:05,a,y")
    found = read(*rows).messages
    assert [m["sent_at"].day for m in found] == [3, 13]
    american = read(rows[0], rows[1], "02/13/2024 9:05 PM,a,y").messages
    assert [m["sent_at"].month for m in american] == [3, 2]


def test_dates_that_tell_nothing_are_rejected_until_the_order_is_given():
    rows = ("time,sender,text", "03/02/2024 09:05,a,x")
    assert len(read(*rows).rejects) == 1
    found = read(*rows, options=Options(date_order="mdy")).messages
    assert found[0]["sent_at"] == datetime(2024, 3, 2, 9, 5, tzinfo=UTC)


def test_a_later_block_may_tell_the_order(monkeypatch):
    monkeypatch.setattr(tabular, "BLOCK_BYTES", 200)
    early = [f"03/0{n % 9 + 1}/2024 09:05,a,x" for n in range(50)]
    found = read("time,sender,text", *early, "28/02/2024 09:05,a,y")
    assert len(found.messages) == 51
    assert {m["sent_at"].day for m in found.messages} == {3, 28}


@given(st.datetimes(datetime(1971, 1, 1), datetime(2199, 1, 1)))
def test_every_local_form_agrees_with_python(at):
    zone = ZoneInfo("Europe/Berlin")
    expected = at.replace(tzinfo=zone).astimezone(UTC)
    for form in ("%Y-%m-%dT%H:%M:%S.%f", "%Y/%m/%d %H:%M:%S.%f"):
        assert at_of(at.strftime(form), zone=zone) == expected
    minute = at.replace(second=0, microsecond=0)
    said = [minute.strftime(f) for f in ("%d.%m.%Y %H:%M", "%d/%m/%Y %I:%M %p")]
    there = minute.replace(tzinfo=zone).astimezone(UTC)
    assert [at_of(s, zone=zone, date_order="dmy") for s in said] == [there, there]


# rows


def test_events_messages_or_both():
    rows = (
        "time,sender,text,event,inviter",
        "2024-02-13 09:05,a,hi,,",
        "2024-02-13 09:06,b,,join,a",
        "2024-02-13 09:07,c,,退群,",
    )
    found = read(*rows)
    assert (len(found.messages), len(found.events)) == (1, 2)
    assert [(e["kind"], e["subject_id"]) for e in found.events] == [
        ("join", "b"),
        ("leave", "c"),
    ]
    assert found.events[0]["inviter_id"] == "a"


def test_events_may_stand_in_the_column_of_kinds():
    found = read(
        "time,sender,kind,text", "2024-02-13 09:05,a,join,", "2024-02-13 09:05,a,text,x"
    )
    assert (len(found.messages), len(found.events)) == (1, 1)


def test_a_file_of_events_alone():
    found = read("时间,对象,事件", "2024-02-13 09:05,小红,入群")
    assert (found.events[0]["subject_id"], found.events[0]["kind"]) == ("小红", "join")
    assert found.messages == []


def test_a_row_that_cannot_be_read_is_kept_with_its_number():
    found = read(
        "time,sender,text",
        "2024-02-13 09:05,a,x",
        "never,a,x",
        "1,2",
        "2024-02-13 09:05,,x",
        "2024-02-13 09:05,a,x",
        "too,many,cells,here",
    )
    assert len(found.messages) == 2
    assert sorted(r.line for r in found.rejects) == [3, 4, 5, 7]
    assert next(r.content for r in found.rejects if r.line == 3) == "never,a,x"


def test_an_unknown_event_is_rejected():
    assert read("time,sender,event", "2024-02-13 09:05,a,dance").rejects[0].line == 2


def test_rows_left_empty_by_a_spreadsheet_are_blank():
    found = read("time,sender,text", "2024-02-13 09:05,a,x", ",,", ",,")
    assert (found.tally.blank, found.rejects) == (2, [])


def test_optional_cells_that_make_no_sense_are_null():
    head = "time,sender,text,media_bytes,revoked,edited_at,reactions,mentions,role"
    (found,) = read(head, "2024-02-13 09:05,a,x,many,perhaps,later,{,b;c,king").messages
    assert [found[k] for k in ("media_bytes", "revoked", "edited_at", "reactions", "role")] == [
        None
    ] * 5
    assert found["mentions"] == ["b", "c"]


def test_formulas_made_harmless_are_read_as_they_were():
    cells = ["'=1+1", "'+49", "'@x", "''=x", "'tis"]
    found = read("time,sender,text", *(f"2024-02-13 09:05,a,{cell}" for cell in cells))
    assert [m["text"] for m in found.messages] == ["=1+1", "+49", "@x", "'=x", "'tis"]


def test_bytes_that_are_no_text_do_not_stop_the_file():
    raw = csv_file("time,sender,text", "2024-02-13 09:05,a,x", *["2024-02-13 09:05,a,é"] * 20)
    raw.content = raw.content.replace(b",x\n", b",\xffx\n")
    assert take(Tabular(), raw).messages[0]["text"] == "\ufffdx"


def test_a_quote_never_closed_is_a_reject(monkeypatch):
    monkeypatch.setattr(tabular, "BLOCK_BYTES", 300)
    good = ["2024-02-13 09:05,a,x"] * 30
    found = read("time,sender,text", *good, '2024-02-13 09:05,a,"open', *good)
    assert len(found.messages) > 0
    assert [r.reason for r in found.rejects] == [tabular.BROKEN_QUOTES]


def test_numbers_of_rejects_hold_over_blocks(monkeypatch):
    monkeypatch.setattr(tabular, "BLOCK_BYTES", 100)
    rows = ["2024-02-13 09:05,a,x"] * 20
    rows[3], rows[10], rows[17] = "1,2", "never,a,x", "never,a,y"
    found = read("time,sender,text", *rows)
    assert sorted(r.line for r in found.rejects) == [5, 12, 19]


# JSONL and Parquet


def lines(*rows: object) -> Memory:
    text = "".join((r if isinstance(r, str) else json.dumps(r)) + "\n" for r in rows)
    return Memory("x.jsonl", text.encode())


def test_json_lines_may_differ_in_their_keys():
    found = take(
        Tabular(),
        lines(
            {"time": 1707786300, "sender": "a", "text": "x", "group": "g"},
            {"time": "2024-02-13T01:05:00Z", "user": 7, "content": "y", "mentions": ["a"]},
            "{broken",
            "",
            {"time": 1707786300, "sender": "a", "event": "join"},
        ),
    )
    assert [m["sender_id"] for m in found.messages] == ["a", "7"]
    assert found.messages[1]["mentions"] == ["a"]
    assert ([r.line for r in found.rejects], found.tally.blank) == ([3], 1)
    assert len(found.events) == 1


def test_parquet_is_cast_whatever_its_types():
    source = parquet(
        time=pa.array([AT], pa.timestamp("ns", "UTC")),
        sender=pa.array(["a"]).dictionary_encode(),
        text=pa.array(["hi"], pa.large_string()),
        media_bytes=pa.array([5], pa.int32()),
        user_id=pa.array([12.0]),
        mentions=pa.array([["b"]]),
    )
    assert Tabular().sniff(source.content[:64], source) > 0.5
    (found,) = take(Tabular(), source).messages
    assert (found["sent_at"], found["sender_id"], found["text"]) == (AT, "a", "hi")
    assert (found["media_bytes"], found["mentions"]) == (5, ["b"])


def test_numbers_as_ids_become_text():
    source = parquet(time=[1707786300], sender=pa.array([12.0]), text=["x"], group=[77])
    (found,) = take(Tabular(), source).messages
    assert (found["sender_id"], found["group_id"]) == ("12", "77")


def test_a_row_of_parquet_without_time_is_rejected():
    source = parquet(
        time=pa.array([None, 1707786300], pa.int64()), sender=["a", "a"], text=["x", "y"]
    )
    found = take(Tabular(), source)
    assert ([r.line for r in found.rejects], len(found.messages)) == ([1], 1)


def test_a_damaged_parquet_file_is_told_in_plain_words():
    source = parquet(time=[1707786300] * 100, sender=["a"] * 100, text=["x"] * 100)
    source.content = source.content[:10] + b"\0" * 60 + source.content[70:]
    with pytest.raises((BrokenFileError, BrokenTableError)):
        take(Tabular(), source)


def test_a_cut_off_parquet_file_is_claimed_and_told_to_be_damaged():
    source = Memory("t.parquet", parquet(time=[1], sender=["a"], text=["x"]).content[:-9])
    assert Tabular().sniff(source.content, source) > 0.5
    with pytest.raises(BrokenFileError):
        take(Tabular(), source)


def test_parquet_of_lists_and_structs_is_read_as_text():
    columns = {"time": [1707786300], "sender": [{"id": 7}], "text": [["x", "é"]]}
    (found,) = take(Tabular(), parquet(**columns)).messages
    assert (found["sender_id"], found["text"]) == ('{"id": 7}', '["x", "é"]')


def test_other_files_are_not_claimed():
    for raw in (b"hello, world\nfoo, bar\n", b"", b'{"a": 1}\n', b"[00:01] <a> b\n"):
        assert Tabular().sniff(raw, Memory("x", raw)) == 0.0


def test_a_table_without_the_columns_is_told_in_plain_words():
    with pytest.raises(BrokenTableError):
        take(Tabular(), csv_file("a,b", "1,2"))


@given(st.binary(max_size=300))
def test_any_bytes_after_a_header_are_accounted_for(content):
    source = Memory("x.csv", b"time,sender,text\n" + content)
    take(Tabular(), source)

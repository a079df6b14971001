"""The hand-kept files: typed columns, forgiving headers, clear sentences, counted rejects."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qunluo.insight.cells import count, instant, minor
from qunluo.insight.inputs import (
    InputColumnMissingError,
    InputHasNoUsableRowError,
    read_corporate,
    read_orders,
    read_roster,
    read_staff,
)
from qunluo.insight.sheets import InputNotATableError, InputUnreadableError

SHANGHAI = ZoneInfo("Asia/Shanghai")


def write(folder: Path, content: str | bytes, name: str = "table.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
@pytest.mark.parametrize("separator", [",", "\t", ";"])
def test_it_reads_a_chinese_roster_in_any_encoding(
    tmp_path: Path, encoding: str, separator: str
) -> None:
    rows = [
        ["群名", "微信号", "昵称", "入群时间", "退群时间", "企业认证", "服务商"],
        ["一群", "wx1", "小美", "2023年1月5日", "", "已认证", "甲工具"],
        ["一群", "wx2", "阿强", "2023/1/6 18:30", "2023-03-01", "未认证", ""],
    ]
    text = "\n".join(separator.join(row) for row in rows)
    roster = read_roster(write(tmp_path, text.encode(encoding)))
    assert roster.table.to_pylist() == [
        {
            "group_id": "一群", "member_id": "wx1", "name": "小美", "left_at": None,
            "joined_at": datetime(2023, 1, 5), "corporate": "verified", "vendor": "甲工具",
        },
        {
            "group_id": "一群", "member_id": "wx2", "name": "阿强",
            "joined_at": datetime(2023, 1, 6, 18, 30), "left_at": datetime(2023, 3, 1),
            "corporate": "never", "vendor": None,
        },
    ]  # fmt: skip
    assert roster.rejects == ()


def test_it_reads_plain_purchases_without_order_ids(tmp_path: Path) -> None:
    text = "customer_id,date,quantity,amount\n1,1997-01-01,1,11.77\n1,1997-01-01,,77.00\n"
    table = read_orders(write(tmp_path, text)).table
    assert table["order_id"].to_pylist() == ["#2", "#3"]
    assert table["amount_minor"].to_pylist() == [1177, 7700]
    assert table["quantity"].to_pylist() == [1, 1]
    assert table["paid_at"].to_pylist() == [datetime(1997, 1, 1)] * 2


def test_a_member_is_the_customer_where_no_customer_is_named(tmp_path: Path) -> None:
    table = read_orders(write(tmp_path, "wxid,付款时间,实付\nwx1,20240131,¥9\n")).table
    assert table["customer_id"].to_pylist() == ["wx1"]
    assert table["member_id"].to_pylist() == ["wx1"]


def test_staff_without_a_role_is_brand_and_patterns_are_checked(tmp_path: Path) -> None:
    staff = read_staff(write(tmp_path, "账号,role\n小美,\n/bot$/,机器人\n/(/,bot\n"))
    assert staff.table.select(["account", "role"]).to_pylist() == [
        {"account": "小美", "role": "brand"},
        {"account": "/bot$/", "role": "bot"},
    ]
    assert [(r.line, r.column) for r in staff.rejects] == [(4, "账号")]


def test_corporate_standing_is_read_in_both_languages(tmp_path: Path) -> None:
    text = "account,认证状态,vendor\na,已过期,x\nb,verified,\nc,unknown,\n"
    corporate = read_corporate(write(tmp_path, text))
    assert corporate.table["corporate"].to_pylist() == ["lapsed", "verified"]
    assert corporate.rejects[0].line == 4


def test_one_bad_row_is_told_and_the_rest_is_used(tmp_path: Path) -> None:
    text = (
        "customer_id,date,amount\n"
        "1,2024-01-01,5\n"
        "2,01/02/2024,5\n"
        '3,2024-01-03,"1,234.50"\n'
        ",2024-01-03,5\n"
        "4,2024-01-03,1,2\n"
        "\n"
        "5,2024-01-04,free\n"
    )
    orders = read_orders(write(tmp_path, text))
    assert orders.table["customer_id"].to_pylist() == ["1", "3"]
    assert orders.table["amount_minor"].to_pylist() == [500, 123450]
    assert [(r.line, r.column) for r in orders.rejects] == [
        (3, "date"),
        (5, None),
        (6, None),
        (8, "amount"),
    ]
    assert "01/02/2024" in orders.rejects[0].reason.en
    assert "形如" in orders.rejects[0].reason.zh


def test_a_missing_column_names_the_file_the_column_and_what_to_do(tmp_path: Path) -> None:
    path = write(tmp_path, "customer_id,amount\n1,5\n", "orders.csv")
    with pytest.raises(InputColumnMissingError) as caught:
        read_orders(path)
    assert "orders.csv, line 1: no column “paid_at”" in caught.value.message("en")
    assert "customer_id, amount" in caught.value.message("en")
    assert "缺少“paid_at”列" in caught.value.message("zh")


def test_a_file_without_a_usable_row_says_its_first_problem(tmp_path: Path) -> None:
    with pytest.raises(InputHasNoUsableRowError) as caught:
        read_orders(write(tmp_path, "customer_id,date\n1,yesterday\n"))
    assert "line 2" in caught.value.message("en")
    assert "yesterday" in caught.value.message("zh")
    with pytest.raises(InputHasNoUsableRowError):
        read_orders(write(tmp_path, "customer_id,date\n"))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n \n",
        b"PK\x03\x04rest",
        b"a,a\n1,2\n",
        b"[1, 2",
        b"\x00\x01\x02",
        b"{" * 100_000,
    ],
)
def test_what_is_no_table_is_refused_in_a_sentence(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InputNotATableError) as caught:
        read_staff(write(tmp_path, content))
    assert "table.csv" in caught.value.message("zh")


def test_a_file_that_is_not_there_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputUnreadableError) as caught:
        read_staff(tmp_path / "staff.csv")
    assert "staff.csv" in caught.value.message("en")


def test_json_lists_wrapped_lists_and_lines_read_alike(tmp_path: Path) -> None:
    rows = [{"account": "a", "role": "bot"}, {"account": "b", "from": "2024-01-01"}]
    whole = write(tmp_path, json.dumps(rows), "a.json")
    wrapped = write(tmp_path, json.dumps({"staff": rows, "v": 1}), "b.json")
    lines = write(tmp_path, "\n".join(json.dumps(r) for r in rows) + "\nbroken{\n", "c.jsonl")
    tables = [read_staff(path).table for path in (whole, wrapped, lines)]
    assert tables[0] == tables[1] == tables[2]
    assert tables[0]["role"].to_pylist() == ["bot", "brand"]
    assert [r.line for r in read_staff(lines).rejects] == [3]


def test_a_quoted_line_break_keeps_line_numbers_right(tmp_path: Path) -> None:
    text = 'account,role\n"a\nb",bot\nc,pilot\n'
    staff = read_staff(write(tmp_path, text))
    assert staff.table["account"].to_pylist() == ["a\nb"]
    assert [r.line for r in staff.rejects] == [4]


@given(st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1)))
def test_instants_come_back_whole_in_every_spelling(at: datetime) -> None:
    at = at.replace(microsecond=0)
    aware = at.replace(tzinfo=UTC)
    local = aware.astimezone(SHANGHAI).replace(tzinfo=None)
    assert instant(at.isoformat(" "), SHANGHAI) == at
    assert instant(aware.isoformat(), SHANGHAI) == local
    assert instant(f"{at:%Y-%m-%d %H:%M:%S}Z", SHANGHAI) == local
    if at > datetime(2001, 9, 10):
        seconds = (aware - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)
        assert instant(str(seconds), SHANGHAI) == local
        assert instant(f"{seconds}000", SHANGHAI) == local


@given(st.integers(-(10**12), 10**12))
def test_amounts_come_back_whole_in_every_spelling(hundredths: int) -> None:
    sign, whole, cents = "-" * (hundredths < 0), abs(hundredths) // 100, abs(hundredths) % 100
    grouped = f"{whole:,}"
    spellings = (f"{whole}.{cents:02}", f"¥ {grouped}.{cents:02}", f"{whole}.{cents:02} 元")
    for spelling in spellings:
        assert minor(sign + spelling) == hundredths
    assert minor(f"{sign}{grouped.replace(',', '.')},{cents:02}") == hundredths


@pytest.mark.parametrize(
    ("cell", "value"),
    [("1,234", 123400), ("12,5", 1250), ("1.005", 101), ("1e2", 10000), ("", None),
     ("1,23,4", None), ("free", None), ("nan", None), ("inf", None), ("9" * 40, None)],
)  # fmt: skip
def test_odd_amounts_are_read_or_refused(cell: str, value: int | None) -> None:
    assert minor(cell) == value


@given(st.text(max_size=30))
def test_no_cell_makes_a_reader_fail(cell: str) -> None:
    for value in (instant(cell, UTC), minor(cell), count(cell)):
        assert value is None or isinstance(value, datetime | int)

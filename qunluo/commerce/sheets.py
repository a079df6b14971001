"""A CSV of orders: what its columns are, and what a line says. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from qunluo.commerce.noting import Sale
from qunluo.insight.cells import instant, minor
from qunluo.kit.errors import QunluoError
from qunluo.kit.money import decimals
from qunluo.kit.text import Text
from qunluo.members.rules import clean_account, read_email, read_phone
from qunluo.members.sheets import Reject
from qunluo.standing.orders import LONGEST_ORDER, MOST

COLUMNS = ("order", "phone", "email", "account", "amount", "paid_at", "items", "store")
KEYS = frozenset(("phone", "email", "account"))
NEEDED = frozenset(("order", "amount", "paid_at"))
_CALLED: dict[str, tuple[str, ...]] = {
    "order": ("order", "order id", "order number", "order no", "number", "订单", "订单号",
              "订单编号", "交易号"),
    "phone": ("phone", "mobile", "telephone", "手机", "手机号", "电话", "联系电话", "收货人手机"),
    "email": ("email", "e-mail", "mail", "邮箱", "电子邮箱"),
    "account": ("account", "member", "member id", "user id", "customer id", "openid", "id",
                "会员编号", "客户编号", "账号", "买家id"),
    "amount": ("amount", "total", "paid", "price", "金额", "实付", "实付金额", "支付金额",
               "订单金额", "总额"),
    "paid_at": ("paid at", "paid", "date", "time", "order date", "付款时间", "支付时间", "下单时间",
                "日期", "时间"),
    "items": ("items", "item", "product", "products", "商品", "商品名称", "货品"),
    "store": ("store", "shop", "门店", "店铺"),
}  # fmt: skip
_SPLIT = re.compile(r"[;；|\n]")
_VISIBLE = re.compile(r"[!-~]+")
_SOON = timedelta(days=1)  # clocks of tills may be off

_UNREADABLE = Text("the line can't be read as CSV.", "这一行不是有效的 CSV。")
_NO_NUMBER = Text(
    "it has no order number of letters, digits and signs.",
    "没有由字母、数字和符号组成的订单号。",
)
_NO_AMOUNT = Text("the amount is none, such as 128.00.", "金额无法识别，例如 128.00。")
_NO_TIME = Text(
    "the time of payment is none, such as 2026-03-01 18:30.",
    "付款时间无法识别，例如 2026-03-01 18:30。",
)
_FUTURE = Text("it is paid in the future.", "付款时间在将来。")
_NOBODY = Text("it doesn't say who bought.", "没有买家的手机号、邮箱或账号。")


@dataclass(frozen=True)
class Row:
    """What one line says: the sale, and whose it is by one key."""

    line: int
    sale: Sale
    phone: str = ""
    email: str = ""
    account: str = ""


def guess_columns(header: Sequence[str]) -> list[str]:
    """What each column seems to hold, each thing once; "" for what is not known."""
    taken: set[str] = set()
    found: list[str] = []
    for title in header:
        said = re.sub(r"[\s_]+", " ", title).strip().casefold()
        names = [name for name in COLUMNS if said in _CALLED[name] and name not in taken]
        found.append(names[0] if names else "")
        taken.update(names[:1])
    return found


def are_enough(columns: Sequence[str]) -> bool:
    """Whether lines can be read by these columns."""
    used = [column for column in columns if column]
    once = len(used) == len(set(used)) and set(used) <= set(COLUMNS)
    return once and set(used) >= NEEDED and bool(KEYS & set(used))


def read_row(
    line: int, cells: Sequence[str] | None, columns: Sequence[str], *, zone: str,
    currency: str, now: datetime,
) -> Row | Reject:  # fmt: skip
    """An order, or why the line is none."""
    if cells is None:
        return Reject(line, _UNREADABLE)
    said = {c: v.strip().lstrip("'") for c, v in zip(columns, cells, strict=False) if c}
    try:
        found = _read(line, said, ZoneInfo(zone), currency, now)
    except QunluoError as error:
        found = Text(error.message("en"), error.message("zh"))
    return found if isinstance(found, Row) else Reject(line, found, tuple(cells))


def _read(
    line: int, said: Mapping[str, str], zone: ZoneInfo, currency: str, now: datetime
) -> Row | Text:
    number, amount = said.get("order", ""), _amount(said.get("amount", ""), currency)
    paid = instant(said.get("paid_at", ""), zone)
    if not _VISIBLE.fullmatch(number) or len(number) > LONGEST_ORDER:
        return _NO_NUMBER
    if amount is None or not 0 <= amount <= MOST:
        return _NO_AMOUNT
    if paid is None:
        return _NO_TIME
    paid_at = paid.replace(tzinfo=zone).astimezone(UTC)
    if paid_at > now + _SOON:
        return _FUTURE
    items = tuple(i.strip() for i in _SPLIT.split(said.get("items", "")) if i.strip())[:50]
    sale = Sale(number, amount, paid_at, items, said.get("store", "")[:80])
    return _whose(line, sale, said)


def _amount(cell: str, currency: str) -> int | None:
    hundredths = minor(cell)
    if hundredths is None:
        return None
    shift = decimals(currency) - 2
    if shift >= 0:
        return hundredths * int(10**shift)
    whole, rest = divmod(hundredths, int(10**-shift))
    return None if rest else whole


def _whose(line: int, sale: Sale, said: Mapping[str, str]) -> Row | Text:
    row = Row(
        line, sale, phone=read_phone(said["phone"]) if said.get("phone") else "",
        email=read_email(said["email"]) if said.get("email") else "",
        account=clean_account(said.get("account", "")),
    )  # fmt: skip
    return row if row.phone or row.email or row.account else _NOBODY

"""Pages by an opaque, signed cursor: what is added meanwhile moves nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from django.core import signing
from django.db.models import Model, QuerySet
from ninja import Schema
from pydantic import Field

from qunluo.api.errors import WrongCursorError

MOST = 100
USUAL = 50
_SALT = "qunluo.api.cursor"
T = TypeVar("T")


class Page(Schema, Generic[T]):
    """`next` fetches what follows; null: that was all."""

    items: list[T]
    next: str | None = None


class Paging(Schema):
    """How far to read: `cursor` is the `next` of an earlier page."""

    limit: int = Field(USUAL, ge=1, le=MOST)
    cursor: str = Field("", max_length=300)


def cut(
    rows: QuerySet[Any], paging: Paging, *, of: str, newest: bool = True,
    show: Callable[[Any], Any] = lambda row: row,
) -> dict[str, Any]:  # fmt: skip
    """A page of rows, by their ids; `of` names the list, so that a cursor fits no other one.

    Raises `WrongCursorError`.
    """
    after = read_cursor(paging.cursor, of) if paging.cursor else None
    if after is not None:
        rows = rows.filter(**{"pk__lt" if newest else "pk__gt": after})
    found: list[Model] = list(rows.order_by("-pk" if newest else "pk")[: paging.limit + 1])
    shown, more = found[: paging.limit], len(found) > paging.limit
    following = make_cursor(int(shown[-1].pk), of) if more else None
    return {"items": [show(row) for row in shown], "next": following}


def make_cursor(pk: int, of: str) -> str:
    return signing.dumps([of, pk], salt=_SALT)


def read_cursor(cursor: str, of: str) -> int:
    try:
        where, pk = signing.loads(cursor, salt=_SALT)
    except (signing.BadSignature, ValueError, UnicodeError, TypeError):
        raise WrongCursorError from None
    if where != of:
        raise WrongCursorError
    return int(pk)

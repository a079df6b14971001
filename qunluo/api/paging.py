"""Pages by an opaque, signed cursor: what is added meanwhile moves nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from django.core import signing
from django.db.models import Model, Q, QuerySet
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
    by: Sequence[str] = ("pk",), show: Callable[[Any], Any] = lambda row: row,
) -> dict[str, Any]:  # fmt: skip
    """A page of rows in the order of their ids, or of the numbers that `by` names; `of` names
    the list, so that a cursor fits no other one.

    Raises `WrongCursorError`.
    """
    if paging.cursor:
        rows = rows.filter(_beyond(by, _read_place(paging.cursor, of, by), newest=newest))
    order = [f"-{name}" if newest else name for name in by]
    found: list[Model] = list(rows.order_by(*order)[: paging.limit + 1])
    shown, more = found[: paging.limit], len(found) > paging.limit
    following = make_cursor(_place_of(shown[-1], by), of) if more else None
    return {"items": [show(row) for row in shown], "next": following}


def _place_of(row: Model, by: Sequence[str]) -> int | list[int]:
    place = [int(getattr(row, name)) for name in by]
    return place if len(place) > 1 else place[0]


def _read_place(cursor: str, of: str, by: Sequence[str]) -> list[int]:
    place = read_cursor(cursor, of)
    numbers = place if isinstance(place, list) else [place]
    if len(numbers) != len(by):
        raise WrongCursorError
    return numbers


def _beyond(by: Sequence[str], place: Sequence[int], *, newest: bool) -> Q:
    """Rows after a place, as words are ordered: by the first number, then by the next."""
    found, same = Q(pk__in=[]), Q()
    for name, number in zip(by, place, strict=True):
        found |= same & Q(**{f"{name}__{'lt' if newest else 'gt'}": number})
        same &= Q(**{name: number})
    return found


def make_cursor(place: int | list[int], of: str) -> str:
    return signing.dumps([of, place], salt=_SALT)


def read_cursor(cursor: str, of: str) -> int | list[int]:
    try:
        where, place = signing.loads(cursor, salt=_SALT)
    except (signing.BadSignature, ValueError, UnicodeError, TypeError):
        raise WrongCursorError from None
    if where != of:
        raise WrongCursorError
    return [int(number) for number in place] if isinstance(place, list) else int(place)

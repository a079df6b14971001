"""The shapes that several areas read and show."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, TypeVar

from django.db.models import Model, QuerySet
from ninja import Path, Schema
from pydantic import AfterValidator, AwareDatetime, Field

from qunluo.api.errors import NotThereError

BIGGEST = 2**63 - 1
M = TypeVar("M", bound=Model)


def _written(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be blank")
    return text


Number = Annotated[int, Field(ge=1, le=BIGGEST)]
"""An id."""
Id = Annotated[int, Path(ge=1, le=BIGGEST)]
"""An id in an address."""
Name = Annotated[str, Field(min_length=1, max_length=80), AfterValidator(_written)]
Words = Annotated[str, Field(min_length=1, max_length=4_000), AfterValidator(_written)]
Long = Annotated[str, Field(max_length=4_000)]
Why = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_written)]
Latitude = Annotated[float, Field(ge=-90, le=90)]
Longitude = Annotated[float, Field(ge=-180, le=180)]


def _storable(at: datetime) -> datetime:
    if not 1970 <= at.year < 9000:
        raise ValueError("must lie between 1970 and 9000")
    return at


Instant = Annotated[AwareDatetime, AfterValidator(_storable)]


def fetch(rows: QuerySet[M], pk: int) -> M:
    """The row of an id among these; raises `NotThereError`."""
    found = rows.filter(pk=pk).first()
    if found is None:
        raise NotThereError
    return found


def given(body: Schema) -> dict[str, Any]:
    """The values that a request names; what it left out stays as it is."""
    return body.model_dump(exclude_unset=True)

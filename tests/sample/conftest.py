"""One default sample for all tests of this folder: it is made once, in about two seconds."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from qunluo.sample import Plan, Sample, write_sample

LOCAL = "Asia/Shanghai"


@dataclass
class Read:
    """A written sample, read back with plain Arrow and numpy."""

    sample: Sample

    @cached_property
    def messages(self) -> pa.Table:
        return pq.read_table(self.sample.path("messages.parquet"))

    @cached_property
    def events(self) -> pa.Table:
        return pq.read_table(self.sample.path("events.parquet"))

    @cached_property
    def truth(self) -> dict[str, Any]:
        return json.loads(self.sample.path("truth.json").read_text("utf-8"))

    @cached_property
    def groups(self) -> dict[str, dict[str, Any]]:
        return {g["group"]: g for g in self.truth["groups"]}

    def csv(self, name: str) -> pa.Table:
        """Every cell as text, empty ones null."""
        path = self.sample.path(name)
        header = path.read_text("utf-8").split("\n", 1)[0]
        names = header.replace('"', "").split(",")
        types = pa_csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=True
        )
        return pa_csv.read_csv(path, convert_options=types)

    @cached_property
    def _columns(self) -> dict[str, np.ndarray]:
        return {}

    def column(self, name: str) -> np.ndarray:
        """A column as an array of objects, made once."""
        if name not in self._columns:
            values = self.messages[name]
            if pa.types.is_string(values.type):  # few distinct values: much quicker
                codes = values.combine_chunks().dictionary_encode("encode")
                words = np.array(codes.dictionary.to_pylist(), object)
                self._columns[name] = words[codes.indices.to_numpy()]
            else:
                self._columns[name] = values.to_numpy()
        return self._columns[name]

    @cached_property
    def _rows(self) -> dict[str, np.ndarray]:
        codes = self.messages["group_id"].combine_chunks().dictionary_encode()
        number = codes.indices.to_numpy()
        order = np.argsort(number, kind="stable")
        ends = np.cumsum(np.bincount(number))[:-1]
        return dict(zip(codes.dictionary.to_pylist(), np.split(order, ends), strict=True))

    def rows(self, group: str, klass: str | None = None) -> np.ndarray:
        """Places of a group's messages, in order of time; of one class only, if named."""
        rows = self._rows[group]
        return rows if klass is None else rows[self.klass[rows] == klass]

    @cached_property
    def local(self) -> np.ndarray:
        """Local naive times in seconds."""
        local = pc.local_timestamp(self.messages["sent_at"].cast(pa.timestamp("us", LOCAL)))
        return local.to_numpy().astype("datetime64[s]")

    @cached_property
    def day(self) -> np.ndarray:
        return self.local.astype("datetime64[D]")

    @cached_property
    def klass(self) -> np.ndarray:
        """Class of every message, from `role` and the staff file alone."""
        klass = np.where(self.column("role") == "system", "system", "member")
        for row in self.csv("staff.csv").to_pylist():
            since = np.datetime64(row["from"] or "1970-01-01")
            here = self.rows(row["group"])
            mine = (self.column("sender_id")[here] == row["account"]) & (
                self.day[here] >= since
            )
            klass[here[mine]] = row["role"]
        return klass


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> Read:
    """The sample of the default plan."""
    return Read(write_sample(Plan(), tmp_path_factory.mktemp("study")))


def read(folder: Path, plan: Plan) -> Read:
    return Read(write_sample(plan, folder))

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

    def column(self, name: str) -> np.ndarray:
        return self.messages[name].to_numpy()

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
        sender, group = self.column("sender_id"), self.column("group_id")
        klass = np.where(self.column("role") == "system", "system", "member")
        for row in self.csv("staff.csv").to_pylist():
            since = np.datetime64(row["from"] or "1970-01-01")
            mine = (sender == row["account"]) & (group == row["group"]) & (self.day >= since)
            klass[mine] = row["role"]
        return klass


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> Read:
    """The sample of the default plan."""
    return Read(write_sample(Plan(), tmp_path_factory.mktemp("study")))


def read(folder: Path, plan: Plan) -> Read:
    return Read(write_sample(plan, folder))

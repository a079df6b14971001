"""Reply inference against hand-made links: `python checks/real_replies.py DATA`.

DATA holds `irc_ubuntu_cc.tar.xz`, in it `data/{train,dev,test}/*.raw.txt` and
`*.annotation.txt`. An annotation line `a b -` links two 0-based lines of the raw file; a line
linked to itself starts a conversation. A true reply here is a link between messages of two
accounts; links to one's own message (a thought in two lines) are left out on both sides.
"""

from __future__ import annotations

import re
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from qunluo.insight.replies import Score, evaluate, infer

SAID = re.compile(r"\[(\d\d):(\d\d)\] <([^>]+)> ?(.*)")
ACTED = re.compile(r"\[(\d\d):(\d\d)\]\s+\* (\S+) ?(.*)")


@dataclass(frozen=True)
class Day:
    """Messages of one file, their raw line numbers, and its annotated lines and links."""

    messages: pa.Table
    lines: list[int]
    annotated: set[int]
    links: set[tuple[int, int]]  # answering line, answered line
    names: dict[int, str]


def read_day(raw: Path) -> Day:
    keys: dict[str, int] = {}
    rows, lines, late = [], [], 0
    for number, line in enumerate(raw.read_text("utf-8", "replace").split("\n")):
        found = SAID.match(line) or ACTED.match(line)
        if not found:
            continue
        at = int(found[1]) * 3600 + int(found[2]) * 60
        late = max(late, at)
        who = keys.setdefault(found[3], len(keys))
        rows.append(
            {"group_key": 0, "sender_key": who, "sent_at": late * 10**6, "text": found[4]}
        )
        lines.append(number)
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    columns["sent_at"] = pa.array(columns["sent_at"], pa.timestamp("us", "UTC"))
    annotated, links = read_links(raw.with_name(raw.name.replace(".raw.", ".annotation.")))
    names = {key: name for name, key in keys.items()}
    return Day(pa.table(columns), lines, annotated, links, names)


def read_links(path: Path) -> tuple[set[int], set[tuple[int, int]]]:
    pairs = [tuple(map(int, line.split()[:2])) for line in path.read_text().splitlines()]
    return {b for _, b in pairs}, {(b, a) for a, b in pairs if a != b}


def score_day(day: Day) -> dict[str, Score]:
    """Scores on the annotated lines, with links counted in rows of the messages."""
    row_of = {line: row for row, line in enumerate(day.lines)}
    sender = day.messages["sender_key"].to_pylist()
    truth = {
        (row_of[b], row_of[a])
        for b, a in day.links
        if a in row_of and b in row_of and sender[row_of[a]] != sender[row_of[b]]
    }
    asked = pa.array([line in day.annotated for line in day.lines])
    links = infer(day.messages, day.names)
    return evaluate(links.filter(asked.take(links["source"].combine_chunks())), truth)


def days(folder: Path) -> Iterator[Path]:
    return iter(sorted(folder.glob("*.raw.txt")))


def main() -> None:
    packed = Path(sys.argv[1]) / "irc_ubuntu_cc.tar.xz"
    if not packed.is_file():
        sys.exit(f"not compared: there is no {packed}")
    with tempfile.TemporaryDirectory() as folder, tarfile.open(packed) as archive:
        archive.extractall(folder, filter="data")
        tell(Path(folder) / "data")


def tell(data: Path) -> None:
    """Prints precision and recall of each part of the data."""
    for part in ("train", "dev", "test"):
        total: dict[str, Score] = {}
        for raw in days(data / part):
            for name, score in score_day(read_day(raw)).items():
                before = total.get(name, Score(0, 0, 0))
                total[name] = Score(
                    before.right + score.right,
                    before.found + score.found,
                    before.true + score.true,
                )
        print(f"{part}: {total['all'].true} true replies to another account")
        for name, score in total.items():
            print(
                f"  {name:10} found {score.found:6}  precision {score.precision:.3f}"
                f"  recall {score.recall:.3f}"
            )


if __name__ == "__main__":
    main()

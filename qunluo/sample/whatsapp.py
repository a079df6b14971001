"""The same conversation as one WhatsApp Android text, for benchmarks of importers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qunluo.kit.system import system_words
from qunluo.sample.clock import DAY, MINUTE, Clock
from qunluo.sample.contents import NO_TEXT
from qunluo.sample.numbers import Array
from qunluo.sample.plan import Plan
from qunluo.sample.story import Slab, Story
from qunluo.sample.write import Progress, SampleNotWrittenError, whole

MEDIA = "<Media omitted>"
NOTICE = (
    "{day}, 00:00 - Messages and calls are end-to-end encrypted. No one outside of this chat, "
    "not even WhatsApp, can read or listen to them.\n"
)


def write_whatsapp(plan: Plan, to: Path, *, progress: Progress | None = None) -> int:
    """Writes all messages of the plan, every group's, as one chat; answers how many.

    Android's form, `dd/mm/yyyy, hh:mm - name: text`, in local time; media as
    `<Media omitted>`; texts may have several lines. One notice without a sender comes first.
    """
    story = Story(plan)
    lines = Lines(story)
    done = 0
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        with whole(to) as part, part.open("wb") as out:
            out.write(NOTICE.format(day=plan.first_on.strftime("%d/%m/%Y")).encode())
            for slab in story.slabs():
                out.write(lines.of(slab))
                done += len(slab.rows)
                if progress:
                    progress(done, plan.messages)
    except OSError as error:
        reason = system_words(error)
        raise SampleNotWrittenError(folder=str(to), reason=reason) from error
    return done


class Lines:
    """Sets slabs of messages as text."""

    def __init__(self, story: Story) -> None:
        self.setter = story.setter
        self.days = _days(story.clock)
        two = pa.array([f"{i:02d}" for i in range(60)])
        minute = np.arange(DAY // MINUTE)
        hours, minutes = (two.take(pa.array(part)) for part in np.divmod(minute, 60))
        self.minutes = pc.binary_join_element_wise(hours, minutes, ":")

    def of(self, slab: Slab) -> bytes:
        """The lines of a slab, each ended by a newline."""
        at: Array = slab.rows.at
        text = self.setter.texts(slab.rows, slab.content)
        bare = pa.array(slab.content.text == NO_TEXT)
        line = pc.binary_join_element_wise(
            self.days.take(pa.array(at // DAY)),
            ", ",
            self.minutes.take(pa.array(at % DAY // MINUTE)),
            " - ",
            self.setter.names(slab.rows),
            ": ",
            pc.if_else(bare, MEDIA, text),
            "\n",
            "",
        )
        return _bytes(line)


def _days(clock: Clock) -> pa.Array:
    dates = [clock.date(d) for d in range(clock.days)]
    return pa.array([f"{d[8:]}/{d[5:7]}/{d[:4]}" for d in dates])


def _bytes(texts: pa.StringArray) -> bytes:
    """All texts one after the other, as they lie in memory."""
    data = texts.buffers()[2]
    result: bytes = data.to_pybytes() if data else b""
    return result

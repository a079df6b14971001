"""The command that writes a sample community."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from qunluo.cli.telling import Teller, say


def sample_command(*, output: Path, messages: int, groups: int | None, speakers: int | None,
                   seed: int, whatsapp: bool, tell: Teller, lang: str) -> None:  # fmt: skip
    from qunluo.sample import Plan, write_sample, write_whatsapp  # noqa: PLC0415

    sized = Plan.sized(messages, seed)
    plan = replace(sized, groups=groups or sized.groups, speakers=speakers or sized.speakers)
    write_sample(plan, output, progress=lambda done, total: tell.step("sample", done, total))
    if whatsapp:
        write_whatsapp(plan, output / "whatsapp.txt")
    tell.close()
    say(str(output), error=False)

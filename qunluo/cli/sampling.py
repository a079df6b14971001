"""The command that writes a sample community."""

from __future__ import annotations

from pathlib import Path

from qunluo.cli.telling import Teller


def sample_command(*, output: Path, messages: int, groups: int | None, speakers: int | None,
                   seed: int, whatsapp: bool, tell: Teller, lang: str) -> None:  # fmt: skip
    from qunluo.sample import plan_of, write_sample, write_whatsapp  # noqa: PLC0415

    plan = plan_of(messages=messages, groups=groups, speakers=speakers, seed=seed)
    write_sample(plan, output, progress=lambda done, total: tell.step("sample", done, total))
    if whatsapp:
        write_whatsapp(plan, output / "whatsapp")
    tell.close()
    print(output)

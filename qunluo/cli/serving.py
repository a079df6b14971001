"""The commands that serve: all in one terminal, or one part of a grown installation."""

from __future__ import annotations

from pathlib import Path

import click

from qunluo.cli.telling import say
from qunluo.kit.text import Text

SURE = Text(
    "This deletes every community, member, message and report in {folder}. Go on?",
    "将删除 {folder} 中的所有社群、成员、消息和报告，确定继续？",
)
EMPTY = Text(
    "The installation is empty. Run `qunluo up` and open its address to begin.",
    "已清空。运行 qunluo up 并打开其地址即可重新开始。",
)
KEPT = Text("Nothing was deleted.", "没有删除任何内容。")


def up_command(*, host: str | None, port: int | None, data: Path | None, sample: bool) -> None:
    from qunluo.server.serving import up  # noqa: PLC0415 - a quick --help

    up(host=host, port=port, data_dir=data, sample=sample)


def part_command(name: str, host: str | None = None, port: int | None = None) -> None:
    """One process: web, live, worker or living."""
    from qunluo.server import serving  # noqa: PLC0415

    if name == "web":
        serving.serve_web(host, port)
    elif name == "live":
        serving.serve_live(host, port)
    elif name == "worker":
        serving.serve_worker()
    else:
        serving.serve_living()


def reset_command(*, data: Path | None, yes: bool, lang: str) -> None:
    from qunluo.server import serving  # noqa: PLC0415

    settings = serving.prepare(None, None, data)
    if not yes and not click.confirm(SURE(lang).format(folder=settings.data)):
        say(KEPT(lang), error=False)
        return
    serving.reset(settings)
    say(EMPTY(lang), error=False)

"""The command that serves the local page."""

from __future__ import annotations

from pathlib import Path


def serve_command(
    *, host: str | None, port: int | None, data: Path | None, sample: bool
) -> None:
    from qunluo.server.serving import serve  # noqa: PLC0415

    serve(host=host, port=port, data_dir=data, open_sample=sample)

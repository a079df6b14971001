"""The commands of `qunluo`."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from qunluo import __version__
from qunluo.cli.ending import ended_kindly, told
from qunluo.cli.telling import Style, Teller, teller


def user_lang() -> str:
    """The reader's language, from the environment."""
    said = (
        os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG", "")
    )
    return "zh" if said.lower().startswith("zh") else "en"


def _options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What every working command has: language and progress; errors become sentences."""

    @wraps(command)
    def run(*, lang: str | None, progress: Style, **rest: Any) -> None:
        tell = teller(progress, lang or user_lang())
        with told(tell, lang or user_lang()), ended_kindly():
            command(tell=tell, lang=lang or user_lang(), **rest)

    lang = click.option(
        "--lang", type=click.Choice(["zh", "en"]), help="Language; default: yours."
    )
    progress = click.option(
        "--progress",
        type=click.Choice(["auto", "bar", "json", "none"]),
        default="auto",
        help="How to show progress; json is one object a line on standard error.",
    )
    return lang(progress(run))


FILES = click.argument("files", nargs=-1, type=click.Path(path_type=Path, readable=False))
PATH = click.Path(path_type=Path, readable=False)  # we say ourselves what is wrong
REJECTS = click.option(
    "--rejects",
    type=PATH,
    help="Also write the lines that could not be read, with reasons (CSV).",
)


def _reading(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options of commands that read exports."""
    for option in (
        click.option("--group", help="Name of the group, for exports that do not say it."),
        click.option(
            "--date-order",
            type=click.Choice(["dmy", "mdy", "ymd"]),
            help="Order of day, month and year, where a file leaves it open.",
        ),
        click.option(
            "--tz",
            "zone",
            help="The community's time zone, such as Asia/Shanghai. Default UTC.",
        ),
    ):
        command = option(command)
    return command


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="qunluo")
def main() -> None:
    """Qunluo 群落: from a chat export to the truth about a community."""


@main.command()
@FILES
@click.option(
    "--staff", type=PATH, help="Accounts of the brand, bots and system (CSV or JSON)."
)
@click.option("--roster", type=PATH, help="Members of each group (CSV or JSON).")
@click.option("--corporate", type=PATH, help="Corporate status of accounts (CSV or JSON).")
@click.option("--orders", type=PATH, help="Orders (CSV or JSON).")
@_reading
@click.option("-o", "--output", type=PATH, default=Path("report.html"), show_default=True)
@click.option("--json", "document", type=PATH, help="Also write the figures as JSON.")
@click.option("--anonymous", is_flag=True, help="Mask names and quotations.")
@click.option("--archive", type=PATH, help="Keep the imported rows in this folder.")
@REJECTS
@_options
def report(*, tell: Teller, lang: str, **wish: Any) -> None:
    """Write the report of chat exports, or of an archive folder, as one HTML file."""
    from qunluo.cli.reporting import Wish, write_report  # noqa: PLC0415 - a quick --help

    write_report(Wish(**wish), tell, lang)


@main.command("import")
@FILES
@click.option("--archive", type=PATH, required=True, help="The folder to import into.")
@_reading
@REJECTS
@_options
def import_(**given: Any) -> None:
    """Read chat exports into an archive folder; again is harmless."""
    from qunluo.cli.importing import import_command  # noqa: PLC0415

    import_command(**given)


@main.group()
def archive() -> None:
    """Look after an archive folder."""


@archive.command()
@click.argument("folder", type=PATH)
@_options
def verify(**given: Any) -> None:
    """Check every file of an archive."""
    from qunluo.cli.importing import verify_command  # noqa: PLC0415

    verify_command(**given)


@archive.command()
@click.argument("folder", type=PATH)
@_options
def compact(**given: Any) -> None:
    """Tidy an archive's segments; no figure changes."""
    from qunluo.cli.importing import compact_command  # noqa: PLC0415

    compact_command(**given)


@main.command()
@click.argument("folder", type=PATH)
@click.option("-o", "--output", type=PATH, required=True)
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "parquet", "convokit", "chatlab"]),
    default="parquet",
    show_default=True,
)
@_options
def export(**given: Any) -> None:
    """Write an archive's rows as CSV, Parquet, a ConvoKit corpus or ChatLab."""
    from qunluo.cli.importing import export_command  # noqa: PLC0415

    export_command(**given)


@main.command()
@click.option("-o", "--output", type=PATH, default=Path("sample"), show_default=True)
@click.option("--messages", type=click.IntRange(min=100), default=510_000, show_default=True)
@click.option(
    "--groups", type=click.IntRange(min=1), help="Default: as the study, in proportion."
)
@click.option("--speakers", type=click.IntRange(min=1), help="Default: in proportion.")
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--whatsapp", is_flag=True, help="Also write it as one WhatsApp text.")
@_options
def sample(**given: Any) -> None:
    """Write a synthetic community with planted truth."""
    from qunluo.cli.sampling import sample_command  # noqa: PLC0415

    sample_command(**given)


HOST = click.option("--host", help="Address to listen on. Default: this machine only.")
DATA = click.option("--data", type=PATH, help="Where everything is kept.")
PORT = click.option("--port", type=int, help="Port. Default: the first free from 8460 on.")


def _up(name: str, **more: Any) -> None:
    @main.command(name, **more)
    @HOST
    @PORT
    @DATA
    @click.option("--sample/--no-sample", default=False, help="With a community that lives.")
    def command(**given: Any) -> None:
        """Open Qunluo: pages, live stream and worker in one terminal, until Ctrl-C."""
        from qunluo.cli.serving import up_command  # noqa: PLC0415

        with told(teller("none", user_lang()), user_lang()):
            up_command(**given)


_up("up")
_up("serve", hidden=True)  # its earlier name


def _part(name: str, words: str, *, listens: bool = False, **more: Any) -> None:
    def command(**given: Any) -> None:
        from qunluo.cli.serving import part_command  # noqa: PLC0415

        with told(teller("none", user_lang()), user_lang()):
            part_command(name, **given)

    main.command(name, help=words, **more)(HOST(PORT(command)) if listens else command)


_part("web", "Serve the pages and the API alone.", listens=True)
_part("live", "Serve the live stream of rooms alone.", listens=True)
_part("worker", "Do what is due: messages in and out, timers, the archive.")
_part("living", "Let the sample community live.", hidden=True)


@main.command()
@DATA
@click.option("--community", "slug", help="Only the community of this slug.")
@click.option("--json", "as_json", is_flag=True, help="As JSON on standard output.")
@click.option("--lang", type=click.Choice(["zh", "en"]), help="Language; default: yours.")
@click.pass_context
def audit(context: click.Context, /, lang: str | None, **given: Any) -> None:
    """Check that the books agree: status 1 when something is broken."""
    from qunluo.cli.auditing import audit_command  # noqa: PLC0415

    tongue = lang or user_lang()
    with told(teller("none", tongue), tongue):
        holds = audit_command(lang=tongue, **given)
    context.exit(0 if holds else 1)


@main.command()
@DATA
@click.option("--yes", is_flag=True, help="Do not ask.")
def reset(data: Path | None, yes: bool) -> None:
    """Delete every community, member, message and report of this installation."""
    from qunluo.cli.serving import reset_command  # noqa: PLC0415

    with told(teller("none", user_lang()), user_lang()):
        reset_command(data=data, yes=yes, lang=user_lang())

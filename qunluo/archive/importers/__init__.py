"""Importers: one module per export format, recognised by content."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from qunluo.archive.importers.base import Importer

# module → class; a format is added by one module and one line here
FORMATS: dict[str, str] = {
    "zulip": "Zulip",
    "matrix": "Matrix",
    "whatsapp": "WhatsApp",
    "wecom": "WeCom",
    "wechat_csv": "WeChatCsv",
    "weflow": "WeFlow",
    "wechat": "Chatlog",
    "qq_txt": "QqText",
    "qq_json": "QqExporter",
    "irc": "BracketedIrc",
    "irssi": "Irssi",
    "supybot": "Supybot",
    "weechat": "Weechat",
    "telegram": "Telegram",
    "discord": "Discord",
    "discord_csv": "DiscordCsv",
    "slack": "Slack",
    "chatlab": "ChatLab",
    "convokit": "ConvoKit",
    "tabular": "Tabular",
}


@cache
def importer(name: str) -> Importer:
    """The importer of that name; imported only when needed."""
    found: Importer = getattr(
        import_module(f"qunluo.archive.importers.{name}"), FORMATS[name]
    )()
    return found

"""What a reader of these pages can put right."""

from __future__ import annotations

from qunluo.kit.errors import QunluoError
from qunluo.kit.text import Text


class WordsMissingError(QunluoError):
    code = "words_missing"
    sentence = Text(
        "Type a message of {longest} characters at most.", "请输入消息，最多 {longest} 个字。"
    )


class WhyMissingError(QunluoError):
    code = "why_missing"
    sentence = Text("Say why: the record keeps it.", "请填写原因，它会记录下来。")


class NoActError(QunluoError):
    code = "no_act"
    sentence = Text(
        "This can't be done with this message. Load the page again.",
        "无法对这条消息这样做，请重新加载页面。",
    )


class NoMemberError(QunluoError):
    code = "no_member"
    sentence = Text(
        "Nobody of the group wrote this message, so there is nobody to act on.",
        "这条消息不是群成员发的，没有可操作的对象。",
    )


class NoFileError(QunluoError):
    code = "no_file"
    sentence = Text("Choose a CSV file first.", "请先选择一个 CSV 文件。")

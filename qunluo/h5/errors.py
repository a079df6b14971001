"""What a visitor of members' pages can put right."""

from __future__ import annotations

from qunluo.kit.errors import QunluoError
from qunluo.kit.text import Text


class NotHereError(QunluoError):
    """They are not in the group (any more)."""

    code = "not_here"
    sentence = Text(
        "You are not in this group. Open its invitation to join.",
        "你不在这个群里，请打开邀请链接加入。",
    )


class NameMissingError(QunluoError):
    code = "name_missing"
    sentence = Text(
        "Say by which name the group should call you.", "请填写希望大家如何称呼你。"
    )


class ConsentMissingError(QunluoError):
    code = "consent_missing"
    sentence = Text(
        "Without your agreement nothing of you may be kept, and nobody can be let in. Tick the "
        "box to join.",
        "未经你同意，我们不能保存你的任何信息，因此无法入群。勾选同意后即可加入。",
    )


class NothingSaidError(QunluoError):
    code = "nothing_said"
    sentence = Text(
        "There is nothing to send: write something or pick a picture.",
        "没有可发送的内容：请输入文字或选择图片。",
    )


class TooLongError(QunluoError):
    code = "too_long"
    sentence = Text(
        "That is too long: {most} characters are the most. Send it in parts.",
        "内容太长，最多 {most} 个字，请分几条发送。",
    )


class StrangeRequestError(QunluoError):
    """A script sent what no page of ours sends."""

    code = "strange_request"
    sentence = Text(
        "This can't be understood. Reload the page and try again.",
        "无法识别这个请求，请刷新页面后重试。",
    )


class GoneMessageError(QunluoError):
    code = "gone_message"
    sentence = Text("That message is not here any more.", "这条消息已经不在了。")


class NotSureError(QunluoError):
    code = "not_sure"
    sentence = Text(
        "Tick the box to say that you are sure. Erasing can't be undone.",
        "请勾选确认。删除后无法恢复。",
    )

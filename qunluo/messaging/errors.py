"""What can go wrong between a message and its readers, in words for people."""

from __future__ import annotations

from qunluo.kit.errors import QunluoError
from qunluo.kit.text import Text


class NoChannelError(QunluoError):
    """A group or a delivery names a channel that isn't there."""

    code = "no_channel"
    sentence = Text(
        "There is no channel “{name}”. Install or switch on its connector, or move the group.",
        "没有“{name}”渠道，请启用相应的连接器，或更换群的渠道。",
    )


class NotInGroupError(QunluoError):
    """Only who is in a group speaks there."""

    code = "not_in_group"
    sentence = Text(
        "You are not in “{group}” (any more). Open its join link to come in.",
        "你（已）不在“{group}”中，请通过入群链接加入。",
    )


class NoGroupError(QunluoError):
    """What came in names a group that isn't there."""

    code = "no_such_group"
    sentence = Text(
        "There is no such group (any more). Connect the channel's group to one here.",
        "没有（或已不存在）该群，请将渠道的群与这里的群关联。",
    )


class EmptyMessageError(QunluoError):
    """Nothing was said."""

    code = "empty_message"
    sentence = Text("Write something, or add an image.", "请输入文字或添加图片。")


class AnsweredAlreadyError(QunluoError):
    """Somebody was there first."""

    code = "answered_already"
    sentence = Text(
        "Somebody has settled this question already. Reload the page to see how.",
        "该问题已有人处理，刷新页面即可查看。",
    )


class TooLateError(QunluoError):
    """A message may be recalled for a while only."""

    code = "too_late"
    sentence = Text(
        "A message can be recalled within {minutes} minutes. Ask the team to remove it.",
        "消息仅能在 {minutes} 分钟内撤回，可联系工作人员删除。",
    )


class NotYourMessageError(QunluoError):
    """Only the sender and the staff recall a message."""

    code = "not_your_message"
    sentence = Text("You can only recall your own messages.", "只能撤回自己的消息。")


class WrongPatternError(QunluoError):
    """An auto-reply's pattern that can't be used."""

    code = "wrong_pattern"
    sentence = Text(
        "The pattern “{pattern}” can't be used: {reason}",
        "匹配内容“{pattern}”无法使用：{reason}",
    )


class BlankAnswerError(QunluoError):
    """An auto-reply that would say 〔…〕 to members."""

    code = "wrong_blank_answer"
    sentence = Text(
        "The answer still has the blank {blank}: fill it in, then switch the reply on.",
        "答案里还有空白 {blank}：请先补全，再启用。",
    )

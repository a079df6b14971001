"""What can stand between a person and a group, and who would know the way."""

from __future__ import annotations

from qunluo.kit.errors import QunluoError
from qunluo.kit.text import Text


class GateClosedError(QunluoError):
    """The gate does not admit them; `why` says what would."""

    code = "gate_closed"
    sentence = Text("{why}", "{why}")


class WaitingForApprovalError(QunluoError):
    """They asked; somebody decides."""

    code = "waiting_for_approval"
    sentence = Text(
        "Your request to join “{group}” has arrived. Somebody of the team looks at it, and you "
        "will be let in then.",
        "你加入“{group}”的申请已收到，工作人员审核通过后即可入群。",
    )


class GroupFullError(QunluoError):
    """No seat is left; `next` names the successor, where there is one."""

    code = "group_full"
    sentence = Text("“{group}” is full. {next}", "“{group}”已满员。{next}")


class GroupClosedError(QunluoError):
    """The group takes nobody any more."""

    code = "group_closed"
    sentence = Text(
        "“{group}” has ended and takes no new members. Ask the team for the group after it.",
        "“{group}”已结束，不再接收新成员，可向工作人员询问后续的群。",
    )


class BannedError(QunluoError):
    """They are on the ban list."""

    code = "banned"
    sentence = Text(
        "You can't join this community at the moment: {why}. You may appeal, and a person will "
        "look at it.",
        "你目前无法加入本社群：{why}。你可以申诉，会有工作人员复核。",
    )


class NoPlaceError(QunluoError):
    """None of the groups admits them; `why` has the reason of each."""

    code = "no_place"
    sentence = Text("There is no group for you yet. {why}", "暂时没有适合你的群。{why}")


class WrongTemplateError(QunluoError):
    """A nickname template that can't be read back."""

    code = "wrong_nickname_template"
    sentence = Text(
        "The nickname template “{template}” can't be read: {reason}",
        "昵称模板“{template}”无法使用：{reason}",
    )


class WrongGateError(QunluoError):
    """A gate that lacks what it would judge by."""

    code = "wrong_gate"
    sentence = Text("This gate can't be used: {reason}", "入群条件无法使用：{reason}")


class NoPurposeError(QunluoError):
    """A group without a purpose is not made."""

    code = "no_purpose"
    sentence = Text(
        "Say what the group is for: no group is made without a purpose.",
        "请填写建群目的：没有目的的群不会建立。",
    )


class AlreadyDecidedError(QunluoError):
    """Somebody else was there first."""

    code = "already_decided"
    sentence = Text(
        "Somebody has decided this already. Reload the page to see what they did.",
        "已有人处理过，刷新页面即可查看结果。",
    )


class NotYoursError(QunluoError):
    """Only the person it happened to may appeal."""

    code = "not_yours"
    sentence = Text(
        "You can only appeal what happened to you.", "只能对自己的处理结果提出申诉。"
    )


class AppealedAlreadyError(QunluoError):
    """One appeal each, and nothing to appeal where nothing was done."""

    code = "appealed_already"
    sentence = Text(
        "This can't be appealed (again): an appeal was made, or nothing stands any more.",
        "无法（再次）申诉：已经提交过申诉，或该处理已撤销。",
    )


class WrongBlueprintError(QunluoError):
    """A blueprint's file does not say what it must."""

    code = "wrong_blueprint"
    sentence = Text(
        "The blueprint {file} can't be used: {reason}", "群模板 {file} 无法使用：{reason}"
    )


class NoBlueprintError(QunluoError):
    """There is no blueprint of that name."""

    code = "no_blueprint"
    sentence = Text("There is no blueprint “{key}”.", "没有名为“{key}”的群模板。")


class TooLongError(QunluoError):
    """A group of hours that would last longer than its kind may."""

    code = "group_too_long"
    sentence = Text(
        "“{kind}” is over {hours} hours after it opened, with its goodbye. Let it end by {latest}.",
        "“{kind}”从开群到解散（含告别）不超过 {hours} 小时，结束时间请不要晚于 {latest}。",
    )


class NotOpenError(QunluoError):
    """The group exists, and opens later."""

    code = "group_not_open"
    sentence = Text(
        "“{group}” opens at {at}. Come back then.", "“{group}”将于 {at} 开群，到时再来。"
    )


class NoTaskError(QunluoError):
    """A task without words, or one that is not there."""

    code = "no_task"
    sentence = Text("Say what there is to do.", "请写明要做什么。")


class WrongAnswerError(QunluoError):
    """One of the five questions has no answer."""

    code = "wrong_fit_answer"
    sentence = Text("Choose an answer: “{question}”", "请选择一个回答：“{question}”")


class SuccessorThereError(QunluoError):
    """A group has one that goes on after it already."""

    code = "successor_there"
    sentence = Text(
        "“{next}” goes on after “{group}” already.", "“{group}”已有接续群“{next}”。"
    )

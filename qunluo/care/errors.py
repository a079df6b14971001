"""What a person can put right when looking after people."""

from __future__ import annotations

from qunluo.kit.errors import QunluoError
from qunluo.kit.text import Text


class WordsMissingError(QunluoError):
    code = "care_words_missing"
    sentence = Text("Write it in a few words first.", "请先写上几句话。")


class NotInGroupError(QunluoError):
    """Only who is in a group of the community takes part."""

    code = "not_in_group"
    sentence = Text(
        "Only members of a group take part here. Open an invitation to join one.",
        "只有群成员可以参与，请先通过邀请链接入群。",
    )


class WishClosedError(QunluoError):
    """It was answered, merged or set aside meanwhile."""

    code = "wish_closed"
    sentence = Text(
        "This wish is not open any more. Load the page again to see what became of it.",
        "这个心愿已不再开放，请刷新页面查看结果。",
    )


class SameWishError(QunluoError):
    code = "same_wish"
    sentence = Text("Choose another wish to merge with.", "请选择另一个心愿来合并。")


class TooManyWishesError(QunluoError):
    code = "too_many_wishes"
    sentence = Text(
        "You have {most} open wishes already. Vote for others meanwhile.",
        "你已有 {most} 个未答复的心愿，可以先为其他心愿投票。",
    )


class WhyMissingError(QunluoError):
    code = "care_why_missing"
    sentence = Text("Say why: the record keeps it.", "请填写原因，它会记录下来。")


class NeedGoneError(QunluoError):
    """Somebody else took or dismissed it, or it was taken back."""

    code = "need_gone"
    sentence = Text(
        "Somebody has seen to this already. Load the page again.",
        "已有人处理过这条需求，请刷新页面。",
    )


class IncidentOpenError(QunluoError):
    """There is one of the same kind already, for the same group."""

    code = "incident_open"
    sentence = Text(
        "An incident of this kind is open for this group already. Go on with that one.",
        "该群已有同类事件正在处理，请在原事件中继续。",
    )


class IncidentMovedError(QunluoError):
    """Somebody else handled or closed it meanwhile."""

    code = "incident_moved"
    sentence = Text(
        "Somebody has moved this incident on meanwhile. Load the page again.",
        "事件状态已被他人更新，请刷新页面。",
    )


class WrongOptionError(QunluoError):
    code = "care_wrong_option"
    sentence = Text(
        "“{name}” must be a whole number from 1 to {most}.",
        "“{name}”应为 1 到 {most} 之间的整数。",
    )


class WrongSlotError(QunluoError):
    code = "wrong_slot"
    sentence = Text(
        "Choose at least one day, and two different hours.",
        "请至少选择一天，并填写不同的开始和结束时间。",
    )


class NoRoundError(QunluoError):
    """There is no such round, it has not begun, or it was too long ago."""

    code = "no_round"
    sentence = Text(
        "This round can't be noted now. Load the page again to see what is due.",
        "现在无法登记这次巡群，请刷新页面查看待办。",
    )


class PatrolDoneError(QunluoError):
    code = "patrol_done"
    sentence = Text("This round was noted already.", "这次巡群已登记过。")


class PromisedError(QunluoError):
    code = "promised_already"
    sentence = Text(
        "This member was promised attention already. End that promise first.",
        "已对该成员作出关怀承诺，请先结束原承诺。",
    )


class WrongCadenceError(QunluoError):
    code = "wrong_cadence"
    sentence = Text("Say every how many days: 1 to 365.", "请填写每几天联系一次：1 到 365。")


class TooManyTestimoniesError(QunluoError):
    code = "too_many_testimonies"
    sentence = Text(
        "{most} of yours wait to be looked at. Send the next one after that.",
        "你有 {most} 条见证等待审核，请稍后再提交。",
    )


class TestimonyDecidedError(QunluoError):
    code = "testimony_decided"
    sentence = Text("Somebody has decided about this already.", "这条见证已有人处理。")


class WrongTimeError(QunluoError):
    code = "wrong_time"
    sentence = Text(
        "It must begin in the future and end after its beginning.",
        "开始时间应在将来，结束时间应晚于开始时间。",
    )


class FewSeatsError(QunluoError):
    """The capacity is less than one, or than those who have a seat."""

    code = "few_seats"
    sentence = Text(
        "There must be seats for those who signed up, and at least one.",
        "名额不能少于已报名人数，且至少为 1。",
    )


class GatheringOverError(QunluoError):
    code = "gathering_over"
    sentence = Text("This gathering is over or was called off.", "该活动已结束或取消。")


class NotInvitedError(QunluoError):
    code = "not_invited"
    sentence = Text(
        "This gathering is for members of “{group}”. Join that group first.",
        "该活动仅限“{group}”的成员，请先加入该群。",
    )


class NotNowError(QunluoError):
    code = "not_now"
    sentence = Text(
        "Attendance is noted from an hour before the beginning to three hours after the end.",
        "签到时间为活动开始前 1 小时至结束后 3 小时。",
    )


class WrongCodeError(QunluoError):
    code = "wrong_code"
    sentence = Text(
        "This is not the code. It is told on the spot: six digits.",
        "签到码不正确。签到码为现场公布的 6 位数字。",
    )


class IntroductionGoneError(QunluoError):
    """Somebody decided, answered, left, or they met by themselves meanwhile."""

    code = "introduction_gone"
    sentence = Text(
        "This introduction is not open any more. Load the page again to see why.",
        "这次牵线已不能继续，请刷新页面查看原因。",
    )


class NotReachableError(QunluoError):
    code = "not_reachable"
    sentence = Text(
        "One of the two can't be asked: they left, or want no messages of this kind.",
        "其中一位无法收到询问：已离开，或不接收这类消息。",
    )


class SameTagError(QunluoError):
    code = "same_tag"
    sentence = Text(
        "Choose two different tags: members who share a tag are found anyway.",
        "请选择两个不同的标签：标签相同的成员本来就会匹配。",
    )

"""What can go wrong with members, in sentences a person can act on."""

from __future__ import annotations

from qunluo.kit.errors import QunluoError
from qunluo.kit.text import Text


class NoNameError(QunluoError):
    """A member without a name."""

    code = "no_name"
    sentence = Text("Please give a name.", "请填写名字。")


class WrongPhoneError(QunluoError):
    """No telephone number."""

    code = "wrong_phone"
    sentence = Text(
        "That is not a telephone number. Write it with its country code, like +86 138 0013 8000.",
        "这不是有效的电话号码，请带上国家代码，例如 +86 138 0013 8000。",
    )


class WrongEmailError(QunluoError):
    """No e-mail address."""

    code = "wrong_email"
    sentence = Text(
        "That is not an e-mail address. It looks like name@example.com.",
        "这不是有效的邮箱地址，正确的格式如 name@example.com。",
    )


class WrongValueError(QunluoError):
    """A profile field can't have that value."""

    code = "wrong_value"
    sentence = Text("“{label}” can't be that: {reason}", "“{label}”不能这样填：{reason}")


class NoFieldError(QunluoError):
    """The community has no profile field of that key."""

    code = "no_field"
    sentence = Text(
        "There is no profile field “{key}”. Add it in the settings first.",
        "没有“{key}”这个资料项，请先在设置中添加。",
    )


class OtherCommunityError(QunluoError):
    """Two things of different communities."""

    code = "other_community"
    sentence = Text(
        "These belong to different communities. Choose both from the same one.",
        "两者不属于同一个社群，请选择同一社群中的内容。",
    )


class WhyMissingError(QunluoError):
    """Somebody wants to see contact data and does not say why."""

    code = "why_missing"
    sentence = Text(
        "Say why you need the contact data: the reason goes into the audit log.",
        "请说明查看联系方式的原因，它会写入审计记录。",
    )


class NoEvidenceError(QunluoError):
    """What was named as evidence does not show that two members are one."""

    code = "no_evidence"
    sentence = Text(
        "That does not show that both are the same person. Compare them and merge by hand.",
        "这不足以证明两者是同一个人，请核对后手动合并。",
    )


class AlreadyMergedError(QunluoError):
    """One of the two has gone into another member, or both are the same."""

    code = "already_merged"
    sentence = Text(
        "One of them is already merged. Undo that merge first.",
        "其中一位已被合并，请先撤销那次合并。",
    )


class MergeCoveredError(QunluoError):
    """A merge that can't be undone: undone before, erased, or under a later merge."""

    code = "merge_covered"
    sentence = Text(
        "This merge can't be undone now: it was undone before, the member was erased, or a "
        "later merge must be undone first.",
        "现在无法撤销这次合并：可能已撤销、成员已删除，或需先撤销之后的合并。",
    )


class MergeByHandError(QunluoError):
    """Both have something that only a person may decide about."""

    code = "merge_by_hand"
    sentence = Text(
        "Both have records that only a person may join ({reason}). Compare them and merge by "
        "hand.",
        "两者都有需要人工确认的记录（{reason}），请核对后手动合并。",
    )


class ErasedError(QunluoError):
    """The member was erased."""

    code = "member_erased"
    sentence = Text(
        "This member was erased; nothing can be added to them.",
        "该成员的数据已删除，无法再添加内容。",
    )


class WrongPurposeError(QunluoError):
    """There is no such purpose of consent."""

    code = "wrong_purpose"
    sentence = Text(
        "Consent is given for service, marketing, analysis or location, not for “{purpose}”.",
        "授权用途只能是服务、营销、分析或位置，不能是“{purpose}”。",
    )


class WrongLinkError(QunluoError):
    """A personal link that is forged, old, or of somebody else's community."""

    code = "wrong_link"
    sentence = Text(
        "This personal link is no longer valid. Ask for a new one.",
        "这个专属链接已失效，请重新获取。",
    )


class TakenError(QunluoError):
    """A name that must be unique is taken."""

    code = "taken"
    sentence = Text("“{name}” is taken. Choose another name.", "“{name}”已被使用，请换一个。")


class TagInUseError(QunluoError):
    """A tag that members have is not removed under them."""

    code = "tag_in_use"
    sentence = Text(
        "“{tag}” is on members still. Take it off them first.",
        "仍有成员带有“{tag}”标签，请先从成员身上移除。",
    )


class WrongPlaceError(QunluoError):
    """Coordinates that are on no map."""

    code = "wrong_place"
    sentence = Text(
        "That is no place on earth. Let your phone find where you are, or ask the team for the "
        "group of your store.",
        "位置无效，请让手机重新定位，或向工作人员询问附近门店的群。",
    )

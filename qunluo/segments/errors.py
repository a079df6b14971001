"""What a person can put right when choosing people."""

from __future__ import annotations

from qunluo.kit.errors import QunluoError
from qunluo.kit.text import Text


class WrongTreeError(QunluoError):
    """The expression can't be read; `where` is the way to the part, such as all › 2."""

    code = "wrong_segment"
    sentence = Text("At {where}: {reason}", "在{where}：{reason}")


class SegmentNameError(QunluoError):
    code = "segment_name"
    sentence = Text("Give the segment a name.", "请给人群起一个名字。")


class SegmentTakenError(QunluoError):
    code = "segment_taken"
    sentence = Text(
        "There is a segment “{name}” already. Choose another name, or change that one.",
        "已有名为“{name}”的人群，请换一个名字，或直接修改它。",
    )


class SegmentInUseError(QunluoError):
    """Something chooses people by it."""

    code = "segment_in_use"
    sentence = Text(
        "“{name}” is used by {users}. Choose something else there first.",
        "“{name}”正被 {users} 使用，请先在那里改选其他条件。",
    )

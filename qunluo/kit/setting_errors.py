"""What is said of a setting that can't be used."""

from __future__ import annotations

from qunluo.kit.errors import QunluoError
from qunluo.kit.text import Text


class WrongSettingError(QunluoError):
    code = "wrong_setting"
    sentence = Text(
        "The setting {name}={value} can't be used: {reason} See docs/reference/settings.md.",
        "设置 {name}={value} 无法使用：{reason}详见 docs/reference/settings.md。",
    )

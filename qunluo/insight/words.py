"""What classes, kinds and weekdays are called."""

from __future__ import annotations

from qunluo.archive.schema import KINDS
from qunluo.kit.text import Text

CLASS_WORDS: dict[str, Text] = {
    "brand": Text("brand", "品牌"),
    "member": Text("members", "成员"),
    "bot": Text("bots", "机器人"),
    "system": Text("system", "系统"),
}

WEEKDAYS: tuple[Text, ...] = (
    Text("Monday", "周一"),
    Text("Tuesday", "周二"),
    Text("Wednesday", "周三"),
    Text("Thursday", "周四"),
    Text("Friday", "周五"),
    Text("Saturday", "周六"),
    Text("Sunday", "周日"),
)

_KINDS_ZH = """
文字 图片 语音 视频 表情包 动图 文件 链接 小程序 视频号 直播 音乐 位置 名片 红包 转账 合并转发 笔记 公告
拍一拍 投票 收集表 待办 日程 会议 文档 图文 混合消息 商品 通话 游戏 动作 机器人指令 付款 撤回 系统消息 其他
"""

KIND_WORDS: dict[str, Text] = {
    kind: Text(kind.replace("_", " "), zh)
    for kind, zh in zip(KINDS, _KINDS_ZH.split(), strict=True)
}

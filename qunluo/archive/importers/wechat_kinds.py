"""What kind a WeChat message is: by its numbers, or by the words exports put in their place."""

from __future__ import annotations

import re

TYPES = {
    1: "text", 3: "image", 34: "voice", 37: "contact", 42: "contact", 43: "video",
    47: "sticker", 48: "location", 49: "link", 50: "call", 62: "video", 66: "contact",
    10000: "system", 10002: "system", 11000: "system",
}  # fmt: skip
SHARES = {
    1: "text", 2: "image", 3: "music", 4: "link", 5: "link", 6: "file", 7: "game", 8: "gif",
    15: "sticker", 16: "product", 17: "location", 19: "forward", 24: "note", 33: "mini_program",
    36: "mini_program", 40: "forward", 44: "link", 46: "product", 50: "contact",
    51: "channels_video", 53: "form", 57: "text", 62: "poke", 63: "live", 74: "file",
    76: "music", 87: "announcement", 88: "live", 92: "music", 2000: "transfer",
    2001: "red_packet", 2002: "transfer", 2003: "red_packet",
}  # fmt: skip
"""Kinds of type 49 by its subtype."""

WORDS = {
    "文本": "text", "文字": "text", "文本消息": "text", "图片": "image", "图片消息": "image",
    "语音": "voice", "语音消息": "voice", "视频": "video", "视频消息": "video", "短视频": "video",
    "小视频": "video", "动画表情": "sticker", "表情": "sticker", "表情包": "sticker", "动图": "gif",
    "GIF": "gif", "GIF表情": "gif", "位置": "location", "位置消息": "location", "地图": "location",
    "共享实时位置": "location", "名片": "contact", "推荐名片": "contact", "卡片": "contact",
    "链接": "link", "链接消息": "link", "分享": "link", "卡片式链接": "link", "公众号文章": "article",
    "文件": "file", "文件消息": "file", "小程序": "mini_program", "视频号": "channels_video",
    "视频号视频": "channels_video", "视频号名片": "contact", "直播": "live", "视频号直播": "live",
    "音乐": "music", "音乐分享": "music", "聊天记录": "forward", "合并转发": "forward",
    "合并转发消息": "forward", "转发": "forward", "聊天记录消息": "forward", "笔记": "note",
    "群公告": "announcement", "公告": "announcement", "接龙": "form", "群接龙": "form",
    "拍一拍": "poke", "红包": "red_packet", "红包封面": "red_packet", "转账": "transfer",
    "引用": "text", "引用消息": "text", "引用回复": "text", "带有引用的文本消息": "text",
    "语音通话": "call", "视频通话": "call", "通话": "call", "音视频通话": "call", "VOIP": "call",
    "商品": "product", "礼物": "other", "投票": "poll", "待办": "todo", "系统": "system",
    "系统消息": "system", "系统通知": "system", "撤回消息": "system", "其他": "other",
    "其他消息": "other", "未知": "other", "游戏": "game",
}  # fmt: skip

_PLACEHOLDER = re.compile(r"\s*!?\[(?P<word>[^\[\]|\n]{1,12})(?P<rest>\|[^\n]*)?\]")


def kind_of_numbers(type_: int | None, subtype: int | None) -> str:
    """The kind by type and subtype; `other` for numbers that are not known."""
    if type_ is None:
        return "other"
    if type_ > 1 << 32:  # version 4 keeps both in one number
        type_, subtype = type_ & 0xFFFFFFFF, type_ >> 32
    if type_ == 49:
        return SHARES.get(subtype, "other") if subtype else "link"
    return TYPES.get(type_, "other")


def kind_of_word(word: str | None) -> str | None:
    """The kind by a Chinese word (`图片`, `[图片]`, `图片消息`); None if it is not known."""
    bare = (word or "").strip().strip("[]【】")
    return WORDS.get(bare)


def kind_of_text(content: str | None) -> tuple[str, str | None]:
    """The kind by the text alone, and the placeholder found: `[语音]`, `![图片](…)`."""
    found = _PLACEHOLDER.match(content or "")
    if not found:
        return "text", None
    kind = WORDS.get(found["word"].strip())
    whole = found.end() == len((content or "").rstrip())
    linked = (content or "")[found.end() : found.end() + 1] == "("
    if kind is None or not (whole or linked or found["rest"]):
        return "text", None
    return kind, found["word"].strip()

"""From number columns to Arrow tables of the archive's schema."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qunluo.archive.schema import KINDS, MESSAGES, REACTIONS
from qunluo.sample.accounts import Accounts
from qunluo.sample.clock import Clock
from qunluo.sample.contents import NO_TEXT, Content
from qunluo.sample.draws import BRAND, EXPLICIT, MENTION, QUOTE, SYSTEM, Rows
from qunluo.sample.groups import Groups
from qunluo.sample.lives import KOC as KOC_TONE
from qunluo.sample.numbers import Array, Random, offsets
from qunluo.sample.texts import Pool

PLATFORM = "sample"
MESSAGE_BASE = 1_000_000_000
TOLD_MENTIONS = 0.6  # of mentions, those the platform also marks; others are only @text
REACTED, REACTED_MORE = (
    0.02,
    0.12,
)  # share of messages with reactions; of campaigns and KOC talk
EMOJI = ("👍", "❤️", "😂", "🎉", "🙏", "🌹")
RECALLED = 0.002
FILES = ("价目表.pdf", "使用说明.pdf", "门店地址.xlsx", "配送范围.png", "课程安排.docx")
MEDIA = {"image": "image/jpeg", "video": "video/mp4", "voice": "audio/amr", "gif": "image/gif",
         "sticker": "image/webp", "file": "application/octet-stream"}  # fmt: skip
RAW_KINDS = {
    "text": "文本", "image": "图片", "voice": "语音", "video": "视频", "sticker": "表情",
    "gif": "动图", "file": "文件", "link": "链接", "mini_program": "小程序",
    "channels_video": "视频号", "live": "视频号直播", "music": "音乐", "location": "位置",
    "contact": "名片", "red_packet": "红包", "transfer": "转账", "forward": "聊天记录",
    "note": "笔记", "announcement": "群公告", "poke": "拍一拍", "poll": "投票", "form": "收集表",
    "calendar": "日程", "meeting": "会议", "document": "在线文档", "article": "公众号文章",
    "product": "商品", "call": "通话", "recalled": "撤回", "system": "系统消息", "other": "其他",
}  # fmt: skip


class Typesetter:
    """Turns rows and their content into tables."""

    def __init__(self, pool: Pool, groups: Groups, accounts: Accounts, clock: Clock) -> None:
        self.pool, self.accounts, self.clock = pool, accounts, clock
        self.group_ids, self.group_names = pa.array(groups.ids), pa.array(groups.names)
        self.kinds = pa.array(KINDS)
        self.raw_kinds = pa.array([RAW_KINDS.get(k) for k in KINDS])
        self.media = pa.array([MEDIA.get(k) for k in KINDS])

    def table(self, random: Random, rows: Rows, content: Content, before: int) -> pa.Table:
        """A table of `MESSAGES`; `before` messages were written earlier."""
        n, group = len(rows), pa.array(rows.group)
        ids = pa.array(np.arange(n) + (MESSAGE_BASE + before)).cast(pa.string())
        kind = pa.array(content.kind)
        mentions, sender = (
            rows.evidence == MENTION,
            self.accounts.ids.take(pa.array(rows.account)),
        )
        told = mentions & (random.random(n, np.float32) < TOLD_MENTIONS)
        columns = {
            "platform": _constant(PLATFORM, n),
            "group_id": self.group_ids.take(group),
            "group_name": self.group_names.take(group),
            "message_id": ids,
            "sent_at": self.clock.instants(rows.at),
            "zone_known": _constant("utc", n),
            "sender_id": sender,
            "sender_name": self.names(rows),
            "role": pc.if_else(pa.array(rows.klass == SYSTEM), "system", None),
            "kind": self.kinds.take(kind),
            "raw_kind": self.raw_kinds.take(kind),
            "text": self.texts(rows, content),
            "reply_to": ids.take(pa.array(rows.target, mask=rows.evidence != EXPLICIT)),
            "mentions": _lists(sender, rows.target, told),
            "revoked": pa.array((random.random(n, np.float32) < RECALLED) & (rows.klass != SYSTEM)),
            "forwarded": pa.array(content.kind == KINDS.index("forward")),
            "reactions": _reactions(random, rows),
            **self._media(random, content),
        }  # fmt: skip
        arrays = [columns.get(f.name, pa.nulls(n, f.type)) for f in MESSAGES]
        return pa.Table.from_arrays(arrays, schema=MESSAGES)

    def names(self, rows: Rows) -> pa.Array:
        """The sender's name at the time of each row."""
        return self.accounts.names.take(
            pa.array(self.accounts.name_codes(rows.account, rows.at))
        )

    def texts(self, rows: Rows, content: Content) -> pa.Array:
        """Texts, with @names and quotations put in front where an answer shows its target so."""
        text = self.pool.texts.take(pa.array(content.text, mask=content.text == NO_TEXT))
        for evidence in (MENTION, QUOTE):
            here = rows.evidence == evidence
            if here.any():
                text = pc.replace_with_mask(
                    text, pa.array(here), self._aimed(rows, content, here)
                )
        return text

    def _aimed(self, rows: Rows, content: Content, here: Array) -> pa.Array:
        own = self.pool.texts.take(pa.array(content.text[here]))
        target = rows.target[here]
        code = self.accounts.name_codes(rows.account[target], rows.at[target])
        name = self.accounts.names.take(pa.array(code))
        if rows.evidence[here][0] == MENTION:
            return pc.binary_join_element_wise("@", name, "\u2005", own, "")
        code = content.text[target]
        quoted = self.pool.texts.take(pa.array(code, mask=code == NO_TEXT))
        quoted = pc.fill_null(quoted, "[图片]")
        return pc.binary_join_element_wise(
            "「", name, "：", quoted, "」\n- - - - - - - - - -\n", own, ""
        )

    def _media(self, random: Random, content: Content) -> dict[str, pa.Array]:
        kind, n = content.kind, len(content.kind)
        file = kind == KINDS.index("file")
        timed = (kind == KINDS.index("voice")) | (kind == KINDS.index("video"))
        heavy = timed | file | (kind == KINDS.index("image"))
        size = random.integers(20_000, 900_000, n)
        return {
            "media_name": pa.array(FILES).take(pa.array(size % len(FILES), mask=~file)),
            "media_type": self.media.take(pa.array(kind)),
            "media_bytes": pa.array(size, mask=~heavy),
            "media_seconds": pa.array((size % 590 + 10) / 10, mask=~timed),
        }


def _constant(word: str, n: int) -> pa.Array:
    return pa.array([word]).take(pa.array(np.zeros(n, np.int8)))


def _lists(values: pa.Array, target: Array, here: Array) -> pa.Array:
    """One-item lists of the value at `target` where `here`, null elsewhere."""
    ends = offsets(here.astype(np.int64)).astype(np.int32)
    mask = pa.array(~here)
    items = values.take(pa.array(target[here]))
    return pa.ListArray.from_arrays(pa.array(ends), items, mask=mask)


def _reactions(random: Random, rows: Rows) -> pa.Array:
    """One or two kinds of reaction on some messages; more on campaigns and KOC talk."""
    n = len(rows)
    liked = (rows.campaign >= 0) | ((rows.tone == KOC_TONE) & (rows.klass != BRAND))
    dice = random.random(n, np.float32)
    here = (dice < np.where(liked, REACTED_MORE, REACTED)) & (rows.klass != SYSTEM)
    many = np.where(here, 1 + (dice * 1e4).astype(np.int64) % 2, 0)
    total = int(many.sum())
    place = (np.arange(total) + (random.random(total) < 0.5)) % len(EMOJI)
    emoji = pa.array(EMOJI).take(pa.array(place))
    count = pa.array(random.geometric(0.35, total).astype(np.int32))
    items = pa.StructArray.from_arrays([emoji, count], fields=list(REACTIONS.value_type))
    return pa.ListArray.from_arrays(
        pa.array(offsets(many).astype(np.int32)), items, mask=pa.array(~here)
    )

"""One small export of every format, as its platform writes it, with something odd inside."""

from __future__ import annotations

import io
import json
from collections.abc import Callable

import pyarrow as pa
import pyarrow.parquet as pq

SECOND = 1_707_786_300  # 2024-02-13 01:05 UTC
PEOPLE = ("Ann", "Bob", "小红")

Files = dict[str, bytes]


def chat(lines: int = 40, first: int = 0) -> str:
    """A WhatsApp text; lines `first` and later of one long chat, several a minute."""
    return "".join(
        f"{13 + n // 2880:02d}/02/2024, {n // 120 % 24:02d}:{n // 2 % 60:02d} - "
        f"{PEOPLE[n * n % 3]}: {'hello' if n % 3 else '你好'} {n % 7}\n"
        for n in range(first, first + lines)
    )


def irc(lines: int = 40, first: int = 0) -> str:
    return "".join(
        f"[{n // 120 % 24:02d}:{n // 2 % 60:02d}] <{'ann' if n % 3 else 'bob'}> hello {n % 5}\n"
        for n in range(first, first + lines)
    )


def table(rows: int = 40, first: int = 0) -> bytes:
    """Parquet with columns that people have."""
    numbers = range(first, first + rows)
    columns = {
        "group": ["tea" if n % 2 else "茶" for n in numbers],
        "time": [SECOND + 50 * n for n in numbers],
        "sender": [PEOPLE[n % 3] for n in numbers],
        "text": [f"hello {n % 5}" for n in numbers],
    }
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out, row_group_size=max(rows // 3, 1))
    return out.getvalue()


def _json(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


def _lines(*records: object) -> bytes:
    return b"".join(r if isinstance(r, bytes) else _json(r) + b"\n" for r in records)


def _whatsapp() -> Files:
    more = "13/02/2024, 23:10 - Bob: one\ntwo\n\nfour\n13/02/2024, 23:11 - Cy left\n"
    return {"_chat.txt": ("an odd first line\n" + chat(20) + more).encode()}


def _irc() -> Files:
    more = "[23:00] *** lila joined\n\nan odd line\n[23:02] *** lila left\n"
    return {"2024-02-13.log": (irc(20) + more).encode()}


def _irssi() -> Files:
    text = (
        "--- Log opened Wed Oct 17 09:16:51 2012\n09:16 -!- Tv_ [~tv@host] has joined #tea\n"
        "09:17 <@sage> good morning\n09:17 < joao> hi\n\nan odd line\n"
        "--- Day changed Thu Oct 18 2012\n00:03 -!- joao [~j@host] has left #tea [bye]\n"
    )
    return {"#tea.log": text.encode()}


def _supybot() -> Files:
    stamp = "2012-10-17T09:16:5"
    text = (
        f"{stamp}1+0000  *** Tv_ has joined #tea\n{stamp}2+0000  <joao&gt; hi\n"
        f"{stamp}3+0000  * joao waves\nan odd line\n{stamp}4  <ann> \n"
    )
    return {"#tea.2012-10-17.log": text.encode()}


def _weechat() -> Files:
    text = (
        "2012-10-17 09:16:51\t-->\tann (~a@host) has joined #tea\n"
        "2012-10-17 09:16:52\t@ann\thi\tthere\nan odd line\n2012-10-17 09:16:53\t *\tann waves\n"
    )
    return {"irc.oftc.#tea.weechatlog": text.encode()}


def _telegram() -> Files:
    said = {"type": "message", "date_unixtime": str(SECOND), "from": "Ann", "from_id": "user1"}
    came = {
        "type": "service",
        "actor": "Bob",
        "actor_id": "user2",
        "action": "join_group_by_link",
    }
    messages = [
        said | {"id": 1, "text": "hi"},
        came | {"id": 2, "date_unixtime": str(SECOND), "inviter": "Group"},
        {"id": 3, "type": "message", "text": "no time"},
        7,
    ]
    head = {"name": "茶", "type": "private_supergroup", "id": 1}
    return {"result.json": _json(head | {"messages": messages})}


def _discord() -> Files:
    hi = {
        "id": "1", "type": "Default", "timestamp": "2024-02-13T09:05:00.1+08:00",
        "content": "hi", "author": {"id": "9", "name": "ann", "isBot": False},
        "attachments": [], "reactions": [], "mentions": [],
    }  # fmt: skip
    document = {
        "guild": {"id": "5", "name": "G"},
        "channel": {"id": "2", "type": "GuildTextChat", "categoryId": "3", "name": "tea"},
        "messages": [hi, hi | {"id": "2", "timestamp": "never"}, None],
        "messageCount": 3,
    }
    return {"tea.json": _json(document)}


def _discord_csv() -> Files:
    text = (
        "AuthorID,Author,Date,Content,Attachments,Reactions\n"
        "9,ann,2024-02-13T09:05:00.0000000+08:00,hi,,\n"
        '8,bob,2024-02-13T09:06:00.0000000+08:00,"two\nlines",,\n7,cy,never,x,,\n'
    )
    return {"Guild - c - tea [2].csv": text.encode()}


def _slack() -> Files:
    users = [{"id": "U1", "name": "ann", "profile": {"display_name": "Ann"}}]
    channels = [{"id": "C1", "name": "tea", "members": ["U1"]}]
    hi = {"type": "message", "user": "U1", "text": "hi", "ts": "1736478630.905399"}
    join = hi | {"subtype": "channel_join", "ts": "1736478631.000100"}
    day = [hi, join, hi | {"ts": "never"}, "odd"]
    return {
        "export/users.json": _json(users),
        "export/channels.json": _json(channels),
        "export/tea/2025-01-10.json": _json(day),
    }


def _zulip() -> Files:
    said = {"content": "<p>hi</p>", "sender_full_name": "Ann", "timestamp": SECOND}
    records = [said | {"id": 1}, said | {"id": 2, "timestamp": None}, said | {"id": 3}]
    return {"zulip_json/113489-new-members/Saying.20hi.json": _json(records)}


def _matrix() -> Files:
    event = {"sender": "@ann:hs", "origin_server_ts": SECOND * 1000, "room_id": "!tea:hs"}
    said = {"type": "m.room.message", "content": {"msgtype": "m.text", "body": "hi"}}
    came = {"type": "m.room.member", "state_key": "@bob:hs", "content": {"membership": "join"}}
    events = [
        event | said | {"event_id": "$1"},
        event | came | {"event_id": "$2"},
        event | said | {"event_id": "$3", "origin_server_ts": "never"},
    ]
    head = {
        "room_name": "Tea",
        "room_creator": "@ann:hs",
        "topic": "",
        "exported_by": "@ann:hs",
    }
    return {"export.json": _json(head | {"export_date": "1/1/2025", "messages": events})}


def _wecom() -> Files:
    said = {
        "action": "send", "from": "ZhangSan", "tolist": ["wmA", "LiSi"], "roomid": "wr1",
        "msgtime": SECOND * 1000, "msgtype": "text", "text": {"content": "hi"},
    }  # fmt: skip
    return {
        "wecom.json": _json([said | {"msgid": "1"}, said | {"msgid": "2", "msgtime": None}])
    }


def _wechat() -> Files:
    said = {
        "time": "2024-02-13T09:05:00+08:00", "talker": "123@chatroom", "talkerName": "福利群",
        "isChatRoom": True, "sender": "wxid_a", "senderName": "小红", "isSelf": False,
        "type": 1, "subType": 0, "content": "好的",
    }  # fmt: skip
    return {"chatlog.json": _json([said | {"seq": 1}, said | {"seq": 2, "time": "never"}])}


def _wechat_csv() -> Files:
    text = (
        "Time,SenderName,Sender,TalkerName,Talker,Content\n"
        '2024-02-13 09:05:00,小红,wxid_a,福利群,1@chatroom,"好\n的"\nnever,a,b,c,d,e\n'
    )
    return {"chatlog.csv": text.encode()}


def _weflow() -> Files:
    said = {
        "localId": 1, "createTime": SECOND, "formattedTime": "2024-02-13 09:05:00",
        "type": "文本消息", "localType": 1, "content": "好的", "isSend": 0,
        "senderUsername": "wxid_a", "senderDisplayName": "小红",
    }  # fmt: skip
    session = {"wxid": "1@chatroom", "nickname": "福利群", "type": "群聊"}
    head = {"weflow": {"version": "1.0.3"}, "session": session}
    return {"weflow.json": _json(head | {"messages": [said, said | {"createTime": None}]})}


def _qq_txt() -> Files:
    text = (
        "消息记录（此消息记录为文本格式，不支持重新导入）\n\n"
        "================================================================\n"
        "消息分组:我的群聊\n"
        "================================================================\n"
        "消息对象:福利群\n"
        "================================================================\n\n"
        "2019-07-16 18:15:05 地瓜(23333)\n好的\n第二行\n\n2019-07-16 18:15:06 甲(1)\n[图片]\n\n"
    )
    return {"福利群.txt": text.encode()}


def _qq_json() -> Files:
    content = {"text": "好", "elements": [{"type": "text", "data": {"text": "好"}}]}
    said = {
        "id": "1", "seq": "1", "timestamp": SECOND * 1000, "type": "text", "content": content,
        "sender": {"uid": "u_x", "uin": "12345", "name": "A"}, "recalled": False,
        "system": False,
    }  # fmt: skip
    head = {
        "metadata": {"name": "QQChatExporter V5"},
        "chatInfo": {"name": "福利群", "type": "group"},
    }
    return {
        "qq.json": _json(head | {"messages": [said, said | {"id": "2", "timestamp": None}]})
    }


def _chatlab() -> Files:
    head = {
        "chatlab": {"version": "0.0.2", "exportedAt": SECOND},
        "meta": {
            "name": "茶友群",
            "platform": "WeChat",
            "type": "group",
            "groupId": "1@chatroom",
        },
        "members": [{"platformId": "a", "accountName": "张三"}],
    }
    hi = {"sender": "a", "timestamp": SECOND, "type": 0, "content": "大家好"}
    return {"chatlab.json": _json(head | {"messages": [hi, hi | {"timestamp": None}]})}


def _convokit() -> Files:
    hi = {
        "id": "u1", "speaker": "ann", "conversation_id": "c1", "reply_to": None,
        "timestamp": SECOND, "text": "hi", "meta": {},
    }  # fmt: skip
    lines = _lines(hi, hi | {"id": "u2", "timestamp": None}, b"\n", b"not json\n")
    return {"corpus/utterances.jsonl": lines}


def _tabular() -> Files:
    text = 'time,sender,text\n2024-02-13T09:05:00Z,a,"two\nlines"\nnever,b,x\n,,\n1,2,3,4\n'
    return {"tea.csv": text.encode()}


EXPORTS: dict[str, Callable[[], Files]] = {
    "zulip": _zulip,
    "matrix": _matrix,
    "whatsapp": _whatsapp,
    "wecom": _wecom,
    "wechat_csv": _wechat_csv,
    "weflow": _weflow,
    "wechat": _wechat,
    "qq_txt": _qq_txt,
    "qq_json": _qq_json,
    "irc": _irc,
    "irssi": _irssi,
    "supybot": _supybot,
    "weechat": _weechat,
    "telegram": _telegram,
    "discord": _discord,
    "discord_csv": _discord_csv,
    "slack": _slack,
    "chatlab": _chatlab,
    "convokit": _convokit,
    "tabular": _tabular,
}
"""By name of the importer: the files of an export, by path."""

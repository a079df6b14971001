"""What WeChat and QQ write about joining and leaving."""

from __future__ import annotations

import pytest

from qunluo.archive.importers.base import Rows
from qunluo.archive.importers.chinese_notices import read_notice
from qunluo.archive.importers.named_people import NamedEvents, People, called_names


@pytest.mark.parametrize(
    ("text", "kind", "subjects", "actor"),
    [
        ('"小红"邀请"小明、小刚"加入了群聊', "join", ("小明", "小刚"), "小红"),
        ('"小红"邀请"小明"、"小刚"加入了群聊', "join", ("小明", "小刚"), "小红"),
        ('"小红"邀请你加入了群聊，群聊参与人还有：甲、乙', "join", ("你",), "小红"),
        ('你邀请"小明"加入了群聊', "join", ("小明",), "你"),
        ('"小明"通过扫描"小红"分享的二维码加入群聊', "join", ("小明",), "小红"),
        ('"A" invited "B" to the group chat', "join", ("B",), "A"),
        ('"B" joined the group chat via the QR Code shared by "A"', "join", ("B",), "A"),
        ("小明加入了群聊", "join", ("小明",), None),
        ("小红邀请小明加入了本群。", "join", ("小明",), "小红"),
        ("加入了群聊", "join", (), None),
        ('"小明"退出了群聊', "leave", ("小明",), None),
        ("小明退出了本群", "leave", ("小明",), None),
        ('"小红"将"小明"移出了群聊', "remove", ("小明",), "小红"),
        ('你被"小红"移出群聊', "remove", ("你",), "小红"),
        ("小明被移出群聊", "remove", ("小明",), None),
        ("小明被管理员小红移出本群", "remove", ("小明",), "小红"),
        ('You removed "B" from the group chat', "remove", ("B",), "你"),
        ("小红撤回了一条消息", "notice", (), "小红"),
        ('"小红" 拍了拍 "小明"', "notice", (), "小红"),
        ("欢迎小明加入本群", "notice", (), None),
        ("红包已被领取", "notice", (), None),
    ],
)
def test_it_reads_who_did_what_to_whom(
    text: str, kind: str, subjects: tuple[str, ...], actor: str | None
) -> None:
    notice = read_notice(text)
    assert (notice.kind, notice.subjects, notice.actor) == (kind, subjects, actor)


def test_a_renamed_group_tells_its_new_name() -> None:
    assert read_notice('"小红"修改群名为“福利 1 群”').new_name == "福利 1 群"


def test_an_event_finds_the_account_that_bears_the_name_even_if_it_speaks_later() -> None:
    rows, people = Rows("wechat"), People()
    events = NamedEvents(rows, people)
    events.add(
        '"小红"邀请"小明、路人"加入了群聊', {"group_id": "g", "at": 0, "zone_known": "utc"}
    )
    people.seen("wxid_ming", "小明")
    people.seen("wxid_hong", "小红")
    events.release()
    found = rows.take()
    told = [(e["subject_id"], e["inviter_id"]) for e in found.events.to_pylist()]
    assert told == [("wxid_ming", "wxid_hong"), ("name:路人", "wxid_hong")]
    assert found.tally.events == 1


def test_a_name_of_two_accounts_is_nobodys() -> None:
    people = People()
    people.seen("a", "小明")
    people.seen("b", "小明")
    people.seen("a", "小明")
    assert people.id_of("小明") == "name:小明"


def test_whoever_made_the_export_is_called_you() -> None:
    people = People()
    assert people.id_of("你") == "name:你"
    people.own_id = "wxid_me"
    assert people.id_of("你") == "wxid_me"


def test_mentions_end_with_their_special_space() -> None:
    assert called_names("@小红\u2005@小 明\u2005 好 a@b.c @x") == ["小红", "小 明"]

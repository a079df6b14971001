"""IRC logs: every style and its traps, each in a few lines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from qunluo.archive.importers import FORMATS, importer
from qunluo.archive.importers.base import Importer, Options
from qunluo.archive.importers.irc import BracketedIrc
from qunluo.archive.importers.irc_lines import UndatedLogError, group_of
from qunluo.archive.importers.irssi import Irssi
from qunluo.archive.importers.lines import TOO_LONG
from qunluo.archive.importers.supybot import Supybot
from qunluo.archive.importers.weechat import Weechat
from tests.archive.sources_builder import Memory, Taken, take, text_file

RAKU = text_file(
    "logs/perl6/2015/2015-05-06",
    "[00:00] <piku> hi there",
    "",
    "[00:01] * piku waves",
    "[00:01] *** lila joined",
    "[00:02] *** lila left",
    "[00:02] *** piku is now known as piku_away",
    "[00:03] *** ChanServ sets mode: +o piku_away",
    "[00:03] *** spam was kicked by piku_away (out))",
    "[00:04] *** piku_away changes topic to: tea: now",
)
UBUNTU = text_file(
    "irc_ubuntu_cc/data/dev/2005-06-27_12.raw.txt",
    "=== early [host_1] has joined #ubuntu",
    "[09:19] <fapa> hello",
    "=== kaha [host_2] has joined #ubuntu",
    '=== kaha [host_2] has left #ubuntu ["Bye"]',
    "=== mamu is now known as nihubo",
    "=== pejivu [+o nalioth] by ChanServ",
    "[10:00]  * judide prefers tea",
    "[10:05] -vosubi- an unwanted notice",
)
ZNC = text_file(
    "znc/moddata/log/libera/#tea/2015-05-06.log",
    "[12:00:01] *** Joins: ann (~a@host)",
    "[12:00:02] <ann> hi",
    "[12:00:03] *** Parts: ann (~a@host) (bye)",
    "[12:00:04] *** Quits: bob (~b@host) (Ping timeout: 240 seconds)",
    "[12:00:05] *** cy is now known as di",
    "[12:00:06] *** cy was kicked by ann (rude)",
    "[12:00:07] * ann dances",
)
IRSSI = text_file(
    "freenode/#ceph.log",
    "--- Log opened Wed Oct 17 09:16:51 2012",
    "09:16 -!- Tv_ [~tv@host] has joined #ceph",
    "09:17 <@sage> good morning",
    "09:17 < joao> hi",
    "09:18  * joao waves",
    "23:59 -!- Tv_ [~tv@host] has quit [Ping timeout: 1]",
    "--- Day changed Thu Oct 18 2012",
    "00:00 -!- joao is now known as joao_",
    "00:01 -!- mode/#ceph [+o sage] by ChanServ",
    "00:02 -!- spam was kicked from #ceph by sage [out]",
    "00:03 -!- joao_ [~j@host] has left #ceph [bye]",
    "--- Log closed Thu Oct 18 00:04:00 2012",
)
WEECHAT = text_file(
    "irc.oftc.#tea.weechatlog",
    "2012-10-17 09:16:51\t-->\tann (~a@host) has joined #tea",
    "2012-10-17 09:16:52\t@ann\thi\tthere",
    "2012-10-17 09:16:53\t *\tann waves",
    "2012-10-17 09:16:54\t--\tann is now known as ann_",
    "2012-10-17 09:16:55\t<--\tann_ (~a@host) has quit (Quit: bye)",
    "2012-10-17 09:16:56\t<--\tbob (~b@host) has left #tea",
    "2012-10-17 09:16:57\t<--\top has kicked cy (rude)",
    "2012-10-17 09:16:58\t--\tMode #tea [+o ann] by op",
)
SUPYBOT = text_file(
    "ceph/2012-10-17.log",
    "2012-10-17T09:16:51+0000  *** Tv_ has joined #ceph",
    "2012-10-17T09:16:52+0000  <joao&gt; a &lt; b &amp; c",
    "2012-10-17T09:16:53+0200  <sage> later zone, earlier instant",
    "2012-10-17T09:16:54  <sage> no zone",
    "2012-10-17T09:16:55+0000  <sage> ",
    "2012-10-17T09:16:56+0000  * sage waves",
    "2012-10-17T09:16:57+0000  *** Tv_ has quit IRC",
    "2012-10-17T09:16:58+0000  *** joao is now known as joao_",
    "2012-10-17T09:16:59+0000  *** joao_ <~j@host> has left #ceph (bye)",
)
ALL: list[tuple[Importer, Memory]] = [
    (BracketedIrc(), RAKU),
    (BracketedIrc(), UBUNTU),
    (BracketedIrc(), ZNC),
    (Irssi(), IRSSI),
    (Weechat(), WEECHAT),
    (Supybot(), SUPYBOT),
]


def told(taken: Taken) -> list[tuple[object, object, object]]:
    return [(m["sender_id"], m["kind"], m["text"]) for m in taken.messages]


def happened(taken: Taken) -> list[tuple[object, object]]:
    return [(e["kind"], e["subject_id"]) for e in taken.events]


def times(taken: Taken) -> list[str]:
    return [f"{m['sent_at']:%d %H:%M:%S}" for m in taken.messages]


def test_it_reads_raku_logs_and_counts_the_empty_line_after_each_message() -> None:
    taken = take(BracketedIrc(), RAKU)
    assert told(taken) == [("piku", "text", "hi there"), ("piku", "action", "waves")]
    assert happened(taken) == [
        ("join", "lila"),
        ("leave", "lila"),
        ("rename", "piku"),
        ("notice", None),
        ("remove", "spam"),
        ("notice", None),
    ]
    assert (taken.tally.lines, taken.tally.blank) == (9, 1)
    assert taken.events[2]["new_name"] == "piku_away"
    assert taken.events[4]["actor_id"] == "piku_away"
    assert taken.events[5]["text"] == "tea: now"


def test_the_date_and_the_group_of_a_daily_log_come_from_its_path() -> None:
    taken = take(BracketedIrc(), RAKU)
    assert taken.messages[0]["sent_at"] == datetime(2015, 5, 6, 0, 0, tzinfo=UTC)
    assert {m["group_id"] for m in taken.messages} == {"perl6"}
    assert {m["zone_known"] for m in taken.messages} == {"assumed"}


def test_ubuntu_lines_without_a_time_take_that_of_the_line_before() -> None:
    taken = take(BracketedIrc(), UBUNTU)
    assert [(e["kind"], f"{e['at']:%H:%M}", e["zone_known"]) for e in taken.events] == [
        ("join", "09:19", "inferred"),  # before the first time: that of the first
        ("join", "09:19", "inferred"),
        ("leave", "09:19", "inferred"),
        ("rename", "09:19", "inferred"),
        ("notice", "09:19", "inferred"),
    ]
    assert told(taken)[1] == ("judide", "action", "prefers tea")


def test_a_log_of_ubuntu_events_alone_lies_at_the_start_of_its_day() -> None:
    taken = take(BracketedIrc(), text_file("x/2005-06-27.txt", "=== a is now known as b"))
    assert taken.events[0]["at"] == datetime(2005, 6, 27, tzinfo=UTC)


def test_notices_and_unreadable_lines_are_kept_as_rejects() -> None:
    taken = take(BracketedIrc(), UBUNTU)
    assert [(r.line, r.content) for r in taken.rejects] == [
        (8, "[10:05] -vosubi- an unwanted notice")
    ]


def test_a_join_of_a_damaged_nick_is_a_notice() -> None:
    line = "=== fumivo juze [i=user@host] has joined #ubuntu"
    taken = take(BracketedIrc(), text_file("x/2005-06-27.txt", "[09:19] <a> b", line))
    assert happened(taken) == [("notice", None)]
    assert taken.events[0]["text"] == line.removeprefix("=== ")


def test_it_reads_znc_logs() -> None:
    taken = take(BracketedIrc(), ZNC)
    assert told(taken) == [("ann", "text", "hi"), ("ann", "action", "dances")]
    assert happened(taken) == [
        ("join", "ann"),
        ("leave", "ann"),
        ("leave", "bob"),
        ("rename", "cy"),
        ("remove", "cy"),
    ]
    assert taken.messages[0]["group_name"] == "#tea"
    assert times(taken) == ["06 12:00:02", "06 12:00:07"]


def test_irssi_puts_the_date_in_separate_lines() -> None:
    taken = take(Irssi(), IRSSI)
    assert told(taken) == [
        ("sage", "text", "good morning"),
        ("joao", "text", "hi"),
        ("joao", "action", "waves"),
    ]
    assert [(e["kind"], f"{e['at']:%d %H:%M}") for e in taken.events] == [
        ("join", "17 09:16"),
        ("leave", "17 23:59"),
        ("rename", "18 00:00"),
        ("notice", "18 00:01"),
        ("remove", "18 00:02"),
        ("leave", "18 00:03"),
    ]
    assert taken.tally.header == 3


@pytest.mark.parametrize(
    ("opened", "changed"),
    [
        ("Mi Okt 31 09:16:51 2012", "Do Nov 01 2012"),
        ("Wed Oct 31 09:16:51 2012", "jeu. nov. 01 2012"),
        ("三 10月 31 09:16:51 2012", "四 11月 01 2012"),
        ("Wed Oct 31 09:16:51 2012", "чт ноя 01 2012"),
    ],
)
def test_irssi_names_months_in_the_language_of_its_user(opened: str, changed: str) -> None:
    source = text_file(
        "2012-10-31.log",
        f"--- Log opened {opened}",
        "23:59 < a> late",
        f"--- Day changed {changed}",
        "00:00 < a> early",
    )
    assert times(take(Irssi(), source)) == ["31 23:59:00", "01 00:00:00"]


def test_a_day_that_cannot_be_told_is_never_guessed() -> None:
    source = text_file("#tea.log", "--- Log opened чт ноя 01 09:00:00 2012", "09:00 < a> hi")
    with pytest.raises(UndatedLogError, match="date"):
        take(Irssi(), source)


def test_it_reads_weechat_logs() -> None:
    taken = take(Weechat(), WEECHAT)
    assert told(taken) == [("ann", "text", "hi\tthere"), ("ann", "action", "waves")]
    assert happened(taken) == [
        ("join", "ann"),
        ("rename", "ann"),
        ("leave", "ann_"),
        ("leave", "bob"),
        ("remove", "cy"),
        ("notice", None),
    ]
    assert taken.messages[0]["group_id"] == "#tea"


def test_supybot_may_state_the_zone_line_by_line() -> None:
    taken = take(Supybot(), SUPYBOT, Options(zone=timezone(timedelta(hours=8))))
    assert times(taken)[:3] == ["17 09:16:52", "17 07:16:53", "17 01:16:54"]
    assert [m["zone_known"] for m in taken.messages][:3] == ["offset", "offset", "assumed"]


def test_supybot_escapes_are_undone_and_empty_messages_kept() -> None:
    taken = take(Supybot(), SUPYBOT)
    assert told(taken)[0] == ("joao", "text", "a < b & c")
    assert told(taken)[3] == ("sage", "text", "")
    assert happened(taken) == [
        ("join", "Tv_"),
        ("leave", "Tv_"),
        ("rename", "joao"),
        ("leave", "joao_"),
    ]


def test_times_are_of_the_zone_the_user_gave() -> None:
    taken = take(BracketedIrc(), RAKU, Options(zone=ZoneInfo("Asia/Shanghai")))
    assert taken.messages[0]["sent_at"] == datetime(2015, 5, 5, 16, 0, tzinfo=UTC)
    summer = text_file("x/2015-03-29.log", "[01:30] <a> before", "[03:30] <a> after")
    taken = take(BracketedIrc(), summer, Options(zone=ZoneInfo("Europe/Berlin")))
    assert times(taken) == ["29 00:30:00", "29 01:30:00"]


def test_a_log_without_any_date_is_refused() -> None:
    with pytest.raises(UndatedLogError, match="2024-05-06"):
        take(BracketedIrc(), text_file("chat.log", "[00:00] <a> b"))


def test_a_day_that_does_not_exist_rejects_the_line() -> None:
    taken = take(Weechat(), text_file("x.log", "2012-02-31 09:16:51\tann\thi"))
    assert len(taken.rejects) == 1


@pytest.mark.parametrize(
    ("path", "group", "day"),
    [
        ("logs/perl6/2015/2015-05-06", "perl6", 6),
        ("%23chan_20150506.log", "#chan", 6),
        ("#chan.2015-05-06.log", "#chan", 6),
        ("znc/default_#Chan_20150506.log", "#Chan", 6),
        ("oftc/#chan/2015/05/06.log", "#chan", 6),
        ("chan-2015-05-06.log", "chan", 6),
        ("irc_ubuntu_cc/data/train-a/2015-05-06_12.raw.txt", "irc_ubuntu_cc", 6),
        ("2015/2015-05-06.txt", "irc", 6),
    ],
)
def test_paths_name_the_group_and_the_day(path: str, group: str, day: int) -> None:
    taken = take(BracketedIrc(), text_file(path, "[00:00] <a> b"))
    assert taken.messages[0]["group_name"] == group
    assert taken.messages[0]["group_id"] == group.lower()
    assert times(taken) == [f"0{day} 00:00:00"]


def test_the_name_that_the_user_gives_wins() -> None:
    assert group_of(RAKU, Options(group="茶友群")) == "茶友群"


def test_nicks_are_exact_and_bridged_users_stay_under_the_bridge() -> None:
    source = text_file(
        "x/2015-05-06",
        "[00:00] <Ann> a",
        "[00:00] <ann> b",
        "[00:00] <disbot> <alice> from the other side",
        "[00:00] <[Tux]> nicks may hold brackets",
    )
    assert [(s, t) for s, _, t in told(take(BracketedIrc(), source))] == [
        ("Ann", "a"),
        ("ann", "b"),
        ("disbot", "<alice> from the other side"),
        ("[Tux]", "nicks may hold brackets"),
    ]


def test_colours_and_bold_are_taken_out_of_the_text() -> None:
    source = text_file("x/2015-05-06", "[00:00] <a> \x0304,01red\x03 and \x02bold\x02 1")
    assert told(take(BracketedIrc(), source))[0][2] == "red and bold 1"


def test_a_line_without_bound_is_rejected() -> None:
    raw = b"[00:00] <a> b\n[00:01] <a> " + b"x" * (17 << 20) + b"\n[00:02] <a> c\n"
    taken = take(BracketedIrc(), Memory("x/2015-05-06", raw))
    assert [r.reason for r in taken.rejects] == [TOO_LONG]
    assert len(taken.messages) == 2


def test_latin1_bytes_do_not_lose_the_line() -> None:
    raw = "[00:00] <a> é\n[00:00] <a> ü\n[00:00] <a> ö\n".encode() + b"[00:01] <a> na\xefve\n"
    taken = take(BracketedIrc(), Memory("x/2015-05-06", raw))
    assert [t for _, _, t in told(taken)] == ["é", "ü", "ö", "na\ufffdve"]


@pytest.mark.parametrize(("reader", "source"), ALL)
def test_each_style_is_told_from_the_others_by_content(
    reader: Importer, source: Memory
) -> None:
    scores = {
        name: importer(name).sniff(source.content, source)
        for name in ("irc", "irssi", "weechat", "supybot")
    }
    assert max(scores, key=lambda name: scores[name]) == reader.name
    assert sum(score > 0 for score in scores.values()) == 1


NOT_CHAT = [
    "Attribution 4.0 International\n\n=======================================================\n"
    "=== a line of a licence\nCreative Commons is not a law firm\n" * 20,
    "1000 1002 -\n1001 1002 -\n1003 1003 -\n" * 20,
    "a,b,c\n1,2,3\n",
    "[13/02/2024, 09:05:11] Ann: hi\n" * 5,
    "",
]


@pytest.mark.parametrize("content", NOT_CHAT)
def test_what_is_no_irc_log_is_not_claimed(content: str) -> None:
    source = Memory("data/LICENSE-2015-05-06.txt", content.encode())
    for name in ("irc", "irssi", "weechat", "supybot"):
        assert importer(name).sniff(source.content, source) == 0


def test_the_styles_are_registered() -> None:
    assert {"irc", "irssi", "weechat", "supybot"} <= FORMATS.keys()

"""WhatsApp text exports: media, zones, groups, damage, and whole conversations."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qunluo.archive.importers.base import Tally
from qunluo.archive.importers.whatsapp import blocks, reading, words
from qunluo.kit.errors import QunluoError
from tests.archive.whatsapp_reading import LRM, Read, utc


@pytest.mark.parametrize("phrase", sorted(set(words.MEDIA_OMITTED)))
def test_media_left_out_is_known_in_every_language(phrase: str) -> None:
    read = Read(f"13/02/2024, 09:05 - Ann: <{phrase}>\n")
    assert (read.only["raw_kind"], read.only["text"]) == ("media omitted", None)


MEDIA_WORDS = [
    *(("image", phrase) for phrase in words.IMAGE_OMITTED),
    *(("video", phrase) for phrase in words.VIDEO_OMITTED),
    *(("voice", phrase) for phrase in words.AUDIO_OMITTED),
    *(("sticker", phrase) for phrase in words.STICKER_OMITTED),
    *(("gif", phrase) for phrase in words.GIF_OMITTED),
    *(("contact", phrase) for phrase in words.CONTACT_OMITTED),
    *(("file", phrase) for phrase in words.DOCUMENT_OMITTED),
    *(("location", phrase) for phrase in words.LIVE_LOCATION),
    *(("recalled", phrase) for phrase in words.DELETED),
]


def test_placeholders_of_iphones_are_known_in_every_language() -> None:
    lines = [f"[13/02/2024, 09:05:11] Ann: {LRM}{phrase}\n" for _, phrase in MEDIA_WORDS]
    read = Read("".join(lines))
    told = {(m["kind"], row) for row, m in enumerate(read.messages)}
    assert told == {(kind, row) for row, (kind, _) in enumerate(MEDIA_WORDS)}


def test_placeholders_are_known_without_marks_and_with_a_stop() -> None:
    read = Read(
        "13/02/2024, 09:05 - Ann: This message was deleted\n"
        "13/02/2024, 09:05 - Ann: You deleted this message.\n"
        "13/02/2024, 09:05 - Ann: image omitted\n"
        "13/02/2024, 09:05 - Ann: he said image omitted yesterday\n"
    )
    assert [m["kind"] for m in read.messages] == ["recalled", "recalled", "image", "text"]
    assert [m["revoked"] for m in read.messages] == [True, True, False, False]


@pytest.mark.parametrize(
    ("body", "kind", "name", "text"),
    [
        ("IMG-20240213-WA0001.jpg (file attached)", "image", "IMG-20240213-WA0001.jpg", None),
        ("VID-20240213-WA0001.mp4 (archivo adjunto)", "video", "VID-20240213-WA0001.mp4", None),
        ("PTT-20240213-WA0001.opus (文件附件)", "voice", "PTT-20240213-WA0001.opus", None),
        ("STK-20240213-WA0001.webp (file attached)", "sticker", "STK-20240213-WA0001.webp", None),
        ("IMG-20240213-WA0001.jpg (quux blah)", "image", "IMG-20240213-WA0001.jpg", None),
        ("Price list.pdf (Datei angehängt)", "file", "Price list.pdf", None),
        ("Ann.vcf (fichier joint)", "contact", "Ann.vcf", None),
        ("IMG-20240213-WA0001.jpg (file attached)\nlook here", "image",
         "IMG-20240213-WA0001.jpg", "look here"),
        (f"{LRM}<attached: 00000001-PHOTO-2024-02-13-09-05-11.jpg>", "image",
         "00000001-PHOTO-2024-02-13-09-05-11.jpg", None),
        (f"{LRM}<pièce jointe : 00000001-AUDIO-2024-02-13-09-05-11.opus>".replace(" :", ":"),
         "voice", "00000001-AUDIO-2024-02-13-09-05-11.opus", None),
        (f"{LRM}<blah: 00000002-GIF-2024-02-13-09-05-11.mp4>", "gif",
         "00000002-GIF-2024-02-13-09-05-11.mp4", None),
        (f"Menu.pdf • {LRM}2 pages {LRM}<附件: 00000003-Menu.pdf>", "file",
         "00000003-Menu.pdf", None),
        (f"Menu.pdf • {LRM}2 pages {LRM}document omitted", "file", "Menu.pdf", None),
    ],
)  # fmt: skip
def test_it_reads_attachments(body: str, kind: str, name: str, text: str | None) -> None:
    only = Read(f"[13/02/2024, 09:05:11] Ann: {body}\n").only
    assert (only["kind"], only["media_name"], only["text"]) == (kind, name, text)


def test_a_caption_follows_the_placeholder_of_a_picture() -> None:
    read = Read("13/02/2024, 09:05 - Ann: <Media omitted>\nnew drinks\n")
    assert (read.only["raw_kind"], read.only["text"]) == ("media omitted", "new drinks")


@pytest.mark.parametrize(
    "note", ["This message was edited", "Se editó este mensaje.", "此消息已编辑"]
)
def test_the_note_of_an_edit_is_taken_off(note: str) -> None:
    only = Read(f"13/02/2024, 09:05 - Ann: all good {LRM}<{note}>\n").only
    assert (only["text"], only["raw_kind"], only["kind"]) == ("all good", "edited", "text")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (f"{LRM}POLL:\nTea or coffee?\n{LRM}OPTION: Tea (3 votes)\n", "poll"),
        ("投票:\n喝什么\n选项: 茶 (3 票)\n", "poll"),
        ("Location: https://maps.google.com/?q=31.2,121.4", "location"),
        ("live location shared", "location"),
        ("Missed voice call", "call"),
        ("<3", "text"),
        ("he said (maybe)", "text"),
        ("list:\n1. a\n2. b", "text"),
    ],
)
def test_it_tells_polls_places_and_calls(body: str, kind: str) -> None:
    assert Read(f"[13/02/2024, 09:05:11] Ann: {body}\n").only["kind"] == kind


def test_mentions_are_marked_names_or_numbers() -> None:
    read = Read("13/02/2024, 09:05 - Ann: @\u2068~Bob B\u2069 and @8613800138000, a@b.cn\n")
    assert read.only["mentions"] == ["Bob B", "+8613800138000"]
    assert read.only["text"] == "@~Bob B and @8613800138000, a@b.cn"


# trap 6: local time


def test_local_time_is_read_in_the_users_zone_and_called_assumed() -> None:
    only = Read("13/02/2024, 09:05 - A: x\n", zone=ZoneInfo("Asia/Shanghai")).only
    assert (only["sent_at"], only["zone_known"]) == (utc(2024, 2, 13, 1, 5), "assumed")


def test_an_hour_that_comes_twice_is_the_first_and_raises_no_alarm() -> None:
    read = Read(
        "27/10/2024, 02:50 - A: x\n27/10/2024, 02:10 - A: y\n", zone=ZoneInfo("Europe/Berlin")
    )
    assert [m["sent_at"] for m in read.messages] == [
        utc(2024, 10, 27, 0, 50),
        utc(2024, 10, 27, 0, 10),
    ]
    assert read.warnings == []


def test_an_hour_that_does_not_exist_moves_forward() -> None:
    zone = ZoneInfo("Europe/Berlin")
    only = Read("31/03/2024, 02:30 - A: x\n", zone=zone).only
    assert only["sent_at"] == utc(2024, 3, 31, 1, 30)


ZONES = ["Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]


@given(st.datetimes(datetime(1980, 1, 1), datetime(2080, 1, 1)), st.sampled_from(ZONES))
@settings(max_examples=60)
def test_instants_equal_those_of_the_standard_library(at: datetime, zone: str) -> None:
    at = at.replace(second=0, microsecond=0)
    only = Read(f"{at:%Y-%m-%d %H:%M} - A: x\n", zone=ZoneInfo(zone)).only
    assert only["sent_at"] == at.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


# trap 7: caps


def test_an_export_of_forty_thousand_messages_is_said_to_look_cut_off() -> None:
    read = Read("13/02/2024, 09:05 - A: x\n" * 40_000)
    assert any("40000" in warning for warning in read.warnings)


def test_ten_thousand_messages_are_suspicious_only_with_media() -> None:
    lines = "13/02/2024, 09:05 - A: x\n" * 9_999
    assert Read(lines).warnings == []
    assert Read(
        lines + "13/02/2024, 09:05 - A: IMG-20240213-WA0001.jpg (file attached)\n"
    ).warnings


# the group's name


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("WhatsApp Chat with Tea & Co.txt", "Tea & Co"),
        ("WhatsApp Chat - 茶友会.zip/_chat.txt", "茶友会"),
        ("exports/WhatsApp Chat - Tea/_chat.txt", "Tea"),
        ("Chat de WhatsApp con Familia.txt", "Familia"),
        ("Conversa do WhatsApp com Amigos (1).txt", "Amigos"),
        ("与茶友会的 WhatsApp 聊天.txt", "茶友会"),
        ("WhatsApp Chat with G.txt.gz", "G"),
        ("mygroup.txt", "mygroup"),
        ("_chat.txt", "WhatsApp"),
    ],
)
def test_the_group_is_named_by_its_file(path: str, name: str) -> None:
    only = Read("13/02/2024, 09:05 - A: x\n", path).only
    assert (only["group_id"], only["group_name"]) == (name, name)


def test_the_users_name_for_the_group_wins() -> None:
    read = Read("13/02/2024, 09:05 - A: x\n", "WhatsApp Chat with Tea.txt", group="G1")
    assert read.only["group_id"] == "G1"


def test_an_iphone_names_the_group_as_sender_of_the_first_notice() -> None:
    read = Read(
        f"[13/02/2024, 09:05:11] Tea Club: {LRM}Messages and calls are end-to-end encrypted.\n"
        "[13/02/2024, 09:05:12] Ann: hi\n"
    )
    assert read.only["group_name"] == "Tea Club"


# nothing is lost


def test_lines_before_the_first_header_are_kept_as_rejects() -> None:
    read = Read("what is this\n\n13/02/2024, 09:05 - A: x\n")
    assert [(r.line, r.content) for r in read.rejects] == [(1, "what is this")]
    assert read.tally.blank == 1


def test_a_file_without_any_header_is_all_rejects() -> None:
    read = Read("one\n\ntwo")
    assert [(r.line, r.content) for r in read.rejects] == [(1, "one"), (3, "two")]


def test_headers_with_dates_that_do_not_exist_are_rejects_with_their_text() -> None:
    read = Read(
        "13/02/2024, 09:05 - A: x\n31/02/2024, 09:05 - A: y\nz\n14/02/2024, 09:05 - A: w\n"
    )
    assert [m["text"] for m in read.messages] == ["x", "w"]
    assert [(r.line, r.content[-1]) for r in read.rejects] == [(2, "y"), (3, "z")]


def test_an_empty_file_has_no_lines() -> None:
    assert Read("").tally == Tally()


def test_an_empty_message_is_a_message() -> None:
    read = Read("13/02/2024, 09:05 - Ann: \n13/02/2024, 09:05 - Bob:\n")
    assert [(m["sender_id"], m["text"]) for m in read.messages] == [("Ann", ""), ("Bob", "")]


def test_messages_are_whole_however_blocks_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "".join(
        f"13/02/2024, 09:{n:02d} - P{n % 3}: line {n}\nmore 好 {n}\n" for n in range(60)
    )
    whole = Read(text)
    for size in (1, 7, 64, 1000):
        monkeypatch.setattr(blocks.Blocks.__init__, "__defaults__", (size,))
        cut = Read(text)
        assert cut.messages == whole.messages
        assert cut.tally == whole.tally


def test_a_message_longer_than_the_limit_is_cut_and_its_rest_kept_as_rejects(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reading, "MESSAGE_BYTES", 200)
    monkeypatch.setattr(blocks.Blocks.__init__, "__defaults__", (64,))
    text = "13/02/2024, 09:05 - A: x\n" + "filling line\n" * 40 + "13/02/2024, 09:06 - B: y\n"
    read = Read(text)
    assert [m["sender_id"] for m in read.messages] == ["A", "B"]
    assert {r.reason for r in read.rejects} == {reading.TOO_LONG}


def test_a_line_without_end_is_cut_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "LINE_BYTES", 100)
    monkeypatch.setattr(blocks.Blocks.__init__, "__defaults__", (64,))
    read = Read("13/02/2024, 09:05 - A: " + "x" * 1000 + "\n13/02/2024, 09:06 - B: y\n")
    assert [m["sender_id"] for m in read.messages] == ["A", "B"]
    assert any("their ends were left out" in warning for warning in read.warnings)


@given(st.binary(max_size=400))
@settings(max_examples=150)
def test_any_bytes_give_rows_or_a_clear_error_and_no_line_is_lost(raw: bytes) -> None:
    for prefix in (b"", b"13/02/2024, 09:05 - A: x\n", b"[2024/2/13 09:05:11] A: x\n"):
        try:
            read = Read(prefix + raw)
        except QunluoError:
            continue
        assert read.tally.lines >= prefix.count(b"\n")


@given(st.text(alphabet='0123456789/.-, :[]\n年月APMapm上下午~\u200e"<>()@', max_size=200))
@settings(max_examples=150)
def test_anything_that_looks_like_headers_loses_no_line(text: str) -> None:
    try:
        read = Read("13/02/2024, 09:05 - A: x\n" + text)
    except QunluoError:
        return
    assert read.tally.lines == text.count("\n") + 1 + (text != "" and not text.endswith("\n"))


# any conversation, in every form

RENDER = {
    "android": "{d:%d/%m/%Y, %H:%M} - {n}: {t}",
    "android us": "{d.month}/{d.day}/{d:%y, }{h}:{d:%M} {ap} - {n}: {t}",
    "iphone": "[{d:%d/%m/%Y, %H:%M:%S}] {n}: {t}",
    "iphone us": "[{d.month}/{d.day}/{d:%y, }{h}:{d:%M:%S}\u202f{ap}] {n}: {t}",
    "iphone zh": "[{d.year}/{d.month}/{d.day} {zh}{h}:{d:%M:%S}] {n}: {t}",
    "korean": "{d.year}. {d.month}. {d.day}. {ko} {h}:{d:%M} - {n}: {t}",
    "japanese": "[{d:%Y/%m/%d} {ja}{h}:{d:%M:%S}] {n}: {t}",
    "german": "{d:%d.%m.%y, %H:%M} - {n}: {t}",
    "spanish": "{d.day}/{d.month}/{d.year}, {h}:{d:%M} {es} - {n}: {t}",
    "dutch": "{d:%d-%m-%Y %H:%M} - {n}: {t}",
    "swedish": "{d:%Y-%m-%d %H:%M} - {n}: {t}",
    "indonesian": "{d:%d/%m/%y %H.%M} - {n}: {t}",
}  # fmt: skip


def rendered(form: str, at: datetime, name: str, text: str) -> str:
    half = at.hour >= 12
    return RENDER[form].format(
        d=at, n=name, t=text, h=at.hour % 12 or 12, ap=("AM", "PM")[half],
        zh=("上午", "下午")[half], ko=("오전", "오후")[half], ja=("午前", "午後")[half],
        es=("a. m.", "p. m.")[half],
    )  # fmt: skip


LETTERS = st.characters(
    categories=["L", "M", "N", "P", "S"], exclude_characters='~<>:"“„«「『\u200f'
)
NAMES = st.text(st.characters(categories=["L"]), min_size=1, max_size=12)
LINES = st.text(st.one_of(LETTERS, st.just(" ")), min_size=1, max_size=40).filter(
    lambda line: line.strip() and not re.match(r"\W*\d", line)
)
BODIES = st.lists(LINES, min_size=1, max_size=3).map("\n".join)
TALK = st.lists(st.tuples(st.integers(0, 90_000), NAMES, BODIES), min_size=1, max_size=8)


@pytest.mark.parametrize("form", RENDER)
@given(talk=TALK)
@settings(max_examples=25)
def test_any_conversation_comes_back_as_it_was(
    form: str, talk: Iterable[tuple[int, str, str]]
) -> None:
    at, lines, expected = datetime(2024, 1, 13, 8, 0, tzinfo=UTC), [], []
    for step, name, text in talk:
        at += timedelta(seconds=step)
        shown = at if "%S" in RENDER[form] else at.replace(second=0)
        lines.append(rendered(form, at, name, text))
        expected.append((shown, name, text))
    read = Read("\n".join(lines) + "\n")
    known = [m for m in read.messages if m["kind"] == "text"]
    assert len(read.messages) == len(expected)
    assert [(m["sent_at"], m["sender_name"], m["text"]) for m in known] == [
        row for row, m in zip(expected, read.messages, strict=True) if m["kind"] == "text"
    ]
    assert read.tally.messages + read.tally.continuation == read.tally.lines

"""WhatsApp text exports: every header form, every trap, and no line lost."""

from __future__ import annotations

import pytest

from qunluo.archive.importers import FORMATS, importer
from qunluo.archive.importers.whatsapp import WhatsApp, words
from qunluo.archive.importers.whatsapp.notices import NoticeReader
from qunluo.archive.importers.whatsapp.stamps import (
    AmbiguousDatesError,
    WrongDateOrderError,
    half_of,
    second_of_day,
)
from tests.archive.builders import memory_source
from tests.archive.whatsapp_reading import LRM, Read, utc


def test_it_is_listed_among_the_formats() -> None:
    assert FORMATS["whatsapp"] == "WhatsApp"
    assert importer("whatsapp").name == "whatsapp"


# header forms

FORMS = {
    "android": ("13/02/2024, 09:05 - Ann: hi", utc(2024, 2, 13, 9, 5)),
    "iphone": ("[13/02/2024, 09:05:11] Ann: hi", utc(2024, 2, 13, 9, 5, 11)),
    "iphone zh-CN": ("[2024/2/13 下午9:05:11] Ann: hi", utc(2024, 2, 13, 21, 5, 11)),
    "spanish": ("28/3/2025, 9:29 p. m. - Ann: hi", utc(2025, 3, 28, 21, 29)),
    "spanish nbsp": ("28/3/2025, 9:29 p.\u00a0m. - Ann: hi", utc(2025, 3, 28, 21, 29)),
    "us": ("2/13/24, 9:05 PM - Ann: hi", utc(2024, 2, 13, 21, 5)),
    "us narrow space": ("2/13/24, 9:05\u202fAM - Ann: hi", utc(2024, 2, 13, 9, 5)),
    "us iphone": ("[2/13/24, 12:05:11\u202fAM] Ann: hi", utc(2024, 2, 13, 0, 5, 11)),
    "india": ("13/02/24, 12:05 pm - Ann: hi", utc(2024, 2, 13, 12, 5)),
    "a.m.": ("13/02/2024 9:05 a.m. - Ann: hi", utc(2024, 2, 13, 9, 5)),
    "german": ("13.02.24, 21:05 - Ann: hi", utc(2024, 2, 13, 21, 5)),
    "dutch": ("13-02-2024 21:05 - Ann: hi", utc(2024, 2, 13, 21, 5)),
    "indonesian": ("13/02/24 21.05 - Ann: hi", utc(2024, 2, 13, 21, 5)),
    "finnish": ("[13.2.2024 klo 14.08.18] Ann: hi", utc(2024, 2, 13, 14, 8, 18)),
    "zh-CN android": ("2024/2/13 晚上9:05 - Ann: hi", utc(2024, 2, 13, 21, 5)),
    "zh dawn": ("2024/2/13 凌晨12:05 - Ann: hi", utc(2024, 2, 13, 0, 5)),
    "zh noon": ("2024/2/13 中午12:05 - Ann: hi", utc(2024, 2, 13, 12, 5)),
    "zh-TW": ("2024/2/13 上午9:05 - Ann: hi", utc(2024, 2, 13, 9, 5)),
    "zh long": ("2024年2月13日 下午9:05 - Ann: hi", utc(2024, 2, 13, 21, 5)),
    "korean": ("2024. 2. 13. 오후 9:05 - Ann: hi", utc(2024, 2, 13, 21, 5)),
    "korean iphone": ("[2024. 2. 13. 오전 9:05:11] Ann: hi", utc(2024, 2, 13, 9, 5, 11)),
    "japanese": ("2024/02/13 21:05 - Ann: hi", utc(2024, 2, 13, 21, 5)),
    "japanese halves": ("[2024/02/13 午後9:05:11] Ann: hi", utc(2024, 2, 13, 21, 5, 11)),
    "swedish": ("2024-02-13 21:05 - Ann: hi", utc(2024, 2, 13, 21, 5)),
    "time first": ("[21:05, 13/02/2024] Ann: hi", utc(2024, 2, 13, 21, 5)),
    "colon": ("13/02/2024, 21:05: Ann: hi", utc(2024, 2, 13, 21, 5)),
    "arabic": ("١٣\u200f/٢\u200f/٢٠٢٤، ٩:٠٥ م - Ann: hi", utc(2024, 2, 13, 21, 5)),
    "persian": ("[۲۰۲۴/۲/۱۳, ۹:۰۵:۱۱ ق.ظ.] Ann: hi", utc(2024, 2, 13, 9, 5, 11)),
    "greek": ("13/2/2024, 9:05 μ.μ. - Ann: hi", utc(2024, 2, 13, 21, 5)),
    "thai year": ("13/2/2567 21:05 - Ann: hi", utc(2024, 2, 13, 21, 5)),
    "buddhist": ("[2/13/2567 BE, 09:05:11] Ann: hi", utc(2024, 2, 13, 9, 5, 11)),
    "reiwa": ("[2/13/R6, 09:05:11] Ann: hi", utc(2024, 2, 13, 9, 5, 11)),
    "leading mark": (f"{LRM}[13/02/2024, 09:05:11] Ann: hi", utc(2024, 2, 13, 9, 5, 11)),
}


@pytest.mark.parametrize("form", FORMS)
def test_it_reads_the_header_form(form: str) -> None:
    line, at = FORMS[form]
    assert Read(line + "\n" + line + "\n").said() == [(at, "Ann", "hi")] * 2


@pytest.mark.parametrize("form", FORMS)
def test_it_sniffs_the_header_form(form: str) -> None:
    raw = (FORMS[form][0] + "\n") * 3
    assert WhatsApp().sniff(raw.encode(), memory_source("x", b"")) > 0.8


@pytest.mark.parametrize(
    "other",
    [
        "2012-10-17T09:16:51+0000  <ann> hi\n2012-10-17T09:16:52+0000  <bob> ho\n",
        "[09:16] <ann> hi\n[09:17] <bob> ho\n",
        '{"name":"G","type":"private_group","messages":[]}',
        "2019-07-16 18:15:05 地瓜(23333)\n你好\n\n2019-07-16 18:15:06 瓜(2)\n好\n",
        "Time,SenderName,Sender\n2024-02-13 09:05:00,a,b\n",
        "just some text\nand more\n",
        "",
    ],
)
def test_it_claims_no_other_format(other: str) -> None:
    assert WhatsApp().sniff(other.encode(), memory_source("WhatsApp.txt", b"")) < 0.4


@pytest.mark.parametrize(
    ("text", "second"),
    [("12:00 AM", 0), ("12:00 PM", 43_200), ("1:05 p. m.", 47_100), ("下午1:05", 47_100),
     ("中午1:05", 47_100), ("오후 12:30", 45_000), ("23.59.59", 86_399), ("24:00", None),
     ("9:61", None)],
)  # fmt: skip
def test_it_reads_times_of_twelve_and_of_twenty_four_hours(text: str, second: int) -> None:
    assert second_of_day(text) == second


def test_every_word_for_a_half_of_the_day_is_known() -> None:
    assert all(half_of(f"9:05 {word}") == "am" for word in words.AM)
    assert all(half_of(f"9:05 {word}") == "pm" for word in words.PM)


# trap 1: date order


def test_a_day_above_twelve_anywhere_decides_the_order_of_the_whole_file() -> None:
    read = Read("03/04/2024, 09:05 - A: x\n" * 9 + "13/04/2024, 09:05 - A: x\n")
    assert read.messages[0]["sent_at"] == utc(2024, 4, 3, 9, 5)


def test_month_first_is_found_by_its_second_number() -> None:
    read = Read("3/4/24, 9:05 AM - A: x\n3/14/24, 9:05 AM - A: x\n")
    assert read.messages[0]["sent_at"] == utc(2024, 3, 4, 9, 5)


def test_time_running_forward_decides_where_numbers_do_not() -> None:
    read = Read(
        "05/01/2024, 09:05 - A: x\n06/01/2024, 09:05 - A: x\n01/02/2024, 09:05 - A: x\n"
    )
    assert [m["sent_at"].month for m in read.messages] == [1, 1, 2]


def test_ambiguous_dates_ask_for_the_order_and_say_how() -> None:
    with pytest.raises(AmbiguousDatesError) as caught:
        Read("03/04/2024, 09:05 - A: x\n03/04/2024, 09:06 - A: y\n")
    assert "--date-order" in caught.value.message("en")
    assert "03/04/2024" in caught.value.message("zh")


@pytest.mark.parametrize(("order", "month"), [("dmy", 4), ("mdy", 3)])
def test_the_users_order_settles_ambiguous_dates(order: str, month: int) -> None:
    assert Read("03/04/2024, 09:05 - A: x\n", date_order=order).only["sent_at"] == utc(
        2024, month, 7 - month, 9, 5
    )


def test_an_order_that_cannot_be_is_refused() -> None:
    with pytest.raises(WrongDateOrderError):
        Read("23/04/2024, 09:05 - A: x\n24/04/2024, 09:05 - A: x\n", date_order="mdy")


def test_the_same_day_and_month_needs_no_order() -> None:
    assert Read("04/04/2024, 09:05 - A: x\n").only["sent_at"] == utc(2024, 4, 4, 9, 5)


@pytest.mark.parametrize("date", ["03.04.2024", "03-04-2024"])
def test_points_and_hyphens_are_never_month_first(date: str) -> None:
    assert Read(f"{date}, 09:05 - A: x\n").only["sent_at"] == utc(2024, 4, 3, 9, 5)


# trap 2 and 3: marks, spaces, line ends


def test_byte_order_mark_and_crlf_leave_no_trace() -> None:
    read = Read(
        b"\xef\xbb\xbf13/02/2024, 09:05 - Ann: a\r\nb\r\n13/02/2024, 09:06 - Bob: c\r\n"
    )
    assert [row[1:] for row in read.said()] == [("Ann", "a\nb"), ("Bob", "c")]


def test_direction_marks_go_but_joiners_stay() -> None:
    family = "👨\u200d👩\u200d👧 می\u200cخواهم"
    line = f"13/02/2024, 09:05 - \u202a+86 138\u202c: {LRM}x {family} \u2066y\u2069\n"
    assert Read(line).only["text"] == f"x {family} y"
    assert Read(line).only["sender_name"] == "+86 138"


def test_the_tilde_of_people_who_are_no_contacts_is_not_part_of_their_name() -> None:
    read = Read("13/02/2024, 09:05 - ~\u202fAnn: a\n13/02/2024, 09:06 - ~ Ann: b\n")
    assert {m["sender_id"] for m in read.messages} == {"Ann"}


def test_a_phone_number_is_one_person_however_it_is_spaced() -> None:
    read = Read(
        "13/02/2024, 09:05 - +1\u00a0(571) 370\u20114480: a\n"
        "13/02/2024, 09:06 - +1 571-370-4480: b\n"
    )
    assert {m["sender_id"] for m in read.messages} == {"+15713704480"}


@pytest.mark.parametrize("encoding", ["utf-16", "gb18030", "utf-8-sig"])
def test_it_reads_other_encodings(encoding: str) -> None:
    text = "2024/2/13 09:05 - 小红: 收到，谢谢\n"
    assert Read(text.encode(encoding)).only["text"] == "收到，谢谢"


# trap 4: bodies of several lines


def test_further_lines_belong_to_the_message_above() -> None:
    read = Read("13/02/2024, 09:05 - Ann: a\n\n  b: c\n13/02/2024, 09:06 - Bob: d\n")
    assert read.messages[0]["text"] == "a\n\n  b: c"
    assert (read.tally.messages, read.tally.continuation) == (2, 2)


def test_blank_lines_after_a_message_are_not_its_text() -> None:
    read = Read("13/02/2024, 09:05 - Ann: a\n\n\n")
    assert read.only["text"] == "a"
    assert read.tally.blank == 2


def test_a_pasted_header_is_flagged_because_time_runs_backwards() -> None:
    read = Read(
        "13/02/2024, 09:05 - Ann: look:\n12/02/2024, 08:00 - Bob: pasted\n"
        "13/02/2024, 09:06 - Ann: end\n"
    )
    assert len(read.messages) == 3
    assert any("backwards at 1 line" in warning for warning in read.warnings)


def test_notices_out_of_order_are_the_apps_own_doing() -> None:
    read = Read(
        '13/02/2024, 09:05 - You were added\n13/02/2024, 09:03 - Ann created group "G"\n'
    )
    assert read.warnings == []


def test_time_running_forward_raises_no_warning() -> None:
    assert Read("13/02/2024, 09:05 - A: x\n13/02/2024, 09:05 - A: y\n").warnings == []


def test_lines_of_another_form_than_the_files_are_text() -> None:
    read = Read("13/02/2024, 09:05 - Ann: a\n[12/02/2024, 08:00:00] Bob: b\n")
    assert read.only["text"] == "a\n[12/02/2024, 08:00:00] Bob: b"


# trap 5: notices


@pytest.mark.parametrize(
    "notice",
    [
        'Ann changed the subject to "a: b"',
        "Ann changed the subject from “a: b” to “c: d”",
        'Ann cambió el asunto del grupo a "a: b"',
        'Ann hat den Betreff von "a: b" zu "c" geändert',
        "小红将主题更改为“公告: 今晚”",
        "Ann a changé le sujet en « a: b »",
    ],
)
def test_a_notice_with_a_colon_in_quotes_has_no_sender(notice: str) -> None:
    read = Read(f"13/02/2024, 09:05 - {notice}\n")
    assert not read.messages
    assert (read.event["kind"], read.event["text"]) == ("notice", notice)


def test_a_sender_may_use_quotes_that_close() -> None:
    assert (
        Read('13/02/2024, 09:05 - Ann "The Boss": hi\n').only["sender_name"] == 'Ann "The Boss"'
    )


NOTICES = {
    "en": {"join": "Ann joined using this group's invite link", "leave": "Ann left",
           "added": "Bob added Ann", "remove": "Bob removed Ann"},
    "zh-CN": {"join": "Ann 通过此群组的邀请链接加入", "leave": "Ann 已退出群组",
              "added": "Bob 添加了 Ann", "remove": "Bob 移除了 Ann"},
    "zh-TW": {"join": "Ann 透過此群組的邀請連結加入", "leave": "Ann 已離開群組",
              "added": "Bob 新增了 Ann", "remove": "Bob 已將 Ann 移除"},
    "es": {"join": "Ann se unió usando el enlace de invitación de este grupo",
           "leave": "Ann salió del grupo", "added": "Bob añadió a Ann",
           "remove": "Bob eliminó a Ann"},
    "pt": {"join": "Ann entrou usando o link de convite deste grupo", "leave": "Ann saiu",
           "added": "Bob adicionou Ann", "remove": "Bob removeu Ann"},
    "de": {"join": "Ann ist der Gruppe über den Einladungslink beigetreten",
           "leave": "Ann hat die Gruppe verlassen", "added": "Bob hat Ann hinzugefügt",
           "remove": "Bob hat Ann entfernt"},
    "fr": {"join": "Ann a rejoint le groupe via le lien d’invitation",
           "leave": "Ann a quitté le groupe", "added": "Bob a ajouté Ann",
           "remove": "Bob a retiré Ann"},
    "it": {"join": "Ann è entrato usando il link d'invito al gruppo",
           "leave": "Ann ha abbandonato il gruppo", "added": "Bob ha aggiunto Ann",
           "remove": "Bob ha rimosso Ann"},
    "ru": {"join": "Ann присоединилась к группе по ссылке", "leave": "Ann вышла из группы",
           "added": "Bob добавил Ann", "remove": "Bob удалил Ann"},
    "id": {"join": "Ann bergabung menggunakan tautan undangan grup ini",
           "leave": "Ann keluar", "added": "Bob menambahkan Ann",
           "remove": "Bob mengeluarkan Ann"},
    "tr": {"join": "Ann bu grubun davet bağlantısını kullanarak katıldı",
           "leave": "Ann gruptan ayrıldı", "added": "Bob, Ann kişisini ekledi",
           "remove": "Bob, Ann kişisini çıkardı"},
    "ar": {"join": "انضم Ann باستخدام رابط الدعوة", "leave": "غادر Ann",
           "added": "قام Bob بإضافة Ann", "remove": "قام Bob بإزالة Ann"},
    "hi": {"join": "Ann ग्रुप के आमंत्रण लिंक से शामिल हुए", "leave": "Ann ने ग्रुप छोड़ दिया",
           "added": "Bob ने Ann को जोड़ा", "remove": "Bob ने Ann को हटाया"},
    "ja": {"join": "Annがグループの招待リンクを使用して参加しました", "leave": "Annが退出しました",
           "added": "BobがAnnを追加しました", "remove": "BobがAnnを削除しました"},
    "ko": {"join": "Ann님이 그룹 초대 링크를 통해 참여했습니다", "leave": "Ann님이 나갔습니다",
           "added": "Bob님이 Ann님을 추가했습니다", "remove": "Bob님이 Ann님을 내보냈습니다"},
}  # fmt: skip


@pytest.mark.parametrize("language", NOTICES)
def test_it_reads_who_joined_left_was_added_and_removed(language: str) -> None:
    lines = NOTICES[language]
    read = Read("".join(f"13/02/2024, 09:05 - {text}\n" for text in lines.values()))
    told = [(e["kind"], e["subject_id"], e["actor_id"], e["inviter_id"]) for e in read.events]
    assert told == [
        ("join", "Ann", None, None),
        ("leave", "Ann", None, None),
        ("join", "Ann", "Bob", "Bob"),
        ("remove", "Ann", "Bob", None),
    ]


def test_people_added_together_are_events_of_one_line() -> None:
    read = Read("13/02/2024, 09:05 - Ann added Bob, Cy and ~ Dan\n")
    assert [e["subject_id"] for e in read.events] == ["Bob", "Cy", "Dan"]
    assert (read.tally.lines, read.tally.events) == (1, 1)


def test_a_new_number_is_a_rename() -> None:
    read = Read("13/02/2024, 09:05 - +1 571 370 4480 changed to +1 571 370 4481\n")
    assert (read.event["kind"], read.event["new_name"]) == ("rename", "+1 571 370 4481")


def test_other_notices_keep_their_text() -> None:
    text = "Messages and calls are end-to-end encrypted. Tap to learn more."
    read = Read(f"13/02/2024, 09:05 - {text}\n13/02/2024, 09:06 - Ann: hi\n")
    assert (read.event["kind"], read.event["text"]) == ("notice", text)


def test_a_notice_of_an_iphone_looks_sent_but_is_an_event() -> None:
    read = Read(
        f"[13/02/2024, 09:05:11] Tea: {LRM}Messages and calls are end-to-end encrypted.\n"
        f"{LRM}[13/02/2024, 09:05:12] Ann: {LRM}Ann left\n"
        f"[13/02/2024, 09:05:13] Ann: Ann left\n"
    )
    assert [e["kind"] for e in read.events] == ["notice", "leave"]
    assert [m["text"] for m in read.messages] == ["Ann left"]


def test_what_the_app_wrote_in_words_unknown_stays_with_its_sender() -> None:
    read = Read(f"[13/02/2024, 09:05:11] Ann: {LRM}xyzzy nothing known\n")
    assert (read.only["kind"], read.only["text"]) == ("other", "xyzzy nothing known")


def test_very_long_notices_are_not_searched_for_names() -> None:
    assert NoticeReader().read("a added " * 200).kind == "notice"


# media

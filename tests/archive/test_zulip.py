"""Zulip: the public archive with its HTML, and the full export."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from qunluo.archive.importers import FORMATS
from qunluo.archive.importers.base import Options
from qunluo.archive.importers.zulip import Zulip, decoded
from qunluo.archive.importers.zulip_text import plain
from tests.archive.sources_builder import Memory, Taken, take

AT = 1_700_000_000


def topic(*said: str, name: str = "zulip_json/113489-new-members/Saying.20hi.json") -> Memory:
    records = [
        {"content": html, "id": n, "sender_full_name": "Ann", "timestamp": AT + n}
        for n, html in enumerate(said, 1)
    ]
    return Memory(name, json.dumps(records).encode())


def first(taken: Taken) -> dict[str, object]:
    return taken.messages[0]


def test_the_path_names_stream_and_topic() -> None:
    message = first(take(Zulip(), topic("<p>hi</p>")))
    assert message["group_id"] == "113489"
    assert message["group_name"] == "new-members"
    assert message["thread_id"] == "Saying hi"
    assert message["message_id"] == "1"
    assert message["sent_at"] == datetime.fromtimestamp(AT + 1, UTC)
    assert message["zone_known"] == "utc"


@pytest.mark.parametrize(
    ("name", "topic_name"),
    [
        ("Saying.20hi", "Saying hi"),
        (".E2.9C.94.20done.3F", "✔ done?"),
        ("version.202.2E0", "version 2.0"),
        ("100%25.20sure", "100%25 sure"),
        ("''.20of.20set", "'' of set"),
    ],
)
def test_topics_are_decoded_from_their_file_names(name: str, topic_name: str) -> None:
    assert decoded(name) == topic_name


def test_the_archive_has_no_sender_ids_so_the_name_is_the_sender() -> None:
    message = first(take(Zulip(), topic("<p>hi</p>")))
    assert message["sender_id"] == message["sender_name"] == "Ann"


@pytest.mark.parametrize(
    ("html", "text"),
    [
        (
            "<p>one<br>\ntwo</p>\n<p>three &lt;4 &amp;amp; &eacute;</p>",
            "one\ntwo\nthree <4 &amp; é",
        ),
        ("<ul>\n<li>a</li>\n<li>b</li>\n</ul>", "- a\n- b"),
        ('<p>see <a href="https://x.org">here</a></p>', "see here"),
        ('<pre><span></span><code><span class="k">by</span> simp\n</code></pre>', "by simp"),
        ('<p><span class="emoji emoji-1f642" title="x">:slight_smile:</span></p>', "🙂"),
        (
            '<p>of <span class="katex"><span class="katex-mathml"><math><mi>g</mi><annotation'
            ' encoding="application/x-tex">g^2</annotation></math></span><span class="katex-html">'
            '<span class="base">g2</span></span></span>!</p>',
            "of $g^2$!",
        ),
        (
            "<blockquote>\n<p>asked</p>\n<blockquote>\n<p>before</p>\n</blockquote>\n"
            "</blockquote>\n<p>answered</p>",
            "> asked\n> > before\n\nanswered",
        ),
        ("no tags &amp; all", "no tags & all"),
        ("", ""),
        ('<span class="katex"><span>', ""),
    ],
)
def test_html_becomes_plain_text(html: str, text: str) -> None:
    assert plain(html) == text


def test_a_quote_that_links_its_message_is_a_reply() -> None:
    html = (
        '<p><span class="user-mention silent" data-user-id="7">Bob</span> <a href="#narrow/stream/'
        '113489-x/topic/Saying.20hi/near/344">said</a>:</p>\n<blockquote>\n<p>hello</p>\n'
        "</blockquote>\n<p>hello too</p>"
    )
    message = first(take(Zulip(), topic(html)))
    assert message["reply_to"] == "344"
    assert message["text"] == "Bob said:\n\n> hello\n\nhello too"
    assert message["mentions"] == []  # a silent one calls nobody
    link = '<p>see <a href="#narrow/stream/1-x/topic/y/near/344">there</a></p>'
    assert first(take(Zulip(), topic(link)))["reply_to"] is None


def test_mentions_are_names_where_there_are_no_ids() -> None:
    html = '<p><span class="user-mention" data-user-id="7">@Bob O&#39;Hara</span> hi</p>'
    assert first(take(Zulip(), topic(html)))["mentions"] == ["Bob O'Hara"]


def test_a_message_that_is_only_an_upload_is_an_image() -> None:
    html = (
        '<p><a href="/user_uploads/9/x">tea.png</a></p>\n<div class="message_inline_image">'
        '<a href="/user_uploads/9/x" title="x"><img src="/user_uploads/9/x"></a></div>'
    )
    message = first(take(Zulip(), topic(html)))
    assert (message["kind"], message["media_name"]) == ("image", "tea.png")
    assert first(take(Zulip(), topic("<p>look</p>" + html)))["kind"] == "text"


def test_a_record_without_time_or_sender_is_kept_as_a_reject() -> None:
    records = [
        {"content": "x", "id": 1, "sender_full_name": "A"},
        {"content": "y", "timestamp": 1},
    ]
    taken = take(Zulip(), Memory("1-x/y.json", json.dumps(records).encode()))
    assert [r.line for r in taken.rejects] == [1, 2]
    assert taken.tally.lines == 2


def test_it_is_told_by_content_even_if_the_first_message_is_very_long() -> None:
    long = topic("<p>" + "x" * 100_000 + "</p>")
    for source in (topic("<p>hi</p>"), long, export()):
        assert Zulip().sniff(source.content[:65_536], source) > 0.9
    for other in (b"[]", b"{}", b"", b'[{"type":"message","ts":"1.0","text":"x"}]', b"[" * 99):
        assert Zulip().sniff(other, Memory("x.json", other)) == 0


REALM = {
    "zerver_realm": [{"id": 1, "name": "Tea"}],
    "zerver_userprofile": [
        {"id": 10, "full_name": "Ann", "is_bot": False},
        {"id": 11, "full_name": "Bob", "is_bot": False},
        {"id": 12, "full_name": "Helper", "is_bot": True},
    ],
    "zerver_userprofile_crossrealm": [{"id": 2, "email": "welcome-bot@zulip.com"}],
    "zerver_recipient": [
        {"id": 100, "type": 2, "type_id": 5},
        {"id": 101, "type": 1, "type_id": 11},
        {"id": 102, "type": 1, "type_id": 10},
        {"id": 103},
    ],
    "zerver_stream": [{"id": 5, "name": "tea talk"}],
}


def export() -> Memory:
    def said(number: int, sender: int, recipient: int, **more: object) -> dict[str, object]:
        base = {"id": number, "sender": sender, "recipient": recipient, "subject": "green"}
        return base | {"content": "hi", "date_sent": AT + 0.25, "last_edit_time": None} | more

    link = "https://tea.example/#narrow/stream/5-x/topic/g/near/1"
    quote = f"@_**Ann|10** [said]({link}):\n```quote\nhi\n```\n@**Ann** yes"
    messages = [
        said(1, 10, 100),
        said(2, 11, 100, content=quote, last_edit_time=AT + 60.0),
        said(3, 10, 101),
        said(4, 11, 102),
        said(5, 12, 100),
        said(6, 2, 999),
        {"id": 7, "sender": 10, "recipient": 100, "pub_date": AT, "content": "old shape"},
        {"id": 8, "sender": None, "date_sent": AT},
    ]
    document = {"zerver_message": messages, "zerver_usermessage": [{"id": 1}]}
    others = {"realm.json": json.dumps(REALM).encode()}
    return Memory("messages-000001.json", json.dumps(document).encode(), others)


def test_a_full_export_has_ids_bots_and_edits() -> None:
    taken = take(Zulip(), export())
    one, two, _, _, five, six, seven = taken.messages
    assert (one["sender_id"], one["sender_name"], one["role"]) == ("10", "Ann", None)
    assert (one["group_id"], one["group_name"], one["thread_id"]) == ("5", "tea talk", "green")
    assert one["sent_at"] == datetime.fromtimestamp(AT + 0.25, UTC)
    assert two["edited_at"] == datetime.fromtimestamp(AT + 60, UTC)
    assert (two["reply_to"], two["mentions"]) == ("1", ["10"])
    assert [five["role"], six["role"]] == ["bot", "bot"]
    assert seven["text"] == "old shape"
    assert len(taken.rejects) == 1


def test_both_sides_of_a_direct_message_share_a_group() -> None:
    taken = take(Zulip(), export())
    assert {m["group_id"] for m in taken.messages[2:4]} == {"dm-10-11"}


def test_an_export_without_its_realm_file_is_read_all_the_same() -> None:
    source = export()
    source.others = {}
    assert len(take(Zulip(), source).messages) == 7


def test_the_realm_file_itself_has_no_rows() -> None:
    source = Memory("realm.json", json.dumps(REALM).encode())
    assert Zulip().sniff(source.content, source) > 0.9
    assert take(Zulip(), source).tally.lines == 0


def test_the_name_that_the_user_gives_wins() -> None:
    taken = take(Zulip(), topic("<p>hi</p>"), Options(group="茶"))
    assert first(taken)["group_id"] == first(taken)["group_name"] == "茶"


def test_a_file_cut_off_keeps_what_was_read_and_says_so() -> None:
    source = topic("<p>one</p>", "<p>two</p>")
    source.content = source.content[:-40]
    taken = take(Zulip(), source)
    assert len(taken.messages) == 1
    assert len(taken.rejects) == 1


def test_it_is_registered() -> None:
    assert FORMATS["zulip"] == "Zulip"

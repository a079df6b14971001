"""Quiet hours, caps, retries, answers, questions and greetings decide as they say."""

from __future__ import annotations

import string
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from qunluo.insight.metrics.study_cubes import QUESTION_WORDS
from qunluo.messaging.errors import WrongPatternError
from qunluo.messaging.rules import (
    EXEMPT,
    LONGEST_RETRY,
    MOST_ATTEMPTS,
    NAMED,
    Defer,
    Drop,
    Go,
    Leaving,
    Quiet,
    Reply,
    check_pattern,
    choose_reply,
    find_day,
    find_end_of_quiet,
    find_next_day,
    is_open,
    is_question,
    is_quiet,
    judge_leaving,
    matches,
    plan_retry,
    plan_welcome,
    write_names,
    write_welcome,
    zone_of,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")
ZONES = (  # whole hours, half ones, changes at midnight and by half an hour
    "Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe",
    "Africa/Cairo", "America/Havana", "Asia/Beirut", "Atlantic/Azores", "Asia/Kolkata",
    "Africa/Casablanca", "UTC",
)  # fmt: skip
zones = st.sampled_from([ZoneInfo(name) for name in ZONES])
hours = st.integers(0, 23)
instants = st.datetimes(datetime(2020, 1, 1), datetime(2029, 12, 31), timezones=st.just(UTC))
quiets = st.builds(Quiet, zone=zones, since=hours, until=hours)
spans = st.timedeltas(timedelta(), timedelta(days=2))


def leaving(**more: object) -> Leaving:
    values: dict[str, object] = {
        "kind": "direct", "personal": True, "direct": True, "own_act": False,
        "consented": True, "here": True, "sent_today": 0, "cap": 2,
        "quiet": Quiet(SHANGHAI, 22, 8), "expires_at": None, **more,
    }  # fmt: skip
    return Leaving(**values)  # type: ignore[arg-type]


NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
MIDNIGHT = datetime(2026, 3, 2, 16, tzinfo=UTC)


@given(quiets, instants)
def test_quiet_ends_at_the_first_hour_that_is_not(quiet: Quiet, now: datetime) -> None:
    end = find_end_of_quiet(quiet, now)
    assert end >= now
    assert not is_quiet(quiet, end)
    assert (end == now) == (not is_quiet(quiet, now))
    assert end - now <= timedelta(hours=25)
    at = now
    while at < end:
        assert is_quiet(quiet, at)
        at += timedelta(minutes=10)


@pytest.mark.parametrize("day", [29, 30])
def test_the_morning_after_the_clocks_change_is_the_morning(day: int) -> None:
    berlin = Quiet(ZoneInfo("Europe/Berlin"), 22, 8)
    night = datetime(2025, 3, day, 23, tzinfo=berlin.zone)
    end = find_end_of_quiet(berlin, night.astimezone(UTC))
    assert end.astimezone(berlin.zone).isoformat()[:16] == f"2025-03-{day + 1}T08:00"


@given(zones, instants)
def test_a_day_begins_once_and_holds_its_instants(zone: ZoneInfo, now: datetime) -> None:
    begin, following = find_day(zone, now), find_next_day(zone, now)
    assert begin <= now < following
    assert find_day(zone, following) == following
    assert timedelta(hours=22) < following - begin < timedelta(hours=26)


@given(quiets, instants, st.integers(0, 5), st.integers(0, 3), st.booleans(),
       st.sampled_from(["direct", "post"]))  # fmt: skip
def test_what_is_deferred_goes_out_later_and_never_in_the_quiet(
    quiet: Quiet, now: datetime, sent: int, cap: int, own: bool, kind: str
) -> None:
    assume(cap > 0)
    asked = leaving(kind=kind, direct=kind == "direct", quiet=quiet, sent_today=sent, cap=cap,
                    own_act=own)  # fmt: skip
    decision = judge_leaving(asked, now)
    if isinstance(decision, Defer):
        assert decision.until > now
        assert not own
        again = leaving(kind=kind, direct=kind == "direct", quiet=quiet, cap=cap)
        assert judge_leaving(again, decision.until) == Go()
    else:
        assert decision == Go()
        assert own or (not is_quiet(quiet, now) and (kind == "post" or sent < cap))


@given(instants, st.sampled_from(sorted(EXEMPT)), st.integers(0, 9))
def test_what_answers_an_act_waits_for_nothing(now: datetime, kind: str, sent: int) -> None:
    assert judge_leaving(leaving(kind=kind, direct=False, sent_today=sent), now) == Go()


@given(st.booleans(), st.booleans(), st.sampled_from(["direct", "post", "welcome"]))
def test_without_consent_only_answers_in_the_group_go_out(
    own: bool, direct: bool, kind: str
) -> None:
    asked = leaving(kind=kind, own_act=own, direct=direct, consented=False)
    public = own and not direct
    assert judge_leaving(asked, NOON) == (Go() if public else Drop("no consent"))


@given(spans)
def test_nothing_goes_out_after_its_window(late: timedelta) -> None:
    asked = leaving(kind="welcome", direct=False, expires_at=NOON)
    assert judge_leaving(asked, NOON + late) == Drop("expired")
    assert judge_leaving(asked, NOON - late - timedelta(seconds=1)) == Go()


def test_nobody_is_written_to_who_is_gone() -> None:
    assert judge_leaving(leaving(here=False), NOON) == Drop("gone")


@given(st.text(max_size=20), st.integers(1, MOST_ATTEMPTS + 3), spans)
def test_retries_wait_longer_each_time_and_end(key: str, n: int, asked: timedelta) -> None:
    wait = plan_retry(key, n, asked=asked)
    if n >= MOST_ATTEMPTS:
        assert wait is None
        return
    assert wait is not None
    assert wait >= asked
    plain, following = plan_retry(key, n), plan_retry(key, n + 1)
    assert plain == plan_retry(key, n)
    assert plain is not None
    assert timedelta(seconds=2) < plain <= LONGEST_RETRY
    assert following is None or following >= plain * 0.99


def test_retries_of_different_deliveries_spread() -> None:
    assert len({plan_retry(f"delivery-{n}", 3) for n in range(50)}) == 50


# answers

words = st.text(string.ascii_letters + "茶价格几点营业？!。 ", min_size=1, max_size=12)


@given(words, words, words)
def test_contains_finds_what_is_inside(a: str, b: str, c: str) -> None:
    assume(b.strip())
    assert matches("contains", b, f"{a}{b.strip()}{c}")
    assert matches("exact", b, f"  {b.upper()} ")


@given(st.text(max_size=60), st.text(max_size=60))
def test_no_pattern_and_no_text_break_the_matching(pattern: str, text: str) -> None:
    for how in ("exact", "contains", "regex"):
        assert matches(how, pattern, text) in (True, False)


def test_a_pattern_that_hangs_other_engines_takes_no_time() -> None:
    assert matches("regex", "(a|a)*(a|a)*b$", "a" * 5_000) is False


@pytest.mark.parametrize(
    ("how", "pattern"), [("regex", "("), ("regex", r"(a)\1"), ("exact", " ")]
)
def test_a_pattern_that_cannot_be_used_says_so(how: str, pattern: str) -> None:
    with pytest.raises(WrongPatternError) as told:
        check_pattern(how, pattern)
    assert told.value.message("zh")


def reply(**more: object) -> Reply:
    values: dict[str, object] = {"id": 1, "how": "contains", "pattern": "价格", "answer": "88"}
    return Reply(**{**values, **more})  # type: ignore[arg-type]


@given(st.permutations(range(5)), st.lists(st.integers(0, 2), min_size=5, max_size=5))
def test_the_highest_priority_answers_whatever_the_order(
    order: list[int], ranks: list[int]
) -> None:
    replies = [reply(id=n, priority=ranks[n]) for n in order]
    found = choose_reply(replies, "价格多少", NOON, SHANGHAI)
    assert found
    assert found.reply.priority == max(ranks)
    assert found.reply.id == ranks.index(max(ranks))


def test_a_groups_own_answer_comes_before_the_communitys() -> None:
    found = choose_reply([reply(id=1), reply(id=2, of_group=True)], "价格", NOON, SHANGHAI)
    assert found
    assert found.reply.id == 2


@given(spans, spans, spans, spans)
def test_an_answer_is_not_repeated_while_it_cools(
    group_age: timedelta, own_age: timedelta, group_wait: timedelta, own_wait: timedelta
) -> None:
    one = reply(
        group_cooldown=group_wait, member_cooldown=own_wait, last_in_group=NOON - group_age,
        last_to_member=NOON - own_age,
    )  # fmt: skip
    found = choose_reply([one, reply(id=2, priority=-1)], "价格", NOON, SHANGHAI)
    assert found
    assert found.reply == one
    assert found.cooling == (group_age < group_wait or own_age < own_wait)


@given(st.lists(st.tuples(hours, hours), max_size=3), instants, zones)
def test_business_hours_hold_in_the_zone(
    spans: list[tuple[int, int]], now: datetime, zone: ZoneInfo
) -> None:
    hour = now.astimezone(zone).hour
    inside = [(hour - since) % 24 < ((until - since) % 24 or 24) for since, until in spans]
    assert is_open(spans, now, zone) == (not spans or any(inside))


# questions


@pytest.mark.parametrize("text", [
    "几点开门？", "这个怎么买", "有货吗", "有货吗 想要一个", "请问退货流程", "多少钱",
    "what time do you open", "how much is it", "Anyone know the address", "能不能快递",
    "在哪里取", "price?", "真的??!",
])  # fmt: skip
def test_questions_are_heard(text: str) -> None:
    assert is_question(text)


@pytest.mark.parametrize("text", [
    "好的", "谢谢大家", "https://example.com/?a=b", "无论如何都支持", "我不怎么喜欢", "???", "", "怎么都行",
    "thanks, see you there", "今天到货" + "很好" * 200 + "吗",
])  # fmt: skip
def test_what_is_no_question_is_none(text: str) -> None:
    assert not is_question(text)


@given(st.text())
def test_any_text_can_be_judged(text: str) -> None:
    assert is_question(text) in (True, False)


@pytest.mark.parametrize("word", [w for w in QUESTION_WORDS.split("|")[1:12] if w >= "一"])
def test_words_that_ask_in_the_report_ask_here_too(word: str) -> None:
    assert is_question(f"你好{word} 买")


# greetings


@given(instants, st.none() | spans, spans, st.sampled_from([1.0, 0.0, 60.0]))
def test_a_greeting_comes_within_its_window(
    now: datetime, ago: timedelta | None, window: timedelta, speed: float
) -> None:
    at = plan_welcome(now, None if ago is None else now - ago, window=window, speed=speed)
    assert now <= at <= now + window / 2
    if ago is None:
        assert at == now


names = st.lists(st.text(max_size=10), min_size=1, max_size=30)


@given(names, st.text(max_size=50), st.sampled_from(["en", "zh-hans"]))
def test_names_bring_no_places_of_their_own(names: list[str], template: str, lang: str) -> None:
    hostile = [f"{{rules}}{name}" for name in names]
    text = write_welcome(template + "{name}", hostile, {"rules": "SECRET"}, lang)
    assert "SECRET" not in text.replace(template, "") or "{rules}" in template
    assert hostile[0].strip() in text or not hostile[0].strip()


def test_the_usual_words_say_what_the_group_gives() -> None:
    values = {"group": "茶友", "gives": "周三品茶"}
    assert write_welcome("", ["小满"], values, "zh-hans") == "欢迎 小满 加入“茶友”！周三品茶"


def test_many_joiners_are_counted() -> None:
    many = [f"n{n}" for n in range(NAMED + 3)]
    assert write_names(many, "en").endswith("n9 and 3 more")
    assert write_names(many, "zh").endswith("n9等 13 位新朋友")


def test_a_nickname_is_asked_for_by_example() -> None:
    text = write_welcome("", ["Bob"], {"group": "Tea", "nickname": "上海-Bob"}, "zh")
    assert text.splitlines()[1] == "请把群昵称改成“上海-Bob”这样的格式。"
    assert "Bob" in text.splitlines()[0]
    placed = write_welcome("{昵称}？{名字}", ["Bob"], {"nickname": "上海-Bob"}, "zh")
    assert placed == "上海-Bob？Bob"


def test_an_unknown_zone_is_utc() -> None:
    assert zone_of("Mars/Olympus").key == "UTC"

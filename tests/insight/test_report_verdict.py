"""One paragraph and three moves, from findings only."""

from __future__ import annotations

from dataclasses import replace

from qunluo.insight.figures import Move
from qunluo.insight.report import Figure, best_moves, verdict
from qunluo.kit.text import Text
from tests.insight import builders as b


def test_it_says_volumes_who_talks_activity_and_trend_in_both_languages() -> None:
    words = verdict(b.report())
    assert words.en.startswith(
        "Between 18 Aug 2021 and 20 Mar 2023, 5,823 people wrote 510k messages in 67 groups."
    )
    for sentence in ("70 % of all messages", "31 % of the members spoke", "fell by 6 %"):
        assert sentence in words.en
    assert "51\u00a0万 条消息" in words.zh
    assert "最近八周活跃度下降" in words.zh


def test_it_names_the_worry_behind_the_heaviest_move() -> None:
    move = Move(Text("Six groups fell silent: ask why.", "六个群沉默了：问问原因。"), 0.9)
    words = verdict(b.report_of(b.figure("lives", b.finding(move=move))))
    assert words.en.endswith("What deserves attention first: Six groups fell silent.")
    assert words.zh.endswith("最值得注意的是：六个群沉默了。")


def test_it_names_the_finding_where_a_move_says_only_what_to_do() -> None:
    worry = b.finding(sentence=Text("Six fell silent; one is new.", "六个群沉默了；一个是新群。"),
                      move=_move(0.9))  # fmt: skip
    words = verdict(b.report_of(b.figure("lives", worry)))
    assert words.en.endswith("What deserves attention first: Six fell silent.")
    assert words.zh.endswith("最值得注意的是：六个群沉默了。")


def test_it_does_not_say_the_same_finding_twice() -> None:
    worry = b.finding(sentence=Text("The brand shouts.", "品牌太吵。"), move=_move(0.9))
    assert verdict(b.report_of(b.figure("I1", worry))).en.count("The brand shouts.") == 1


def test_it_is_honest_about_too_little_data() -> None:
    few = b.totals(messages=12, speakers=2, groups=1, last_at="2021-08-19T00:00:00")
    words = verdict(b.report_of(totals=few))
    assert "in one group" in words.en
    assert "not as a judgement" in words.en
    assert "1 个群里共有 2 人发出 12 条消息。数据很少" in words.zh


def test_it_says_a_single_day_once() -> None:
    day = b.totals(messages=5, speakers=3, groups=1, last_at="2021-08-18T12:00:00")
    assert verdict(b.report_of(totals=day)).en.startswith("On 18 Aug 2021, 3 people wrote 5")


def test_it_cuts_no_bracket_in_two_and_writes_dates_in_words() -> None:
    said = b.finding(sentence=Text("Half left (n = 9; in 2023-02); the rest stays.",
                                   "一半离开（n = 9；2023-02 起）；其余留下。"))  # fmt: skip
    words = verdict(b.report_of(b.figure("I1", said)))
    assert "Half left (n = 9; in Feb 2023)." in words.en
    assert "一半离开（n = 9；2023年2月起）" in words.zh


def test_it_speaks_of_orders_where_there_are_only_orders() -> None:
    none = b.totals(messages=0, speakers=0, groups=0, first_at=None, last_at=None)
    bought = b.finding(sentence=Text("Half came back; more later.", "一半回购；其余略。"))
    words = verdict(b.report_of(b.figure("orders", bought), totals=none))
    assert words.en.startswith("There are orders but no messages")
    assert words.en.endswith("Half came back.")


def test_three_moves_about_one_matter_are_one_move() -> None:
    figures = [_figure("health", 0.9), _figure("retention", 0.8), _figure("rfm", 0.5)]
    shown = best_moves(b.report_of(*figures))
    assert [ranked.figure.metric.id for ranked in shown] == ["health", "rfm"]


def test_it_claims_nothing_of_an_empty_archive() -> None:
    nothing = b.totals(messages=0, speakers=0, groups=0, first_at=None, last_at=None)
    assert verdict(b.report_of(b.figure("I1"), totals=nothing)).en.startswith("No message")


def test_it_shows_the_three_heaviest_moves_once_each() -> None:
    weights = [0.2, 0.9, 0.5, 0.9, 0.1]
    figures = [_figure(f"m{i}", weight) for i, weight in enumerate(weights)]
    shown = best_moves(b.report_of(*figures, _figure("again", 0.3, "m1")))
    assert [ranked.figure.metric.id for ranked in shown] == ["m1", "m3", "m2"]


def test_a_missing_figure_suggests_nothing() -> None:
    assert best_moves(b.report_of(b.figure("orders", b.missing()))) == ()


def _move(weight: float, name: str = "act") -> Move:
    return Move(Text(f"Do {name}.", f"去做{name}。"), weight)


def _figure(id_: str, weight: float, name: str | None = None) -> Figure:
    return b.figure(id_, replace(b.finding(), move=_move(weight, name or id_)))

"""The fit check: five questions, and whether a group suits the business, which and why. Pure.

How much an answer speaks for a kind of group stands in the blueprint's file; what the answer
means in words, and when a group isn't worth it, stands here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import get_args

from qunluo.groups.blueprints import Blueprint
from qunluo.groups.blueprints.reading import Decision, Intent, Knowledge, Stage, Value
from qunluo.groups.errors import WrongAnswerError
from qunluo.kit.text import Text

LEAST = 4  # points; below, nothing fits well enough to be worth the work


@dataclass(frozen=True)
class Answers:
    """The five answers."""

    stage: Stage
    decision: Decision
    knowledge: Knowledge
    value: Value
    intent: Intent


@dataclass(frozen=True)
class Reason:
    """What an answer says for the result (or, `speaks_for` false, against it)."""

    question: str
    words: Text
    speaks_for: bool


@dataclass(frozen=True)
class Fit:
    """`blueprint` is None where a group isn't worth it; `instead` says what to do then. `others`
    are the next best kinds."""

    blueprint: str | None
    reasons: tuple[Reason, ...]
    instead: Text | None = None
    others: tuple[str, ...] = ()

    @property
    def suits(self) -> bool:
        return self.blueprint is not None


@dataclass(frozen=True)
class Question:
    """One of the five: its words, and each answer with what it means."""

    key: str
    words: Text
    why: Text
    answers: tuple[tuple[str, Text, Text], ...]  # key, as one answers, what it means


QUESTIONS: tuple[Question, ...] = (
    Question(
        "stage", Text("Where does the business stand?", "业务处在什么阶段？"),
        Text("A group grows what is there; it doesn't replace it.", "社群放大已有的，不能无中生有。"),
        (
            ("idea", Text("An idea; nothing is sold yet", "还在构想，没有开卖"),
             Text("Nothing is sold yet: a group can only help to find out what to make.",
                  "还没开卖：社群只能帮你弄清该做什么。")),
            ("first", Text("First customers", "有了第一批客户"),
             Text("There are first customers to begin with.", "已有第一批客户可以作为种子。")),
            ("steady", Text("Steady sales", "销售稳定"),
             Text("Steady sales: there are people to invite and a margin to give from.",
                  "销售稳定：有人可邀，也有利润可让。")),
            ("stores", Text("Several shops or branches", "有多家门店或网点"),
             Text("Several shops: the nearest one decides, so each gets its own people.",
                  "多门店：离得近最重要，一店一群。")),
            ("agents", Text("Agents or partners sell for us", "靠代理或伙伴销售"),
             Text("Others sell for you: they need material and each other.",
                  "有人替你卖：他们需要素材，也需要彼此。")),
        ),
    ),
    Question(
        "decision", Text("How long does a customer think before buying?", "客户从想到买要多久？"),
        Text("It sets the rhythm and the length of a group.", "它决定群的节奏和周期。"),
        (
            ("minutes", Text("Minutes", "几分钟"),
             Text("They decide in minutes: a fixed time and a clear offer are enough.",
                  "几分钟就决定：固定时段加明确优惠就够。")),
            ("days", Text("Some days", "几天"),
             Text("They think for days: a few good reminders bring them back.",
                  "会考虑几天：几次恰当的提醒就能回来。")),
            ("weeks", Text("Weeks", "几周"),
             Text("They think for weeks: advice and other buyers' words carry them.",
                  "会考虑几周：需要建议和别人的真实评价。")),
            ("months", Text("Months", "几个月"),
             Text("They think for months: trying it themselves shortens the way.",
                  "会考虑几个月：亲自体验能缩短决策。")),
        ),
    ),
    Question(
        "knowledge", Text("How much must one know to choose well?", "选对产品需要多少知识？"),
        Text("It decides between offers, content and lessons.", "它决定靠优惠、靠内容还是靠课程。"),
        (
            ("none", Text("Nothing: one look is enough", "不需要，一看就懂"),
             Text("It explains itself: there is little to teach.", "一看就懂：没什么要教的。")),
            ("some", Text("Some: a few things to compare", "需要一些，要比较几样"),
             Text("There is something to compare: content and trials help.",
                  "需要比较：内容和试用有用。")),
            ("much", Text("Much: it has to be learned", "很多，需要学习"),
             Text("It has to be learned: lessons and answers are worth something in themselves.",
                  "需要学习：课程和答疑本身就有价值。")),
        ),
    ),
    Question(
        "value", Text("What is a typical order worth?", "一单大约多少钱？"),
        Text("It says how much care an order can pay for.", "它决定一单养得起多少服务。"),
        (
            ("low", Text("Below ¥100", "100 元以下"),
             Text("Orders are small: only many of them, with little work each, pay.",
                  "客单价低：要靠量，每单投入要少。")),
            ("middle", Text("¥100 to ¥1,000", "100–1000 元"),
             Text("An order carries a personal answer, not an adviser.",
                  "客单价中等：养得起认真答复，养不起专属顾问。")),
            ("high", Text("Above ¥1,000", "1000 元以上"),
             Text("An order pays for personal care.", "客单价高：值得一对一服务。")),
        ),
    ),
    Question(
        "intent", Text("What brings people to you?", "大家为什么来找你？"),
        Text("It decides whether to sell, to tempt, to win or to invite in.",
             "它决定该卖、该促、该养还是该共创。"),
        (
            ("high", Text("They need it and come by themselves, again and again", "有需求，会主动来、反复来"),
             Text("They come by themselves: make it easy and worth coming back.",
                  "会主动来：让他们更方便、更值得回来。")),
            ("offer", Text("They buy when the offer is good", "有优惠就会买"),
             Text("A good offer moves them: time and price decide.", "有优惠就动心：时机和价格最关键。")),
            ("low", Text("They hardly know yet why they should want it", "还不太知道为什么需要"),
             Text("They have to be won first: give before you ask.", "需要先培养：先给，再要。")),
            ("share", Text("They want to take part: ideas, advice, recommending",
                           "想参与：提想法、帮别人、做推荐"),
             Text("They want to take part: let them.", "愿意参与：给他们舞台。")),
        ),
    ),
)  # fmt: skip


@dataclass(frozen=True)
class _Veto:
    """Answers that together make a group a waste."""

    when: Mapping[str, frozenset[str]]
    why: Text
    instead: Text


def _veto(why: Text, instead: Text, **when: str) -> _Veto:
    return _Veto({name: frozenset(value.split()) for name, value in when.items()}, why, instead)


_FEW = Text(
    "Speak with ten possible customers one by one, sell the first three by hand, and come back.",
    "先逐一聊 10 位潜在客户，亲手卖出前三单，再来建群。",
)
_VETOES = (
    _veto(
        Text("Nothing is sold yet and nobody asks for it: a group would be an empty room.",
             "还没开卖，也没人主动想要：建了群也是空房间。"),
        _FEW, stage="idea", intent="offer low",
    ),
    _veto(
        Text("Long thinking over a small sum: following it up costs more than the order brings.",
             "想很久、金额却小：跟进成本比订单还高。"),
        Text("Put good answers on a page that can be found, and let people come when they are ready.",
             "把常见问题写成能搜到的页面，等客户准备好自己来。"),
        value="low", decision="weeks months", knowledge="none some",
    ),
    _veto(
        Text("Bought in passing, little money, nobody waits for the next time, and hardly any "
             "customers yet: there is nothing that would bring people back.",
             "顺手买的小东西、没人期待下次、客户也还不多：没有理由让人回来。"),
        Text("Improve the shelf, the page and the first order; ask again when people return by "
             "themselves.", "先把货架、页面和首单体验做好，有回头客了再考虑。"),
        stage="first", decision="minutes", knowledge="none", value="low", intent="low",
    ),
    _veto(
        Text("Bought once in years, nothing to talk about in between: the group would be silent.",
             "几年才买一次，中间也没什么可聊：群会很快沉默。"),
        Text("Answer each one personally, and ask for a recommendation afterwards.",
             "一对一服务好，成交后请客户转介绍。"),
        decision="months", knowledge="none", intent="low offer",
    ),
)  # fmt: skip


def read_answers(given: Mapping[str, str]) -> Answers:
    """The five answers; raises `WrongAnswerError` where one is missing or none of the choices."""
    allowed = {"stage": Stage, "decision": Decision, "knowledge": Knowledge, "value": Value,
               "intent": Intent}  # fmt: skip
    for question in QUESTIONS:
        if given.get(question.key) not in get_args(allowed[question.key]):
            raise WrongAnswerError(question=question.words)
    return Answers(**{name: given[name] for name in allowed})  # type: ignore[arg-type]  # checked above to be one of each


def judge_fit(answers: Answers, blueprints: Iterable[Blueprint]) -> Fit:
    """Whether a group suits, and the kind that the answers speak for most; ties by order. The
    same answers always give the same result."""
    given = asdict(answers)
    for veto in _VETOES:
        if all(given[name] in values for name, values in veto.when.items()):
            return Fit(
                None, (Reason("", veto.why, False), *_say(given, veto.when)), veto.instead
            )
    ranked = sorted(blueprints, key=lambda b: (-count_points(b, answers), b.order, b.key))
    best = ranked[0] if ranked else None
    if best is None or count_points(best, answers) < LEAST:
        return Fit(None, (Reason("", _NOTHING, False), *_say(given, given)), _FEW)
    others = [b.key for b in ranked[1:3] if count_points(b, answers) >= LEAST]
    return Fit(best.key, _weigh(best, given), others=tuple(others))


_NOTHING = Text(
    "Your answers pull in different directions: no kind of group fits well enough to be worth "
    "the work.",
    "你的回答方向不一致：没有哪种群合适到值得投入。",
)


def count_points(blueprint: Blueprint, answers: Answers) -> int:
    """How much the answers speak for a kind of group."""
    return sum(_points(blueprint, name, value) for name, value in asdict(answers).items())


def _points(blueprint: Blueprint, question: str, answer: str) -> int:
    points: dict[str, int] = getattr(blueprint.fit, question)
    return points.get(answer, 0)


def _weigh(best: Blueprint, given: Mapping[str, str]) -> tuple[Reason, ...]:
    """The answers that decided, the strongest first; those without a say are left out."""
    weights = {name: _points(best, name, value) for name, value in given.items()}
    told = sorted((n for n in weights if weights[n]), key=lambda n: -weights[n])
    return tuple(Reason(n, find_meaning(n, given[n]), weights[n] > 0) for n in told)


def _say(given: Mapping[str, str], names: Iterable[str]) -> tuple[Reason, ...]:
    return tuple(Reason(name, find_meaning(name, given[name]), False) for name in names)


def find_meaning(question: str, answer: str) -> Text:
    """What an answer means for a group."""
    asked = next(q for q in QUESTIONS if q.key == question)
    return next(meaning for key, _, meaning in asked.answers if key == answer)

"""What a sample shall be: how much, since when, by which seed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import ClassVar
from zoneinfo import ZoneInfo

from qunluo.kit.errors import QunluoError
from qunluo.kit.text import Text

SHANGHAI = ZoneInfo("Asia/Shanghai")
STUDY_MESSAGES = 510_000
STUDY_GROUPS = 67
STUDY_SPEAKERS = 5_823
BRAND_SHARE, SYSTEM_SHARE = 0.70, 0.03
LEAST_MESSAGES, LEAST_DAYS = 200, 60
MOST_SPEAKERS = 0.33  # per member message


class PlanImpossibleError(QunluoError):
    """The sizes asked for contradict each other."""

    code: ClassVar[str] = "plan_impossible"
    sentence: ClassVar[Text] = Text(
        "A sample of {messages} messages, {groups} groups and {speakers} speakers over {days} "
        "days can't be made: {why}.",
        "无法生成 {messages} 条消息、{groups} 个群、{speakers} 位发言者、跨度 {days} 天的样例：{why}。",
    )


@dataclass(frozen=True)
class Plan:
    """Sizes of a sample. The defaults are those of the reference study.

    `first_on` and `last_on` are the local days (of `zone`) of the first and last message.
    """

    messages: int = STUDY_MESSAGES
    groups: int = STUDY_GROUPS
    speakers: int = STUDY_SPEAKERS
    seed: int = 1
    first_on: date = date(2021, 8, 18)
    last_on: date = date(2023, 3, 20)
    zone: ZoneInfo = SHANGHAI

    @classmethod
    def sized(cls, messages: int, seed: int = 1) -> Plan:
        """A plan of `messages` with fitting groups and speakers.

        Above the study both grow with the messages. Below it they shrink more slowly, so
        that a small sample still has several groups and people.
        """
        size = messages / STUDY_MESSAGES
        groups = max(3, round(STUDY_GROUPS * size ** (1.0 if size > 1 else 0.5)))
        speakers = max(17, round(STUDY_SPEAKERS * size ** (1.0 if size > 1 else 0.75)))
        return cls(messages, groups, speakers, seed)

    def check(self) -> None:
        """Raises `PlanImpossibleError` where the sizes don't fit together."""
        if why := self._contradiction():
            raise PlanImpossibleError(
                messages=self.messages,
                groups=self.groups,
                speakers=self.speakers,
                days=self.days,
                why=why,
            )

    @property
    def days(self) -> int:
        return (self.last_on - self.first_on).days + 1

    @property
    def brand_messages(self) -> int:
        return round(self.messages * BRAND_SHARE)

    @property
    def system_messages(self) -> int:
        return round(self.messages * SYSTEM_SHARE)

    @property
    def member_messages(self) -> int:
        return self.messages - self.brand_messages - self.system_messages

    def _contradiction(self) -> Text | None:
        if self.messages < LEAST_MESSAGES or self.days < LEAST_DAYS or self.groups < 1:
            return Text(
                f"it takes at least {LEAST_MESSAGES} messages, {LEAST_DAYS} days and one group",
                f"至少需要 {LEAST_MESSAGES} 条消息、{LEAST_DAYS} 天和一个群",
            )
        if self.speakers > self.member_messages * MOST_SPEAKERS:
            return Text("too few messages for so many speakers", "发言者太多而消息太少")
        if self.speakers < 5 * self.groups + 1 or self.brand_messages < 20 * self.groups:
            return Text(
                "too few messages or speakers for so many groups", "群太多而消息或发言者太少"
            )
        return None

"""A million invented people and what they say, from a seed: the same at every run."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from random import Random

SEED = 11
HEADER = ("姓名", "手机号", "编号", "城市")
SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡"
    "余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛阎段雷侯龙"
)
GIVEN = (
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰红波宁辉梅鹏琳浩宇欣怡子涵梓轩"
    "思雨佳琪志建国文博晨曦若云飞雪晓东春燕丹萍璐莹颖凯航睿泽俊豪"
)
FIRST = (
    "Alice",
    "Bruno",
    "Carol",
    "Daniel",
    "Elena",
    "Farid",
    "Grace",
    "Henrik",
    "Ines",
    "Jun",
)
LAST = ("Miller", "Okafor", "Silva", "Novak", "Tanaka", "Dubois", "Rossi", "Schmidt", "Khan")
CITIES = (
    "上海", "北京", "广州", "深圳", "杭州", "成都", "苏州", "武汉", "南京", "重庆", "西安", "长沙",
    "天津", "郑州", "青岛", "宁波", "合肥", "佛山", "东莞", "无锡", "厦门", "福州", "济南", "昆明",
    "沈阳", "大连", "哈尔滨", "长春", "石家庄", "南昌", "贵阳", "南宁", "太原", "兰州", "海口",
)  # fmt: skip
FIRST_CITY = "敦煌"  # where the oldest 2 % come from, and nobody later
PHRASES = (
    "今晚8点发货", "请问还有货吗", "好的", "收到谢谢", "我也想要一份", "什么时候开团", "草莓很新鲜",
    "明天可以自提吗", "价格是多少", "已经付款了", "地址发给你了", "周末一起跑步", "教练今天请假",
    "孩子几点放学", "作业是第三页", "优惠券怎么领", "链接打不开", "欢迎新朋友", "早上好", "晚安",
    "这家店的面很好吃", "地铁口见", "下雨了改天吧", "照片真好看", "帮我留两箱", "退款到账了吗",
)  # fmt: skip
LATIN = ("free shipping", "see you at 8pm", "thank you", "what size", "sold out", "ok", "great")
FIRST_WORD = "开业大吉"  # what the oldest 2 % of the messages say, and no later one
OLDEST = 50  # one in so many

_BY_RANK = [1 / (rank + 2) for rank in range(len(SURNAMES))]


def write_people(path: Path, count: int) -> None:
    """A CSV of so many: name, phone, id, city."""
    dice, weights = Random(SEED), list(accumulate(_BY_RANK))
    near = list(accumulate(1 / (rank + 3) for rank in range(len(CITIES))))
    with path.open("w", encoding="utf-8", newline="") as file:
        sheet = csv.writer(file)
        sheet.writerow(HEADER)
        for number in range(count):
            old = number < count // OLDEST
            city = FIRST_CITY if old else dice.choices(CITIES, cum_weights=near)[0]
            sheet.writerow((_name(dice, weights), phone(number), account(number), city))


def phone(number: int) -> str:
    return str(13_800_000_000 + number)


def account(number: int) -> str:
    return f"vip{number:07d}"


def _name(dice: Random, weights: list[float]) -> str:
    if dice.random() < 0.1:
        return f"{dice.choice(FIRST)} {dice.choice(LAST)}"
    given = "".join(dice.choices(GIVEN, k=1 + (dice.random() < 0.8)))
    return dice.choices(SURNAMES, cum_weights=weights)[0] + given


def sayings(count: int) -> Iterator[str]:
    """What is said, the oldest first: one to four phrases, some with a number of an order."""
    dice = Random(SEED + 1)
    for number in range(count):
        said = dice.choices(PHRASES, k=1 + int(dice.random() ** 2 * 4))
        if dice.random() < 0.15:
            said.append(dice.choice(LATIN))
        if dice.random() < 0.1:
            said.append(f"订单{dice.randrange(10**6):06d}")
        if number < count // OLDEST:
            said.append(FIRST_WORD)
        yield "，".join(said)

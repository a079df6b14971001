"""A statement says why something moved, in words and never by a code."""

from __future__ import annotations

import re

import pytest
from django.utils.translation import override

from qunluo.community.models import Community
from qunluo.console.campaigns.causes import say_causes
from qunluo.console.campaigns.words import store_word, unit_word

pytestmark = pytest.mark.django_db

CAUSES = {
    ("stock:1:console:e41db666e8c02b21-1", "首次进货"): "首次进货",
    ("stock:1:console:e41db666e8c02b21-1", ""): "库存调整",
    ("campaign:1:fund:worst:0:pool:prize0:points", "春茶"): "为“春茶”预留预算",
    ("campaign:1:grant:leader|178|9459b9daedf489a4", "春茶"): "“春茶”承诺了奖励",
    ("campaign:1:vest:leader|178|9459b9daedf489a4", "春茶"): "“春茶”发放了奖励",
    ("campaign:1:9459b9daedf489a4:1:0", "春茶"): "有人参与“春茶”",
    ("campaign:1:back:7:2", "春茶"): "“春茶”剩余预算退回",
    ("capture:4", "order:4:1"): "订单付款出库",
    ("refund:4:goods", "R1"): "退款 R1",
    ("uncampaign:1:vest:leader", "春茶"): "撤回：“春茶”发放了奖励",
}


def test_causes_are_said_in_words(tea: Community) -> None:
    with override("zh-hans"):
        assert say_causes(tea, list(CAUSES)) == list(CAUSES.values())
    with override("en"):
        assert not [s for s in say_causes(tea, list(CAUSES)) if re.search("[:|]", s[12:])]


def test_stores_and_units_of_no_name_have_words() -> None:
    with override("zh-hans"):
        assert [store_word(n) for n in ("prize0", "coupons", "free", "pieces")] == [
            "第 1 项奖品", "待发的券", "赠送件数", "可售件数",
        ]  # fmt: skip
        assert "茶杯" in store_word("茶杯")
        assert unit_word("gift:free") == "赠送件数"

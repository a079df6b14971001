"""Coupons of an installation from before each had a row of its own are there after its update."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.apps import apps

from qunluo.campaigns.mechanics.coupon import CLAIM
from qunluo.campaigns.models import Coupon
from qunluo.community.models import Community
from tests.campaigns.running import act, done, holds, run
from tests.cast import make_member

pytestmark = pytest.mark.django_db
FIELDS = ("reward_id", "number", "member_id", "unit", "template_id", "state", "valid_from",
          "valid_until")  # fmt: skip


def test_who_was_given_a_coupon_has_it_after_the_update_and_once(
    tea: Community, noon: object
) -> None:
    update = import_module("qunluo.campaigns.migrations.0004_coupons_given_before").make_rows
    rules = {"name": "five", "total": 10, "off_minor": 500, "threshold_minor": 3_000}
    campaign = run(tea, "coupon", rules)
    for _ in range(2):
        done(act(campaign, make_member(tea), CLAIM))
    there = list(Coupon.objects.order_by("reward_id").values(*FIELDS))
    Coupon.objects.all().delete()
    for _ in range(2):
        update(apps, None)
        assert list(Coupon.objects.order_by("reward_id").values(*FIELDS)) == there
    holds(tea)

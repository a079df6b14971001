"""Coupons that were given as rewards before each had a row of its own get theirs."""

from datetime import timedelta
from typing import Any

from django.db import migrations

UNIT, MODEL = "coupon:", "coupon"


def make_rows(apps: Any, _editor: Any) -> None:
    rewards = apps.get_model("campaigns", "Reward").objects.filter(
        unit__startswith=UNIT, state="paid", coupons=None
    )
    versions = apps.get_model("campaigns", "CampaignVersion").objects
    coupons = apps.get_model("campaigns", "Coupon").objects
    for reward in rewards.select_related("campaign__version").iterator():
        template = _template(reward, versions)
        days = template.rules.get("valid_days", 7) if template else None
        coupons.bulk_create(
            coupons.model(
                reward=reward, number=number, member_id=reward.member_id, unit=reward.unit,
                template=template, valid_from=reward.at,
                valid_until=reward.at + timedelta(days=days) if days else None,
            )
            for number in range(1, reward.amount + 1)
        )  # fmt: skip


def _template(reward: Any, versions: Any) -> Any:
    """As `coupons._template` finds it."""
    if reward.campaign.mechanic == MODEL:
        return reward.campaign.version
    rows = versions.filter(
        campaign__community=reward.campaign.community_id, campaign__mechanic=MODEL,
        campaign__version__isnull=False, rules__name=reward.unit.removeprefix(UNIT),
    )  # fmt: skip
    return rows.order_by("-pk").first()


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0003_coupons")]

    operations = [migrations.RunPython(make_rows, migrations.RunPython.noop)]

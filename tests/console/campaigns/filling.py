"""What an operator types into the wizard."""

from __future__ import annotations

from datetime import datetime, timedelta

BARGAIN = {
    "name": "Pots at a bargain", "goal": "Win new members", "segment": "", "group": "",
    "starts": "", "ends": "2026-03-09T12:00",
    "r.sku": "tea", "r.start_minor": "50.00", "r.floor_minor": "20", "r.helpers": "3",
    "r.cut_min_minor": "5", "r.cut_max_minor": "15", "r.newcomer_bonus_minor": "0",
    "r.minutes": "1", "r.minutes~unit": "1440", "r.pay_minutes": "2", "r.pay_minutes~unit": "60",
    "r.buy_early": "1", "r.plays_each": "1", "r.helps_each": "3", "r.winners": "10",
}  # fmt: skip
GROUP_BUY = {
    "name": "Together", "goal": "", "segment": "", "group": "", "starts": "", "ends": "",
    "r.prices.size": "1", "r.prices.0.sku": "tea", "r.prices.0.price_minor": "45",
    "r.size": "3", "r.tiers.size": "2", "r.tiers.0.people": "5", "r.tiers.0.off_minor": "2",
    "r.tiers.1.people": "8", "r.tiers.1.off_minor": "4.50",
    "r.minutes": "24", "r.minutes~unit": "60", "r.pay_minutes": "15", "r.pay_minutes~unit": "1",
    "r.quantity_most": "1", "r.groups_each": "1", "r.guarantee_from": "0",
    "r.leader_bonus~what": "cent", "r.leader_bonus": "6.00", "r.leader_bonus~name": "",
    "r.hold_days": "7", "r.groups": "10",
}  # fmt: skip
WHYS = {"why:wechat_sharing": "web room only", "why:below_cost": "to bring people in",
        "why:no_end": "it runs until stock is gone"}  # fmt: skip


def later(now: datetime, **span: int) -> str:
    return f"{now + timedelta(**span):%Y-%m-%dT%H:%M}"

"""The API of version 1, put together."""

from __future__ import annotations

from qunluo.api.areas import (
    campaigns,
    care,
    codes,
    community,
    events,
    groups,
    introductions,
    launching,
    members,
    messages,
    moderation,
    orders,
    outgoing,
    segments,
    shop,
    webhooks,
)
from qunluo.api.operations import Area, Bearer, CleanParser, DescribedAPI
from qunluo.api.problems import answer_problems

AREAS: tuple[Area, ...] = (
    community.area, groups.area, launching.area, members.area, codes.area, messages.area, moderation.area,
    outgoing.area, orders.area, events.area, webhooks.area, care.area,
    segments.area, introductions.area, shop.area, campaigns.area,
)  # fmt: skip

api = DescribedAPI(
    title="Qunluo", version="1", urls_namespace="api", docs_url=None, auth=Bearer(),
    parser=CleanParser(),
    description="Everything the console does, for programs. Tokens are made in the console.",
)  # fmt: skip
answer_problems(api)
for _area in AREAS:
    api.add_router("", _area.router)

"""The community of the token."""

from __future__ import annotations

from datetime import datetime

from ninja import Schema

from qunluo.api.operations import Area, Call
from qunluo.community.models import Community

area = Area("community")


class CommunityOut(Schema):
    id: int
    name: str
    slug: str
    zone: str
    lang: str
    simulated: bool
    made_at: datetime


@area.get("/communities", "community:read", list[CommunityOut])
def list_communities(request: Call) -> list[Community]:
    """The communities of this token: the one it was made in."""
    return [request.auth.community]

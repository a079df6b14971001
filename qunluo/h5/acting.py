"""What members press in a campaign, carried out together with all that is pressed meanwhile.

Who somebody is, whether they may, and what follows is asked once for all that wait: a crowd at
one hot thing costs a few statements a batch, not many for each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.db import connection

from qunluo.campaigns.combining import Combiner
from qunluo.campaigns.invites import facts_of_all
from qunluo.campaigns.models import Campaign
from qunluo.campaigns.playing import Answer, Tap, do_taps
from qunluo.campaigns.registry import find_mechanic
from qunluo.channels.web.sessions import find_members
from qunluo.h5.errors import NotHereError
from qunluo.kit.errors import QunluoError
from qunluo.members.models import Member


@dataclass(frozen=True)
class Press:
    """One press of a button: by whose cookie, what, and the key under which it happens once."""

    cookie: str
    kind: str
    key: str
    play: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


Said = Answer | QunluoError
_combiner: Combiner[Press, Said] = Combiner()


def do_press(code: str, press: Press) -> Said:
    """What came of it. An error is a value here: one who may not spoils nobody's batch."""
    carry_out = partial(_carry_out, code)
    if connection.in_atomic_block:  # of a caller, who decides whether any of it stays
        return carry_out([press])[0]
    return _combiner.do(code, press, carry_out)


def _carry_out(code: str, presses: Sequence[Press]) -> list[Said]:
    campaign = Campaign.objects.select_related("community", "version").get(code=code)
    members = find_members({press.cookie for press in presses}, campaign.community_id)
    for member in members.values():
        member.community = campaign.community
    known = [(members[press.cookie], press) for press in presses if press.cookie in members]
    facts = _find_facts(campaign, known)
    taps = [
        Tap(member, press.kind, press.key, press.play, press.data, facts.get(member.pk, {}))
        for member, press in known
    ]
    answers = iter(do_taps(campaign, taps))
    return [next(answers) if press.cookie in members else NotHereError() for press in presses]


def _find_facts(
    campaign: Campaign, known: Sequence[tuple[Member, Press]]
) -> Mapping[int, Mapping[str, Any]]:
    """Of those whose act looks at them."""
    asks = find_mechanic(campaign.mechanic).asks
    who = {m.pk: m for m, press in known if asks is None or press.kind in asks}
    return facts_of_all(campaign, list(who.values()))

"""What people decide about doubted friends: keep or void, and after an appeal restore, exactly.

Where a model takes a single help or invite back itself, it does (`void`, `restore`: acts of the
play); elsewhere the reward that names the friend is taken back. What was changed is kept, and an
appeal that was right puts the same value back where it was: what waited waits for the same day,
what was paid is paid, with the day on which it expires, and nothing is owed any more.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction

from qunluo.campaigns.coupons import do_match
from qunluo.campaigns.errors import (
    AppealedError,
    DecidedError,
    NothingToVoidError,
    NoWhyError,
)
from qunluo.campaigns.live import Live
from qunluo.campaigns.mechanics.kernel import Refused, Revoke
from qunluo.campaigns.models import Campaign, Reward, Suspicion
from qunluo.campaigns.playing import Asked, do_act_for
from qunluo.campaigns.registry import find_mechanic
from qunluo.campaigns.writing import do_write
from qunluo.care.telling import do_tell
from qunluo.events.actions import record
from qunluo.kit import clock
from qunluo.kit.text import Text
from qunluo.ledger.actions import Leg, do_reverse, do_transfer
from qunluo.ledger.models import Lot, Transfer
from qunluo.members.models import Member

VOID, RESTORE = "void", "restore"
LONGEST = 1_000  # of an appeal
GONE = Text("A friend did not count on review: {why}", "经核查，有好友不计入：{why}")
# fmt: off
TOLD_VOID = Text(
    "In “{name}” a friend of yours does not count on review. Your page of invitations says why, "
    "and you can appeal there.",
    "“{name}”中有一位好友经核查不计入。你的邀请页面写有原因，可以在那里申诉。")
TOLD_BACK = Text(
    "Your appeal about “{name}” was right: everything is as it was.",
    "你对“{name}”的申诉成立，奖励已全部恢复。")
TOLD_STANDS = Text(
    "Your appeal about “{name}” was looked at, and the decision stands: {answer}",
    "你对“{name}”的申诉已复核，维持原判：{answer}")
# fmt: on


# deciding


@transaction.atomic
def do_keep_friend(found: Suspicion, *, why: str, by: str) -> Suspicion:
    """A person looked, and the friend counts. Raises `DecidedError`, `NoWhyError`."""
    found = _decide(_lock(found, "open", "noted"), "kept", why, by)
    _record("invite_kept", found, by)
    return found


@transaction.atomic
def do_void_friend(found: Suspicion, *, why: str, by: str) -> Suspicion:
    """A friend does not count: what they brought is taken back, out of what waits or from what
    was paid. Raises `DecidedError`, `NoWhyError`, `NothingToVoidError`."""
    found = _lock(found, "open", "noted", "kept")
    if not why.strip():
        raise NoWhyError
    before = _rewards(found)
    acted = _act(found, VOID, why, by)
    _revoke(found, why, by)
    after = _rewards(found)
    taken = [
        {"reward": pk, "state": state} for pk, state in before.items() if after[pk] != state
    ]
    if not acted and not taken:
        raise NothingToVoidError
    found.undo = {"acted": acted, "rewards": taken}
    _tell(found, TOLD_VOID, "voided", found.inviter)
    _decide(found, "voided", why, by)
    _record("invite_voided", found, by)
    return found


def _lock(found: Suspicion, *states: str) -> Suspicion:
    rows = Suspicion.objects.select_for_update(of=("self",)).select_related(
        "campaign__community", "campaign__version", "inviter", "member"
    )
    row = rows.get(pk=found.pk)
    if row.state not in states:
        raise DecidedError
    return row


def _decide(found: Suspicion, state: str, why: str, by: str) -> Suspicion:
    if not why.strip():
        raise NoWhyError
    found.state, found.why, found.by = state, why.strip()[:200], by
    found.decided_at = clock.now()
    found.save(update_fields=["state", "why", "by", "decided_at", "undo"])
    return found


def _record(kind: str, found: Suspicion, by: str) -> None:
    record(kind, community=found.community_id, member=found.member_id, actor=by,
           data={"campaign": found.campaign_id, "play": found.play,
                 "suspicion": found.pk})  # fmt: skip


def _tell(found: Suspicion, words: Text, what: str, member: Member | None, **more: str) -> None:
    if member is not None:
        text = words.format(name=found.campaign.name, **more)(found.campaign.community.lang)
        do_tell(member, text, cause=f"invite:{found.pk}:{what}")


def _rewards(found: Suspicion) -> dict[int, str]:
    rows = Reward.objects.filter(campaign=found.campaign, play=found.play)
    return dict(rows.values_list("pk", "state"))


# taking back


def _act(found: Suspicion, kind: str, why: str, by: str) -> bool:
    """The act of the play, where its model knows it; whether it was one."""
    if kind not in find_mechanic(found.campaign.mechanic).staff:
        return False
    names = dict.fromkeys(("helper", "invitee", "friend"), found.member_id)
    asked = Asked(
        kind, f"{kind}:{found.pk}", found.play, None, {**names, "why": why},
        _as_of(found) if kind == VOID else None,
    )  # fmt: skip
    answer = do_act_for(found.campaign, asked, by=by)
    if isinstance(answer, Refused):
        raise NothingToVoidError
    return True


def _as_of(found: Suspicion) -> Any:
    """What waits longer than planned because of the doubt is decided as of then."""
    late = Reward.objects.filter(
        campaign=found.campaign, play=found.play, state="pending", vests_at__lte=clock.now()
    )
    return found.at if late.exists() else None


def _revoke(found: Suspicion, why: str, by: str) -> None:
    """Rewards for this very friend that stand, whatever the play's own act took back."""
    rows = Reward.objects.filter(campaign=found.campaign, play=found.play)
    mine = rows.filter(rule=f"each:{found.member_id}") | rows.filter(
        cause=f"friend:{found.member_id}"
    )
    live = Live(found.campaign)
    for row in mine.exclude(state="clawed_back").order_by("name"):
        live.revoke(Revoke(row.name, GONE.format(why=why)))
    if live.postings:
        do_write(live, by=by)


# appeals


@transaction.atomic
def do_appeal(found: Suspicion, text: str, *, member: Member) -> Suspicion:
    """Who lost by a decision says why it was wrong, once. Raises `AppealedError`,
    `DecidedError`, `NoWhyError`."""
    found = _lock(found, "voided")
    if member.pk not in (found.inviter_id, found.member_id) or found.appealed_at:
        raise AppealedError
    if not text.strip():
        raise NoWhyError
    found.appeal, found.appealed_by = text.strip()[:LONGEST], member
    found.appealed_at = clock.now()
    found.save(update_fields=["appeal", "appealed_by", "appealed_at"])
    _record("invite_appealed", found, member.actor)
    return found


@transaction.atomic
def do_answer_appeal(found: Suspicion, *, restore: bool, answer: str, by: str) -> Suspicion:
    """Restores everything, or says why not. Raises `DecidedError`, `NoWhyError`, and what the
    ledger says where the campaign has not enough left to give back."""
    found = _lock(found, "voided")
    if found.appealed_at is None or found.answered_at is not None:
        raise DecidedError
    if not answer.strip():
        raise NoWhyError
    if restore:
        _restore(found, by)
        found.state = "restored"
    found.answer, found.answered_by = answer.strip()[:200], by
    found.answered_at = clock.now()
    found.save(update_fields=["state", "answer", "answered_by", "answered_at"])
    _record("invite_restored" if restore else "invite_appeal_refused", found, by)
    words = TOLD_BACK if restore else TOLD_STANDS
    _tell(found, words, "answered", found.appealed_by, answer=found.answer)
    return found


def _restore(found: Suspicion, by: str) -> None:
    known = set(_rewards(found))
    if found.undo.get("acted"):
        _act(found, RESTORE, found.why, by)
    fresh = list(
        Reward.objects.filter(campaign=found.campaign, play=found.play)
        .exclude(pk__in=known).order_by("pk")
    )  # fmt: skip
    for taken in found.undo.get("rewards", []):
        old = Reward.objects.get(pk=taken["reward"])
        twin = next((row for row in fresh if _same(row, old)), None)
        if twin is None:
            _give_back(found.campaign, old, taken["state"], by)
        else:
            fresh.remove(twin)
            _as_before(found.campaign, twin, old, taken["state"], by)


def _same(new: Reward, old: Reward) -> bool:
    same = ("rule", "member_id", "unit", "amount")
    return all(getattr(new, name) == getattr(old, name) for name in same)


def _give_back(campaign: Campaign, old: Reward, state: str, by: str) -> None:
    """The same reward again: the transfers that took it back are reversed."""
    for found in _taken(campaign, old):
        do_reverse(found, cause=_restoring(found), by=by, note=campaign.name)
    Reward.objects.filter(pk=old.pk).update(state=state, why="")
    do_match(Reward.objects.select_related("campaign__version").filter(pk=old.pk))


def _restoring(found: Transfer) -> str:
    return found.cause.replace(":revoke:", ":restore:", 1)


def _taken(campaign: Campaign, old: Reward) -> list[Transfer]:
    cause = f"campaign:{campaign.pk}:revoke:{old.name}"
    rows = Transfer.objects.filter(
        community_id=campaign.community_id, cause__in=[cause, f"{cause}:owed"]
    )
    return list(rows.order_by("-pk"))


def _as_before(campaign: Campaign, twin: Reward, old: Reward, state: str, by: str) -> None:
    """The play gave the reward anew: it waits as long as the first one would have, or is paid
    with the first one's own expiry, and pays what was owed for it."""
    Reward.objects.filter(pk=twin.pk).update(vests=old.vests, vests_at=old.vests_at)
    if state != "paid":
        return
    live = Live(campaign)
    if live.vest(twin.name):
        do_write(live, by=by)
    _keep_expiry(campaign, twin, old)
    for found in _taken(campaign, old):
        if found.cause.endswith(":owed"):
            _settle(campaign, old, found, by)


def _keep_expiry(campaign: Campaign, twin: Reward, old: Reward) -> None:
    vest = f"campaign:{campaign.pk}:vest:"
    lots = Lot.objects.filter(account__community_id=campaign.community_id)
    first = lots.filter(entry__transfer__cause=f"{vest}{old.name}").first()
    if first is not None:
        new = lots.filter(entry__transfer__cause=f"{vest}{twin.name}")
        new.update(expires_at=first.expires_at)


def _settle(campaign: Campaign, old: Reward, owed: Transfer, by: str) -> None:
    """What the member had spent, and owed since, is paid out of what they got back."""
    debt = next(e for e in owed.entries.select_related("account") if e.amount < 0)
    vest = Transfer.objects.get(
        community_id=campaign.community_id, cause=f"campaign:{campaign.pk}:vest:{old.name}"
    )
    mine = next(e for e in vest.entries.select_related("account") if e.amount > 0)
    do_transfer(
        campaign.community_id, cause=f"{_restoring(owed)}:settled", by=by, note=campaign.name,
        legs=[Leg(mine.account, debt.amount), Leg(debt.account, -debt.amount)],
    )  # fmt: skip

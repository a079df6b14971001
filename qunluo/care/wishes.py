"""The wish list 心愿单: made and voted for by members, merged and answered by staff.

A vote is one row with a unique key, and moves the wish's number by one conditional statement in
the same transaction: a wish that is answered or merged meanwhile takes no vote any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db import IntegrityError, transaction
from django.db.models import Count, F, QuerySet

from qunluo.care.errors import (
    NotInGroupError,
    SameWishError,
    TooManyWishesError,
    WhyMissingError,
    WishClosedError,
    WordsMissingError,
)
from qunluo.care.models import Support, Wish, WishMerge
from qunluo.care.rules import likeness
from qunluo.care.telling import do_call_off, do_tell, is_here
from qunluo.community.models import Community
from qunluo.events.actions import record
from qunluo.events.models import Event
from qunluo.kit import clock
from qunluo.kit.text import Text
from qunluo.members.models import Member

ANSWERS = ("product", "campaign", "no")
MOST_OPEN = 10  # of one member
TITLE = 120
TELL_AT_ONCE = 200
ALIKE = 0.15  # share of common words from which two wishes may be one
COMPARED = 300

TOLD: dict[str, Text] = {
    "product": Text(
        "Your wish “{title}” comes true: it becomes a product. {answer}",
        "你支持的心愿“{title}”要实现了：将推出产品。{answer}",
    ),
    "campaign": Text(
        "Your wish “{title}” comes true: it becomes a campaign. {answer}",
        "你支持的心愿“{title}”要实现了：将推出活动。{answer}",
    ),
    "no": Text(
        "Your wish “{title}” can't be fulfilled, and this is why: {answer}",
        "你支持的心愿“{title}”暂时无法实现，原因是：{answer}",
    ),
}

REOPENED = Text(
    "The wish “{title}” that you voted for is open again: {why}",
    "你支持的心愿“{title}”重新开放讨论：{why}",
)

# reading


def list_wishes(community: Community, *states: str) -> QuerySet[Wish]:
    """Wishes in these states, those with the most votes first."""
    rows = Wish.objects.filter(community=community, state__in=states or ("open",))
    return rows.select_related("member").order_by("-votes", "id")


def find_kept(wish: Wish) -> Wish:
    """The wish itself, or the one that it is part of now."""
    while wish.merged_into is not None:
        wish = wish.merged_into
    return wish


def list_supported(member: Member, wishes: Iterable[Wish]) -> set[int]:
    """Which of the wishes a member voted for."""
    ids = [wish.pk for wish in wishes]
    rows = Support.objects.filter(member=member, wish__in=ids)
    return set(rows.values_list("wish_id", flat=True))


def list_alike(wish: Wish, others: Sequence[Wish]) -> list[Wish]:
    """Other wishes, those that say nearly the same first."""
    mine = f"{wish.title} {wish.text}"
    rest = [other for other in others[:COMPARED] if other.pk != wish.pk]
    return sorted(rest, key=lambda o: (-likeness(mine, f"{o.title} {o.text}"), -o.votes, o.pk))


def looks_alike(wish: Wish, other: Wish) -> bool:
    return likeness(f"{wish.title} {wish.text}", f"{other.title} {other.text}") >= ALIKE


# members


@transaction.atomic
def do_make_wish(
    community: Community, *, title: str, text: str = "", member: Member | None = None, by: str
) -> Wish:
    """A new wish; who makes it votes for it. Raises `WordsMissingError`, `NotInGroupError`,
    `TooManyWishesError`."""
    title = " ".join(title.split())[:TITLE]
    if not title:
        raise WordsMissingError
    if member is not None and not by.startswith("staff:"):
        _check_member(member)
    wish = Wish.objects.create(
        community=community, member=member, title=title, text=text.strip()[:2000], by=by,
        at=clock.now(),
    )  # fmt: skip
    record("wish_made", community=community.pk, actor=by, member=member.pk if member else None,
           data={"wish": wish.pk})  # fmt: skip
    if member is not None:
        do_vote(wish, member, by=by)
    return wish


def _check_member(member: Member) -> None:
    if not is_here(member):
        raise NotInGroupError
    Member.objects.select_for_update().get(pk=member.pk)  # two at once count as two
    if Wish.objects.filter(member=member, state="open").count() >= MOST_OPEN:
        raise TooManyWishesError(most=MOST_OPEN)


def do_vote(wish: Wish, member: Member, *, by: str) -> bool:
    """Votes for an open wish; whether that was new. Raises `WishClosedError`,
    `NotInGroupError`."""
    if not by.startswith("staff:") and not is_here(member):
        raise NotInGroupError
    try:
        with transaction.atomic():
            _claim(wish, 1)
            Support.objects.create(wish=wish, member=member, at=clock.now())
            record("wish_voted", community=wish.community_id, actor=by, member=member.pk,
                   data={"wish": wish.pk})  # fmt: skip
    except IntegrityError:  # they had voted
        wish.refresh_from_db(fields=["votes", "state"])
        return False
    return True


@transaction.atomic
def do_take_back_vote(wish: Wish, member: Member, *, by: str) -> bool:
    """Takes a vote back; whether there was one. Raises `WishClosedError`."""
    _claim(wish, 0)
    removed, _ = Support.objects.filter(wish=wish, member=member).delete()
    if not removed:
        return False
    _claim(wish, -1)
    record("wish_vote_taken_back", community=wish.community_id, actor=by, member=member.pk,
           data={"wish": wish.pk})  # fmt: skip
    return True


def _claim(wish: Wish, votes: int) -> None:
    """One statement moves the number, of an open wish only, and holds its row to the end."""
    if not Wish.objects.filter(pk=wish.pk, state="open").update(votes=F("votes") + votes):
        raise WishClosedError
    wish.refresh_from_db(fields=["votes", "state"])


# staff: one wish of two


@transaction.atomic
def do_merge_wishes(kept: Wish, gone: Wish, *, by: str) -> WishMerge:
    """Makes one wish of two open ones; who voted for both counts once. Raises
    `SameWishError`, `WishClosedError`."""
    if kept.pk == gone.pk or kept.community_id != gone.community_id:
        raise SameWishError
    for wish in sorted((kept, gone), key=lambda w: w.pk):  # two merges can't block each other
        _claim(wish, 0)
    Wish.objects.filter(pk=gone.pk).update(state="merged", merged_into=kept)
    merge = WishMerge.objects.create(kept=kept, gone=gone, by=by, at=clock.now())
    _gather(merge)
    _recount([kept.pk])
    record("wish_merged", community=kept.community_id, actor=by,
           data={"wish": kept.pk, "gone": gone.pk, "merge": merge.pk})  # fmt: skip
    kept.refresh_from_db()
    gone.refresh_from_db()
    return merge


def _gather(merge: WishMerge) -> None:
    """Votes go over, but of those who have one there."""
    there = Support.objects.filter(wish=merge.kept).values("member")
    rows = Support.objects.filter(wish=merge.gone).exclude(member__in=there)
    moved = list(rows.values_list("pk", flat=True))
    for start in range(0, len(moved), 500):
        Support.objects.filter(pk__in=moved[start : start + 500]).update(wish=merge.kept)
    merge.moved = sorted({*merge.moved, *moved})
    merge.save(update_fields=["moved"])


@transaction.atomic
def do_undo_wish_merge(merge: WishMerge, *, by: str) -> None:
    """Two wishes again, each with its own votes. Raises `WishClosedError` where it was undone,
    or where the wish that was kept is not open."""
    _claim(merge.kept, 0)
    if not WishMerge.objects.filter(pk=merge.pk, undone_at=None).update(undone_at=clock.now()):
        raise WishClosedError
    merge.refresh_from_db()
    for start in range(0, len(merge.moved), 500):
        rows = Support.objects.filter(pk__in=merge.moved[start : start + 500], wish=merge.kept)
        rows.update(wish=merge.gone)
    Wish.objects.filter(pk=merge.gone_id).update(state="open", merged_into=None)
    for other in merge.kept.merges.filter(undone_at=None).order_by("pk"):
        _gather(other)  # whoever voted there too still counts
    _recount([merge.kept_id, merge.gone_id])
    record("wish_merge_undone", community=merge.kept.community_id, actor=by,
           data={"wish": merge.kept_id, "gone": merge.gone_id, "merge": merge.pk})  # fmt: skip


def _recount(ids: Iterable[int]) -> None:
    for pk in sorted(ids):
        votes = Support.objects.filter(wish=pk).count()
        Wish.objects.filter(pk=pk).update(votes=votes)


# staff: what becomes of it


@transaction.atomic
def do_answer_wish(wish: Wish, kind: str, answer: str, *, by: str) -> Wish:
    """A wish becomes a product, a campaign or a reasoned no; its supporters hear of it.
    Raises `WishClosedError`, `WordsMissingError`."""
    answer = answer.strip()[:1000]
    if not answer or kind not in ANSWERS:
        raise WordsMissingError
    open_ones = Wish.objects.filter(pk=wish.pk, state="open")
    values = {"answer": answer, "answered_by": by, "answered_at": clock.now()}
    untold = {"told_at": None, "told_id": 0, "reopened_at": None, "reopened_why": ""}
    if not open_ones.update(state=kind, **untold, **values):
        raise WishClosedError
    wish.refresh_from_db()
    record("wish_answered", community=wish.community_id, actor=by, member=wish.member_id,
           data={"wish": wish.pk, "answer": kind})  # fmt: skip
    if kind != "no":
        _adopt(wish, by=by)
    return wish


def _adopt(wish: Wish, *, by: str) -> None:
    """Whoever proposed it, or one that became part of it, contributed to the product."""
    parts = [wish, *_list_absorbed(wish)]
    for member in sorted({part.member_id for part in parts if part.member_id}):
        record("wish_adopted", community=wish.community_id, actor=by, member=member,
               data={"wish": wish.pk}, cause=f"wish_adopted:{wish.pk}:{member}")  # fmt: skip


def _list_absorbed(wish: Wish) -> list[Wish]:
    found: list[Wish] = []
    for part in wish.absorbed.filter(state="merged"):
        found += [part, *_list_absorbed(part)]
    return found


@transaction.atomic
def do_set_wish_aside(wish: Wish, *, why: str, by: str) -> None:
    """Takes an open wish out of sight. Raises `WhyMissingError`, `WishClosedError`."""
    if not why.strip():
        raise WhyMissingError
    if not Wish.objects.filter(pk=wish.pk, state="open").update(state="aside"):
        raise WishClosedError
    record("wish_set_aside", community=wish.community_id, actor=by, member=wish.member_id,
           data={"wish": wish.pk, "why": why.strip()[:200]})  # fmt: skip


@transaction.atomic
def do_reopen_wish(wish: Wish, *, why: str = "", by: str) -> None:
    """Brings back what was set aside; or takes an answer back for a reason, which supporters
    hear once, and an answer that has not left yet does not leave. Raises `WishClosedError`,
    `WhyMissingError`."""
    why = " ".join(why.split())[:200]
    if not Wish.objects.filter(pk=wish.pk, state="aside").update(state="open"):
        _take_back(wish, why)
    wish.refresh_from_db()
    record("wish_reopened", community=wish.community_id, actor=by, member=wish.member_id,
           data={"wish": wish.pk, **({"why": why} if why else {})})  # fmt: skip


def _take_back(wish: Wish, why: str) -> None:
    rows = Wish.objects.filter(pk=wish.pk, state__in=ANSWERS)
    if not why and rows.exists():
        raise WhyMissingError
    gone = {"answer": "", "answered_by": "", "answered_at": None, "told_at": None, "told_id": 0}
    again = {"reopened_at": clock.now(), "reopened_why": why, "turn": F("turn") + 1}
    if not rows.update(state="open", **gone, **again):
        raise WishClosedError
    wish.refresh_from_db()
    members = Support.objects.filter(wish=wish).values_list("member", flat=True)
    do_call_off(_cause(wish, wish.turn - 1, member) for member in members)


def _cause(wish: Wish, turn: int, member: int) -> str:
    """What an answer is told for: once to each, and again after it was taken back."""
    return f"wish:{wish.pk}:{member}" if turn == 0 else f"wish:{wish.pk}:{turn}:{member}"


# the worker's part


def tell_supporters() -> bool:
    """Plans what the next supporters of a wish hear that was answered, or is open again; whether
    there were any. Killed anywhere, it goes on there: a cause tells once."""
    found = _find_untold("answered_at") or _find_untold("reopened_at")
    if found is None:
        return False
    rows = Support.objects.filter(wish=found, pk__gt=found.told_id).order_by("pk")
    if found.reopened_at:
        rows = rows.filter(at__lte=found.reopened_at)  # who votes later knows
    part = list(rows.select_related("member__community")[:TELL_AT_ONCE])
    with transaction.atomic():
        for support in part:
            text = write_answer(found, found.community.lang)
            end = ":again" if found.reopened_at else ""
            do_tell(
                support.member, text, cause=_cause(found, found.turn, support.member_id) + end
            )
        values: dict[str, object] = {"told_id": part[-1].pk if part else found.told_id}
        if len(part) < TELL_AT_ONCE:
            values["told_at"] = clock.now()
        # of this turn: an answer, or taking it back, begins to tell anew
        same = Wish.objects.filter(pk=found.pk, turn=found.turn, state=found.state)
        same.update(**values)
    return True


def _find_untold(what: str) -> Wish | None:
    rows = Wish.objects.filter(**{f"{what}__isnull": False}, told_at=None)
    return rows.select_related("community").order_by(what, "pk").first()


def write_answer(wish: Wish, lang: str) -> str:
    """What a supporter hears."""
    if wish.reopened_at:
        return REOPENED.format(title=wish.title, why=wish.reopened_why)(lang).strip()
    return TOLD[wish.state].format(title=wish.title, answer=wish.answer)(lang).strip()


def do_follow_merges(events: Sequence[Event]) -> None:
    """Two members who became one had a vote each: the wishes are counted anew."""
    ids = {e.member_id for e in events} | {int(e.data.get("gone") or 0) for e in events}
    wishes = Wish.objects.filter(community__in={e.community_id for e in events})
    drifted = wishes.annotate(n=Count("supports")).exclude(n=F("votes")).exclude(state="merged")
    if ids:
        _recount(drifted.values_list("pk", flat=True))

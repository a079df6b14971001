"""换 swap: members list what they would give, offer it for what others list, and swap.

A play is one listing:

    (none) ──open──► open ──accept──► dealing ──both confirm──► swapped
                     │ │ ▲               │ one side, or the clock: disputed ──rule──► swapped,
                     │ │ └──────────undone┴───────────────────────────────────► open, or withdrawn
                     │ └──its offer is accepted elsewhere──► away ──► swapped, open or withdrawn
                     └─withdrawn, or its time──► withdrawn, expired

An offer goes out from the offerer's own listing, so nobody offers what is not theirs. To accept
takes the slot `live` of both listings and that of the offer in one act: who withdraws a listing
or an offer needs the same slots, so one of the two wins. Rivals are declined by acts of their
own. Deposits and top-up are reserved in the play of the accepting listing until it ends.

What must hold: a listing is in one live deal at most; deposits and top-ups in equal those out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from qunluo.campaigns.mechanics import swap_terms as say
from qunluo.campaigns.mechanics.kernel import (
    EXPIRE,
    OPEN,
    RESERVED,
    Act,
    Claim,
    Done,
    Draw,
    Mechanic,
    Move,
    Notice,
    Refused,
    Then,
    of,
)
from qunluo.campaigns.mechanics.steps import BEGUN, CLOSE, NOBODY, NOT_YOURS, UNKNOWN
from qunluo.campaigns.mechanics.swap_terms import (
    OUTCOMES,
    Deal,
    Offer,
    Outcome,
    Rules,
    Sent,
    State,
    broken,
    fates,
    lint,
    returns,
    shown,
    stakes,
)
from qunluo.kit.text import Text

# by an owner, by either party, by the operator
OFFER, UNOFFER, ACCEPT, DECLINE, WITHDRAW = "offer", "unoffer", "accept", "decline", "withdraw"
CONFIRM, DISPUTE, RULE = "confirm", "dispute", "rule"
# what listings tell each other
OFFERED, UNOFFERED, DECLINED_YOU, DEALT, ENDED = (
    "offered", "unoffered", "declined", "dealt", "ended",
)  # fmt: skip
TITLE = KEY = 60  # letters at most
WORDS = 300  # letters of what is said to be wrong
MEMORY = 100  # listings whose offers were taken back


@dataclass(frozen=True)
class Message:
    to: str
    kind: str
    data: Mapping[str, Any]


def decide(state: State | None, act: Act, rules: Rules, draw: Draw) -> Done[State] | Refused:
    if act.kind == OPEN:
        return _list(act, rules) if state is None else BEGUN
    if state is None:
        return say.NOT_OPEN
    owners = {OFFER: _offer, UNOFFER: _unoffer, ACCEPT: _accept, DECLINE: _decline,
              WITHDRAW: _withdraw}  # fmt: skip
    parties = {CONFIRM: _confirm, DISPUTE: _dispute}
    others = {OFFERED: _offered, UNOFFERED: _unoffered, DECLINED_YOU: _declined, DEALT: _dealt,
              ENDED: _ended, EXPIRE: _clock, CLOSE: _close, RULE: _rule}  # fmt: skip
    if act.kind in owners and act.member != state.owner:
        return NOT_YOURS
    if act.kind in parties and act.member not in state.parties:
        return say.NOT_PARTY if state.deal else say.NO_DEAL
    step = {**owners, **parties, **others}.get(act.kind)
    return step(state, act, rules) if step else UNKNOWN


def _list(act: Act, rules: Rules) -> Done[State] | Refused:
    title, category = act.data.get("title"), act.data.get("category")
    if act.member is None:
        return NOBODY
    if not isinstance(title, str) or not 1 <= len(title.strip()) <= TITLE:
        return say.WRONG_LISTING
    if category not in rules.categories:
        return say.WRONG_LISTING
    until = act.at + timedelta(days=rules.listing_days)
    state = State(owner=act.member, title=title.strip(), category=category, until=until)
    claim = Claim(_owner_slot(state), rules.per_member, say.ENOUGH)
    return Done(state, claims=(claim,), deadline=until)


# offers


def _offer(state: State, act: Act, rules: Rules) -> Done[State] | Refused:
    to, top_up = act.data.get("to"), act.data.get("top_up", 0)
    if state.stage != "open":
        return say.NOT_OPEN
    fits = isinstance(top_up, int) and abs(top_up) <= rules.top_up_most
    if not isinstance(to, str) or not 1 <= len(to) <= KEY or to == act.play or not fits:
        return say.WRONG_OFFER
    earlier = [sent for sent in state.sent if sent.to == to]
    if len(state.sent) - len(earlier) >= say.MOST_OFFERS:
        return say.TOO_MANY
    sent = Sent(to=to, number=state.turn)
    offer = Offer(listing=act.play, owner=state.owner, title=state.title, number=sent.number,
                  top_up=top_up)  # fmt: skip
    kept = tuple(one for one in state.sent if one.to != to)
    message = Message(to=to, kind=OFFERED, data=offer.model_dump())
    return _tell(_with(state, sent=(*kept, sent)), act, [message], claims=_spent(act, earlier))


def _offered(state: State, act: Act, rules: Rules) -> Done[State] | Refused:
    offer = Offer.model_validate(dict(act.data))
    others = tuple(one for one in state.offers if one.listing != offer.listing)
    later = [o.number for o in state.offers if o.listing == offer.listing]
    if offer.number <= max([*later, state.gone.get(offer.listing, -1)]):
        return _stay(state)  # it was replaced or taken back before it came
    if state.stage != "open" or offer.owner == state.owner or len(others) >= say.MOST_OFFERS:
        return _tell(state, act, [_no(act.play, offer)])
    return _stay(_with(state, offers=(*others, offer)))


def _unoffer(state: State, act: Act, rules: Rules) -> Done[State] | Refused:
    taken = [one for one in state.sent if one.to == act.data.get("to")]
    if not taken:
        return say.OFFER_GONE
    after = _with(state, sent=tuple(one for one in state.sent if one not in taken))
    return _tell(after, act, _take_back(act, taken), claims=_spent(act, taken))


def _unoffered(state: State, act: Act, rules: Rules) -> Done[State] | Refused:
    listing, number = act.data["listing"], act.data["number"]
    left = tuple(o for o in state.offers if (o.listing, o.number) != (listing, number))
    gone = {**state.gone, listing: max(number, state.gone.get(listing, -1))}
    if len(gone) > MEMORY:
        del gone[next(iter(gone))]
    return _stay(_with(state, offers=left, gone=gone))


def _decline(state: State, act: Act, rules: Rules) -> Done[State] | Refused:
    found = _find(state, act)
    if found is None:
        return say.OFFER_GONE
    after = _with(state, offers=tuple(o for o in state.offers if o is not found))
    return _tell(after, act, [_no(act.play, found)])


def _declined(state: State, act: Act, rules: Rules) -> Done[State] | Refused:
    gone = Sent(to=act.data["to"], number=act.data["number"])
    if gone not in state.sent:
        return _stay(state)
    left = tuple(one for one in state.sent if one != gone)
    return _stay(_with(state, sent=left), (Notice(state.owner, say.DECLINED),))


# the deal


def _accept(state: State, act: Act, rules: Rules) -> Done[State] | Refused:
    found = _find(state, act)
    if state.stage != "open":
        return say.NOT_OPEN
    if found is None:
        return say.OFFER_GONE
    if found.owner == state.owner:
        return say.OWN
    deal = Deal(name=f"{act.play}#{state.turn}", offer=found,
                until=act.at + timedelta(days=rules.deal_days))  # fmt: skip
    rivals = [_no(act.play, o) for o in state.offers if o is not found]
    dealt = Message(to=found.listing, kind=DEALT, data={"home": act.play, "deal": deal.name})
    after = _with(state, stage="dealing", deal=deal, offers=(), sent=())
    return _tell(
        after, act, [dealt, *rivals, *_take_back(act, state.sent)],
        claims=(
            *(Claim(_live(key), 1, say.IN_DEAL) for key in (act.play, found.listing)),
            Claim(f"offer:{found.listing}:{found.number}", 1, say.OFFER_GONE),
            *_spent(act, state.sent),
        ),
        moves=_stakes(after, rules), notices=(Notice(found.owner, say.ACCEPTED),),
    )  # fmt: skip


def _stakes(state: State, rules: Rules) -> tuple[Move, ...]:
    """Both deposits, and the top-up of who pays it."""
    return tuple(
        Move(rules.unit, of(member), RESERVED, amount,
             refused=say.TOO_POOR if member == state.owner else say.OTHER_POOR)
        for member, amount in stakes(state, rules).items()
    )  # fmt: skip


def _dealt(state: State, act: Act, rules: Rules) -> Done[State] | Refused:
    """This listing's offer was accepted: all other offers, of it and for it, are off."""
    deal, home = act.data["deal"], act.data["home"]
    if deal in state.over:
        return _stay(_with(state, over=tuple(name for name in state.over if name != deal)))
    return _leave(_with(state, stage="away", home=home, home_deal=deal), act, home)


def _leave(state: State, act: Act, home: str, frees: tuple[str, ...] = ()) -> Done[State]:
    """Tells everybody but the other side of the deal that this listing is off the market."""
    others = [one for one in state.sent if one.to != home]
    rivals = [_no(act.play, offer) for offer in state.offers]
    return _tell(_with(state, offers=(), sent=()), act, [*rivals, *_take_back(act, others)],
                 claims=_spent(act, others), frees=frees)  # fmt: skip


def _confirm(state: State, act: Act, rules: Rules) -> Done[State] | Refused:
    if state.deal is None or act.member is None:
        return say.NO_DEAL
    if act.member in state.deal.confirmed:
        return say.CONFIRMED
    deal = state.deal.model_copy(update={"confirmed": (*state.deal.confirmed, act.member)})
    after = _with(state, deal=deal)
    return _end(after, act, "swapped", rules) if len(deal.confirmed) == 2 else _stay(after)


def _dispute(state: State, act: Act, rules: Rules) -> Done[State] | Refused:
    """From now on the operator decides, unless both confirm after all. Each side says what is
    wrong; the last that it said counts."""
    if state.deal is None:
        return say.NO_DEAL
    said = {**state.deal.said, **_words(act)}
    before = state.deal.disputed
    after = _with(state, deal=state.deal.model_copy(update={"disputed": True, "said": said}))
    if before:  # they know
        return _stay(after)
    return _stay(after, tuple(Notice(member, say.DISPUTED) for member in state.parties))


def _words(act: Act) -> dict[int, str]:
    words = act.data.get("words", "")
    given = words.strip()[:WORDS] if isinstance(words, str) else ""
    return {act.member: given} if act.member is not None and given else {}


def _rule(state: State, act: Act, rules: Rules) -> Done[State] | Refused:
    outcome = OUTCOMES.get(str(act.data.get("outcome")))
    why = str(act.data.get("why", ""))
    said = say.DECIDED_WHY.format(why=why) if why else say.DECIDED
    return _end(state, act, outcome, rules, said) if outcome else UNKNOWN


def _end(
    state: State, act: Act, outcome: Outcome, rules: Rules, said: Text = say.SWAPPED
) -> Done[State] | Refused:
    """Everything that lay in the deal goes out. Listings that were not swapped are open again,
    but for that of who did not keep the deal."""
    if state.deal is None:
        return say.NO_DEAL
    back = tuple(
        Move(rules.unit, RESERVED, of(member), amount)
        for member, amount in sorted(returns(state, outcome, rules).items())
    )
    mine, theirs = fates(outcome)
    other = state.deal.offer.listing
    told = Message(
        to=other, kind=ENDED, data={"deal": state.deal.name, "home": act.play, "stage": theirs}
    )
    return _tell(
        _with(state, stage=mine, deal=None), act, [told], moves=back,
        frees=_freed(state, act, mine),
        notices=tuple(Notice(member, said) for member in state.parties),
    )  # fmt: skip


def _freed(state: State, act: Act, stage: str) -> tuple[str, ...]:
    """A listing is free for another deal when it knows itself that the last one is over."""
    return (_live(act.play),) if stage == "open" else (_owner_slot(state),)


def _ended(state: State, act: Act, rules: Rules) -> Done[State] | Refused:
    stage, deal, home = act.data["stage"], act.data["deal"], act.data["home"]
    frees = _freed(state, act, stage)
    known = state.home_deal == deal
    after = _with(state, stage=stage, home="", home_deal="")
    if not known:  # the news of its beginning are still on their way
        sent = tuple(one for one in state.sent if one.to != home)
        after = _with(state, over=(*state.over, deal), sent=sent)
        after = after if stage == "open" else _with(after, stage=stage)
    if not known and stage != "open":
        return _leave(after, act, home, frees)
    return Done(after, frees=frees, deadline=_deadline(after))


# the end of a listing


def _withdraw(state: State, act: Act, rules: Rules) -> Done[State] | Refused:
    return _take_down(state, act, "withdrawn")


def _clock(state: State, act: Act, rules: Rules) -> Done[State] | Refused:
    due = _deadline(state)
    if due is None or act.at < due:
        return _stay(state)
    return _dispute(state, act, rules) if state.deal else _take_down(state, act, "expired")


def _close(state: State, act: Act, rules: Rules) -> Done[State] | Refused:
    """Deals that are made are kept; nothing new begins."""
    return _stay(state) if state.stage != "open" else _take_down(state, act, "withdrawn")


def _take_down(state: State, act: Act, stage: str) -> Done[State] | Refused:
    """The slot of a listing that is gone stays taken: no deal can be made about it."""
    if state.stage != "open":
        return say.NOT_OPEN
    rivals = [_no(act.play, offer) for offer in state.offers]
    return _tell(
        _with(state, stage=stage, offers=(), sent=()), act,
        [*rivals, *_take_back(act, state.sent)],
        claims=(Claim(_live(act.play), 1, say.IN_DEAL), *_spent(act, state.sent)),
        frees=(_owner_slot(state),),
    )  # fmt: skip


# words of their own


def _tell(state: State, act: Act, messages: Iterable[Message], **more: Any) -> Done[State]:
    """Acts of other listings that follow, each with a name of its own."""
    then = tuple(
        Then(m.to, m.kind, f"{act.play}.{state.turn}.{n}", None, m.data)
        for n, m in enumerate(messages)
    )
    after = _with(state, turn=state.turn + 1)
    return Done(after, then=then, deadline=_deadline(after), **more)


def _stay(state: State, notices: tuple[Notice, ...] = ()) -> Done[State]:
    return Done(state, notices=notices, deadline=_deadline(state))


def _deadline(state: State) -> datetime | None:
    if state.deal:
        return None if state.deal.disputed else state.deal.until
    return state.until if state.stage == "open" else None


def _no(play: str, offer: Offer) -> Message:
    data = {"to": play, "number": offer.number}
    return Message(to=offer.listing, kind=DECLINED_YOU, data=data)


def _take_back(act: Act, sent: Iterable[Sent]) -> list[Message]:
    return [
        Message(to=one.to, kind=UNOFFERED, data={"listing": act.play, "number": one.number})
        for one in sent
    ]


def _spent(act: Act, sent: Iterable[Sent]) -> tuple[Claim, ...]:
    """An offer is accepted or taken back, never both."""
    return tuple(Claim(f"offer:{act.play}:{one.number}", 1, say.IN_DEAL) for one in sent)


def _find(state: State, act: Act) -> Offer | None:
    return next((o for o in state.offers if o.listing == act.data.get("from")), None)


def _with(state: State, **changes: Any) -> State:
    return state.model_copy(update=changes)


def _live(listing: str) -> str:
    return f"listing:{listing}:live"


def _owner_slot(state: State) -> str:
    return f"owner:{state.owner}"


MECHANIC = Mechanic(
    name="swap",
    label=Text("Swap", "以物换物"),
    gist=Text(
        "Members list what they don't need and swap it, with a deposit on both sides.",
        "会员发布闲置互相交换，双方押金保障。",
    ),
    use=Text(
        "In groups that share a hobby: books, toys, plants; it gives people a reason to talk.",
        "适合有共同爱好的群：图书、玩具、绿植，能带动交流。",
    ),
    avoid=Text(
        "For dear things, or among strangers who have never met.",
        "贵重物品或完全陌生的人之间不宜使用。",
    ),
    rules=Rules,
    state=State,
    decide=decide,
    play_of=lambda act, rules: "",
    supplies=lambda rules: (),
    broken=broken,
    lint=lint,
    shown=shown,
    within=frozenset({OFFER, ACCEPT}),
    follows=frozenset({OFFERED, UNOFFERED, DECLINED_YOU, DEALT, ENDED}),
    staff=frozenset({RULE, CLOSE}),
)

"""Cases: what was taken exception to, and what came of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from ninja import Query, Schema

from qunluo.api.operations import Area, Call
from qunluo.api.paging import Page, Paging, cut
from qunluo.api.values import Id, Why, fetch
from qunluo.groups import moderation
from qunluo.groups.models import Case
from qunluo.messaging.actions import do_restore
from qunluo.messaging.models import Message

area = Area("moderation")


class CaseOut(Schema):
    """`evidence` is what each detector saw. In `shadow`, `act` is what would have been done."""

    id: int
    group_id: int
    member_id: int
    message_id: int | None
    text: str
    score: float
    evidence: list[dict[str, Any]]
    act: Literal["none", "hold", "remind", "warn", "remove", "ban"]
    shadow: bool
    state: Literal["open", "upheld", "undone", "appealed"]
    appeal: str
    by: str
    decided_by: str
    decided_at: datetime | None
    why: str
    at: datetime


class CasesAsked(Paging):
    state: Literal["open", "upheld", "undone", "appealed", "any"] = "any"


class UndoIn(Schema):
    why: Why


class DecideIn(Schema):
    """`uphold` false undoes all that the case did."""

    uphold: bool
    why: Why


def _find(call: Call, case_id: int) -> Case:
    rows = Case.objects.select_related("group__community", "member")
    return fetch(rows.filter(community=call.auth.community), case_id)


def _show_again(case: Case, by: str) -> None:
    if case.message_id and case.state == "undone":
        message = Message.objects.filter(pk=case.message_id, group=case.group_id).first()
        if message is not None:
            do_restore(message, by=by)


@area.get("/cases", "moderation:read", Page[CaseOut])
def list_cases(request: Call, asked: Query[CasesAsked]) -> dict[str, Any]:
    """Cases, the newest first."""
    rows = Case.objects.filter(community=request.auth.community)
    if asked.state != "any":
        rows = rows.filter(state=asked.state)
    return cut(rows, asked, of="cases")


@area.get("/cases/{case_id}", "moderation:read", CaseOut)
def get_case(request: Call, case_id: Id) -> Case:
    """One case."""
    return _find(request, case_id)


@area.post("/cases/{case_id}/undo", "moderation:write", CaseOut)
def undo_case(request: Call, case_id: Id, body: UndoIn) -> Case:
    """Takes back all that a case did, and shows the message again."""
    case = _find(request, case_id)
    moderation.do_undo_case(case, by=request.auth.actor, why=body.why)
    case.refresh_from_db()
    _show_again(case, request.auth.actor)
    return case


@area.post("/cases/{case_id}/decide", "moderation:write", CaseOut)
def decide_case(request: Call, case_id: Id, body: DecideIn) -> Case:
    """Answers an appeal, or agrees with an open case or undoes it."""
    case, by = _find(request, case_id), request.auth.actor
    if case.state == "open" and body.uphold:
        moderation.do_uphold_case(case, by=by, why=body.why)
    else:
        moderation.do_decide_appeal(case, uphold=body.uphold, by=by, why=body.why)
    case.refresh_from_db()
    _show_again(case, by)
    return case

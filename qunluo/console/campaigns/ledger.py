"""The ledger: accounts, one account's statement, one transfer with its proof, and the audit."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from qunluo.campaigns.models import Campaign, Play
from qunluo.commerce.models import Order, Variant
from qunluo.community.models import Community
from qunluo.community.queries import settings_of
from qunluo.console.access import StaffRequest, staff_view
from qunluo.console.campaigns.causes import say_causes
from qunluo.console.campaigns.words import amount, store_word, unit_word
from qunluo.console.people.answering import found, number_in
from qunluo.console.people.timeline import name_actors
from qunluo.console.wording import current_lang
from qunluo.kit import clock
from qunluo.ledger.auditing import do_audit
from qunluo.ledger.models import Account, Entry, Transfer
from qunluo.ledger.queries import list_statement
from qunluo.members.models import Member

PAGE = 50
MOST_NAMES = 500
RESERVED = "reserved:"


@dataclass(frozen=True)
class Shown:
    """An account with its owner in words, and what it has."""

    account: Account
    name: str
    kind: str
    balance: str
    held: str


@staff_view("see_audit")
@require_safe
def accounts(request: StaffRequest) -> HttpResponse:
    """Where value lies, filtered by kind, unit and name."""
    every = Account.objects.filter(community_id=request.community.pk)
    kind, unit = request.GET.get("kind", "")[:30], request.GET.get("unit", "")[:60]
    rows = every.filter(kind=kind) if kind else every
    rows = rows.filter(unit=unit) if unit else rows
    after = number_in(request, "after")
    rows = rows.filter(pk__gt=after) if after else rows
    shown = list(rows.order_by("pk")[: PAGE + 1])
    context = {
        "rows": show(request.community, shown[:PAGE]), "kind": kind, "unit": unit,
        "kinds": [(k, kind_word(k)) for k in _distinct(every, "kind")],
        "units": [(u, unit_word(u)) for u in _distinct(every, "unit")],
        "more": shown[PAGE - 1].pk if shown[PAGE:] else None,
    }  # fmt: skip
    return render(request, "console/campaigns/accounts.html", context)


def _distinct(rows: QuerySet[Account], name: str) -> list[str]:
    return sorted(set(rows.order_by().values_list(name, flat=True).distinct()))


@staff_view("see_audit")
@require_safe
def statement(request: StaffRequest, account_id: int) -> HttpResponse:
    """What came and went, the latest first, with the balance after each."""
    rows = Account.objects.filter(community_id=request.community.pk)
    account, before = found(rows, account_id), number_in(request, "before") or 0
    lines = list_statement(account, limit=PAGE + 1, before=before)
    currency = settings_of(request.community).currency
    whys = say_causes(request.community, [(line.cause, line.note) for line in lines])
    context = {
        "account": show(request.community, [account])[0],
        "rows": [(line, why, amount(line.amount, account.unit, currency),
                  amount(line.balance, account.unit, currency))
                 for line, why in zip(lines, whys, strict=True)][:PAGE],
        "more": lines[PAGE - 1].entry if lines[PAGE:] else None,
    }  # fmt: skip
    return render(request, "console/campaigns/statement.html", context)


@staff_view("see_audit")
@require_safe
def transfer(request: StaffRequest, transfer_id: int) -> HttpResponse:
    """One transfer: why, by whom, what it moved, and that it adds up to nothing."""
    rows = Transfer.objects.filter(community_id=request.community.pk)
    row = found(rows.select_related("reverses"), transfer_id)
    entries = list(row.entries.select_related("account").order_by("pk"))
    currency = settings_of(request.community).currency
    names = {s.account.pk: s for s in show(request.community, [e.account for e in entries])}
    reversed_by = Transfer.objects.filter(reverses=row).first()
    told = [row, row.reverses or row, reversed_by or row]
    what, takes_back, taken_back = say_causes(
        request.community, [(t.cause, t.note) for t in told]
    )
    context = {
        "transfer": row, "what": what, "takes_back": takes_back, "taken_back": taken_back,
        "by": name_actors({row.by}, request.community).get(row.by, row.by),
        "rows": [(e, names[e.account_id], amount(e.amount, e.account.unit, currency))
                 for e in entries],
        "sums": [(unit_word(unit), amount(total, unit, currency), total == 0)
                 for unit, total in _sums(entries)],
        "reversed_by": reversed_by,
    }  # fmt: skip
    return render(request, "console/campaigns/transfer.html", context)


def _sums(entries: list[Entry]) -> list[tuple[str, int]]:
    sums: dict[str, int] = {}
    for entry in entries:
        sums[entry.account.unit] = sums.get(entry.account.unit, 0) + entry.amount
    return sorted(sums.items())


@staff_view("see_audit")
@require_safe
def audit(request: StaffRequest) -> HttpResponse:
    """Everything that must hold, asked of the live rows now."""
    verdicts = do_audit(request.community.pk)
    lang = current_lang()
    context = {
        "rows": [(v.check.title(lang), v.holds, v.broken) for v in verdicts],
        "broken": sum(not v.holds for v in verdicts), "at": clock.now(),
    }  # fmt: skip
    return render(request, "console/campaigns/audit.html", context)


# names


def show(community: Community, rows: list[Account]) -> list[Shown]:
    """Accounts with names a person knows, looked up together."""
    names, currency = _names(community, rows), settings_of(community).currency
    return [
        Shown(row, names.get((row.kind, row.owner)) or _plain(row), kind_word(row.kind),
              amount(row.balance, row.unit, currency),
              amount(row.held, row.unit, currency) if row.held else "")
        for row in rows
    ]  # fmt: skip


def _names(community: Community, rows: list[Account]) -> dict[tuple[str, str], str]:
    found_: dict[tuple[str, str], str] = {}
    starters = _starters(rows)
    for kind in ("member", "owed", "sku", "sold", "order", "campaign"):
        owners = {row.owner for row in rows if row.kind == kind}
        known = _known(community, kind, owners)
        for owner in owners:
            id_, _colon, place = owner.removeprefix("member:").partition(":")
            if id_ in known:
                found_[kind, owner] = (
                    f"{known[id_]}{_place(place, starters.get((id_, place), ''))}"
                )
    return found_


def _known(community: Community, kind: str, owners: set[str]) -> dict[str, str]:
    """Names by id; an owner may begin with one."""
    ids = {o.removeprefix("member:").partition(":")[0] for o in owners}
    wanted = [int(i) for i in ids if i.isascii() and i.isdecimal() and len(i) < 19]
    here = {"community": community, "pk__in": wanted[:MOST_NAMES]}
    if kind in ("member", "owed"):
        members = Member.objects.filter(**here).values_list("pk", "name")
        return {str(pk): name for pk, name in members}
    if kind in ("sku", "sold"):
        variants = Variant.objects.filter(**here).select_related("product")
        return {str(v.pk): v.shown for v in variants}
    if kind == "order":
        return {str(o.pk): o.number for o in Order.objects.filter(**here)}
    return {str(c.pk): c.name for c in Campaign.objects.filter(**here)}


def _starters(rows: list[Account]) -> dict[tuple[str, str], str]:
    """Who began the plays that something is set aside for, by campaign and place."""
    reserved = [row.owner.partition(":") for row in rows if row.kind == "campaign"]
    keys = [p.removeprefix(RESERVED) for _c, _colon, p in reserved if p.startswith(RESERVED)]
    plays = Play.objects.filter(key__in=keys[:MOST_NAMES], starter__isnull=False)
    found_ = plays.values_list("campaign_id", "key", "starter__name")
    return {(str(campaign), f"{RESERVED}{key}"): name for campaign, key, name in found_}


def _place(place: str, starter: str) -> str:
    """Where in a campaign it lies, and for whose play."""
    if not place:
        return ""
    kind, _colon, name = place.partition(":")
    if kind == "pool":
        return f" · {store_word(name)}"
    words = {
        "budget": _("budget"), "reserved": _("set aside"), "granted": _("rewards that wait"),
        "spent": _("spent"),
    }  # fmt: skip
    return f" · {words.get(kind, kind)}{f' · {starter}' if starter else ''}"


def _plain(account: Account) -> str:
    words = {"funds": _("what we put in"), "campaigns": _("campaigns"), "supply": _("deliveries"),
             "expired": _("expired")}  # fmt: skip
    return words.get(account.owner, account.owner)


def kind_word(kind: str) -> str:
    """What an account is of."""
    words = {
        "member": _("Members"), "owed": _("Owed by members"), "sku": _("Stock on hand"),
        "sold": _("Sold"), "order": _("Orders"), "campaign": _("Campaigns"),
        "outside": _("Outside"),
    }  # fmt: skip
    return words.get(kind, kind)

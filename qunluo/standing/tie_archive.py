"""Ties of an archive: its replies and mentions, told as events, by the rule of the living."""

from __future__ import annotations

from datetime import date

from qunluo.standing.archive import ONE, Archive, tell_archive
from qunluo.standing.sums import add_up
from qunluo.standing.tie_rules import Bond, find_bonds, find_medians, is_strong, turns_of


def find_archive_ties(found: Archive, until: date) -> dict[tuple[str, str], tuple[Bond, bool]]:
    """The ties between accounts at the end of a day, and whether each is strong; the pair in the
    order of the ids."""
    sums = add_up(tell_archive(found, until), {ONE: found.zone})
    bonds = find_bonds(turns_of(sums.contacts))
    today = until.toordinal()
    medians = find_medians(list(bonds.values()), today)
    return {
        (found.ids[one - 1], found.ids[other - 1]): (bond, is_strong(bond, medians, today))
        for (one, other), bond in bonds.items()
    }

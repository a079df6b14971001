"""What a member is found by. Rooms above add words of theirs (nicknames in groups)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from qunluo.kit.grams import grams
from qunluo.members.models import Member
from qunluo.members.rules import words_to_search

Words = Callable[[Member], Iterable[str]]
_more: list[Words] = []


def register(words: Words) -> Words:
    """Adds words that members are found by; call `do_index` when they change."""
    if words not in _more:
        _more.append(words)
    return words


def do_index(member: Member) -> None:
    """Writes down what the member is found by."""
    search = build_search(member)
    if search != member.search:
        member.search = search
        Member.objects.filter(pk=member.pk).update(search=search)


def build_search(member: Member) -> str:
    names = member.identities.values_list("name", flat=True)
    above = [word for words in _more for word in words(member)]
    return grams(
        words_to_search([member.name, *names, member.region, *member.fields.values(), *above])
    )

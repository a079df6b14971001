"""How often somebody may guess: by address, and by account from an address."""

from __future__ import annotations

from hashlib import sha256

from django.core.cache import cache
from django.http import HttpRequest

WINDOW_S = 15 * 60
PER_ACCOUNT, PER_ADDRESS = 5, 30


def _keys(request: HttpRequest, name: str) -> tuple[tuple[str, int], tuple[str, int]]:
    """The cache's names; what was typed may be a password in the wrong field, so it is hashed."""
    address = request.META.get("REMOTE_ADDR", "")
    whose = sha256(f"{address}\0{name.casefold()}".encode()).hexdigest()
    return ((f"guess-{whose}", PER_ACCOUNT), (f"guess-from-{address}", PER_ADDRESS))


def may_guess(request: HttpRequest, name: str) -> bool:
    """Whether another try is let through."""
    return all(cache.get(key, 0) < most for key, most in _keys(request, name))


def note_guess(request: HttpRequest, name: str) -> None:
    """Counts a wrong guess; the window begins with the first."""
    for key, _most in _keys(request, name):
        cache.add(key, 0, WINDOW_S)
        cache.incr(key)


def forget_guesses(request: HttpRequest, name: str) -> None:
    """After the right one the account starts anew; the address does not."""
    cache.delete(_keys(request, name)[0][0])

"""How often one member or address may do something; counted in the cache of each process."""

from __future__ import annotations

from django.core.cache import cache
from django.http import HttpRequest

from qunluo.kit.errors import QunluoError
from qunluo.kit.text import Text

LIMITS: dict[str, tuple[int, int]] = {  # how many in how many seconds
    "join": (60, 60),  # by address: a shop's guests share one
    "say": (30, 20),
    "image": (20, 60),
    "act": (120, 60),
    "ask": (240, 60),
    "data": (10, 3600),  # exports and erasures
    "appeal": (5, 3600),
    "code": (5, 600),  # guesses of an attendance code
}


class TooOftenError(QunluoError):
    """More than a person does."""

    code = "too_often"
    sentence = Text(
        "That was a bit too fast. Wait a moment, then try again.",
        "操作有点太快了。请稍等片刻再试。",
    )


def limit(request: HttpRequest, what: str, who: object = None) -> None:
    """Counts one more; raises `TooOftenError` past the limit. `who` is the address if not given."""
    most, seconds = LIMITS[what]
    key = f"limit:{what}:{who or request.META.get('REMOTE_ADDR', '')}"
    cache.add(key, 0, seconds)
    try:
        counted = cache.incr(key)
    except ValueError:  # it ran out between the two
        cache.set(key, 1, seconds)
        counted = 1
    if counted > most:
        raise TooOftenError

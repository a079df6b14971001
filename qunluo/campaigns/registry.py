"""The mechanics there are."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from qunluo.campaigns import mechanics
from qunluo.campaigns.mechanics.kernel import Mechanic


@cache
def list_mechanics() -> dict[str, Mechanic]:
    """Every module of `mechanics` that declares one, by name."""
    modules = (
        import_module(f"{mechanics.__name__}.{m.name}")
        for m in iter_modules(mechanics.__path__)
    )
    found = (getattr(module, "MECHANIC", None) for module in modules)
    return {m.name: m for m in found if isinstance(m, Mechanic)}


def find_mechanic(name: str) -> Mechanic:
    """Raises `KeyError` where there is none."""
    return list_mechanics()[name]

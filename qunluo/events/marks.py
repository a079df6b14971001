"""Marks of what was done: once for good, or up to a day. They lie beside the places of followers,
under names of their own."""

from __future__ import annotations

from datetime import date

from qunluo.events.models import Consumer


def do_claim(name: str) -> None:
    """Claims something that happens once, in the caller's transaction; of two at once one gets
    it. Raises `IntegrityError` where it was claimed before."""
    Consumer.objects.create(name=name)


def is_done(name: str, on: date) -> bool:
    """Whether it was done for that day or a later one."""
    return Consumer.objects.filter(name=name, position__gte=on.toordinal()).exists()


def do_mark(name: str, on: date) -> None:
    """From now on it is done for that day."""
    Consumer.objects.update_or_create(name=name, defaults={"position": on.toordinal()})

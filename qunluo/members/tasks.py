"""The worker's steps for members: each returns whether there was something to do."""

from __future__ import annotations

from qunluo.members.actions import do_expire_tags
from qunluo.members.imports import WrongFileError, do_run_import
from qunluo.members.models import MemberImport
from qunluo.members.rejecting import do_forget_rejects

BATCHES = 20  # of an import, before the worker looks at something else


def step_import() -> bool:
    """Reads a part of the oldest import that waits."""
    row = MemberImport.objects.filter(state__in=("queued", "running")).order_by("id").first()
    if row is None:
        return False
    try:
        do_run_import(row, batches=BATCHES)
    except WrongFileError:  # somebody removed it
        MemberImport.objects.filter(pk=row.pk).update(state="failed")
    return True


def step_tags() -> bool:
    """Takes off tags whose time is over."""
    return do_expire_tags() > 0


def step_rejects() -> bool:
    """Forgets what rejected lines of old imports say."""
    return do_forget_rejects()

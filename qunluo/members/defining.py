"""What the community wants to know of its members, and where they come from: its fields, tags and
channel codes. Each change in one transaction, with its event."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Model
from django.utils.text import slugify

from qunluo.community.models import Community
from qunluo.events.actions import record
from qunluo.kit import clock
from qunluo.members.errors import TagInUseError, TakenError
from qunluo.members.models import ChannelCode, Field, Tag, TagGroup

CODE_BYTES = 4
_KEY_LENGTH = 36


# profile fields


@transaction.atomic
def do_define_field(
    community: Community, *, label: str, kind: str, choices: Sequence[str] = (), key: str = "",
    by: str,
) -> Field:  # fmt: skip
    """A typed field that every member has from now on. Raises `TakenError`."""
    found = Field(
        community=community, key=key or _key_of(community, label), label=label, kind=kind,
        choices=list(choices),
    )  # fmt: skip
    _keep(found, label)
    _record("field_made", community, by, name=label, key=found.key)
    return found


def _key_of(community: Community, label: str) -> str:
    """A name for programs: the label's Latin letters, or a drawn one where it has none."""
    base = slugify(label)[:_KEY_LENGTH] or f"field-{secrets.token_hex(3)}"
    taken = Field.objects.filter(community=community, key__startswith=base).count()
    return f"{base}-{taken + 1}" if taken else base


# tags


@transaction.atomic
def do_define_tag_group(community: Community, *, name: str, single: bool, by: str) -> TagGroup:
    """A group of tags; of a single one, a member has one tag at most. Raises `TakenError`."""
    group = TagGroup(community=community, name=name, single=single)
    _keep(group, name)
    _record("tag_group_made", community, by, name=name)
    return group


@transaction.atomic
def do_define_tags(group: TagGroup, names: Iterable[str], *, by: str) -> list[Tag]:
    """The tags of these names, made where they are new."""
    found = []
    for name in names:
        tag, made = Tag.objects.get_or_create(group=group, name=name)
        found.append(tag)
        if made:
            _record("tag_made", group.community, by, name=f"{group.name} · {name}")
    return found


@transaction.atomic
def do_remove_tag(tag: Tag, *, by: str) -> None:
    """A tag that nobody has; raises `TagInUseError`: one in use is taken off its members first,
    each with a reason."""
    if tag.taggings.exists():
        raise TagInUseError(tag=tag.name)
    _record("tag_deleted", tag.group.community, by, name=tag.name)
    tag.delete()


# channel codes


@transaction.atomic
def do_set_code(code: ChannelCode, values: Mapping[str, Any], *, by: str) -> ChannelCode:
    """Opens a channel code, or changes the one that is there. Raises `TakenError`."""
    new = code.pk is None
    changed = sorted(name for name, value in values.items() if getattr(code, name) != value)
    for name, value in values.items():
        setattr(code, name, value)
    if new:
        code.code, code.made_at = code.code or secrets.token_hex(CODE_BYTES), clock.now()
    if new or changed:
        _keep(code, code.code)
        _record(_kind_of(code, changed, new=new), code.community, by, code=code.code,
                name=code.name, fields=changed)  # fmt: skip
    return code


def _kind_of(code: ChannelCode, changed: list[str], *, new: bool) -> str:
    if new:
        return "channel_code_made"
    if changed == ["active"]:
        return "channel_code_opened" if code.active else "channel_code_closed"
    return "channel_code_set"


@transaction.atomic
def do_remove_code(code: ChannelCode, *, by: str) -> None:
    """A code leads nobody in any more; who came by it stays a member."""
    _record("channel_code_removed", code.community, by, code=code.code, name=code.name)
    code.delete()


def _keep(row: Model, name: str) -> None:
    """Saves a row whose name must be unique, and tells who took it, be it at this moment."""
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        raise TakenError(name=name) from None


def _record(kind: str, community: Community, by: str, **data: Any) -> None:
    record(kind, community=community.pk, actor=by, data=data)

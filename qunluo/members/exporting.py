"""Everything that is kept about a member, in one archive for them."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.db.models import Model

from qunluo.events.actions import record
from qunluo.events.models import Event
from qunluo.kit import clock
from qunluo.members.merging import Relation, list_relations
from qunluo.members.models import Member
from qunluo.members.queries import find_survivor, list_ids
from qunluo.members.sealing import open_contact

README = """\
# {name}

This archive holds everything that {community} keeps about you, as of {at}.

- `member.json`: your name, profile and contact data.
- `<kind>.json`: one file for each kind of record, such as accounts, tags, consents,
  memberships and messages. Times are in UTC.
- `events.json`: what happened, in order.

# {name}

此压缩包包含{community}截至 {at} 保存的关于你的全部数据。

- `member.json`：你的名字、资料和联系方式。
- 其余每个 `.json` 文件对应一类记录，例如账号、标签、授权、入群记录和消息，时间均为 UTC。
- `events.json`：按顺序记录发生过的事。
"""
_HIDDEN = ("_hash", "_sealed", "search", "transaction", "claim")


@transaction.atomic
def do_export(member: Member, *, by: str) -> bytes:
    """A zip with a README in two languages and JSON of all that points to the member."""
    member = find_survivor(member)
    ids = list_ids(member)
    files = {"member": _describe(member) | open_contact(member), "events": _list_events(ids)}
    for relation in list_relations():
        rows = relation.rows(ids).order_by("pk")
        name = _name_file(relation, files)
        if found := [_describe(row) for row in rows.iterator(chunk_size=2000)]:
            files[name] = found
    record("member_exported", community=member.community_id, member=member.pk, actor=by)
    return _pack(member, files)


def _name_file(relation: Relation, taken: dict[str, Any]) -> str:
    name = relation.model._meta.model_name or ""
    return name if name not in taken else f"{name}_{relation.field}"


def _describe(row: Model) -> dict[str, Any]:
    """The row's own columns, without hashes and search words."""
    fields = (field for field in row._meta.concrete_fields if not _is_hidden(field.name))
    return {field.attname: field.value_from_object(row) for field in fields}


def _is_hidden(name: str) -> bool:
    return name.endswith(_HIDDEN)


def _list_events(ids: list[int]) -> list[dict[str, Any]]:
    rows = Event.objects.filter(member_id__in=ids).order_by("id")
    return [dict(row) for row in rows.values("id", "kind", "at", "group_id", "data")]


def _pack(member: Member, files: dict[str, Any]) -> bytes:
    packed = io.BytesIO()
    at = f"{clock.now():%Y-%m-%d %H:%M} UTC"
    readme = README.format(name=member.name, community=member.community.name, at=at)
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.md", readme)
        for name, content in files.items():
            text = json.dumps(content, cls=DjangoJSONEncoder, ensure_ascii=False, indent=1)
            archive.writestr(f"{name}.json", text)
    return packed.getvalue()

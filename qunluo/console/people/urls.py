"""Addresses of the pages about people."""

from __future__ import annotations

from django.urls import path

from qunluo.console.people import (
    cases,
    codes,
    imports,
    inbox,
    member,
    members,
    room,
    searching,
    standing,
    tags,
)

app_name = "people"
_MEMBER = "members/<int:member_id>"
_ROOM = "rooms/<int:group_id>"
urlpatterns = [
    path("members", members.members, name="members"),
    path(_MEMBER, member.member, name="member"),
    path(f"{_MEMBER}/tag", member.tag, name="tag"),
    path(f"{_MEMBER}/untag/<int:tagging_id>", member.untag, name="untag"),
    path(f"{_MEMBER}/fields", member.set_fields, name="set_fields"),
    path(f"{_MEMBER}/rename", member.rename, name="rename"),
    path(f"{_MEMBER}/contact", member.set_contact, name="set_contact"),
    path(f"{_MEMBER}/reveal", member.reveal, name="reveal"),
    path(f"{_MEMBER}/merge/<int:other_id>", member.merge, name="merge"),
    path(f"{_MEMBER}/merges/<int:merge_id>/undo", member.undo_merge, name="undo_merge"),
    path(f"{_MEMBER}/standing/<slug:name>", standing.correct, name="correct"),
    path(f"{_MEMBER}/standing/<slug:name>/lift", standing.lift, name="lift"),
    path(f"{_MEMBER}/export", member.export, name="export"),
    path(f"{_MEMBER}/erase", member.erase, name="erase"),
    path("imports", imports.imports, name="imports"),
    path("imports/<int:import_id>", imports.one, name="import"),
    path("imports/<int:import_id>/run", imports.run, name="import_run"),
    path("imports/<int:import_id>/state", imports.state, name="import_state"),
    path("imports/<int:import_id>/rejects.csv", imports.rejects, name="import_rejects"),
    path("tags", tags.tags, name="tags"),
    path("tags/groups", tags.add_group, name="add_tag_group"),
    path("tags/groups/<int:group_id>", tags.add_tags, name="add_tags"),
    path("tags/<int:tag_id>/delete", tags.delete_tag, name="delete_tag"),
    path("tags/fields", tags.add_field, name="add_field"),
    path("codes", codes.codes, name="codes"),
    path("codes/add", codes.add_code, name="add_code"),
    path("codes/<int:code_id>/switch", codes.switch_code, name="switch_code"),
    path("codes/<int:code_id>/qr.svg", codes.qr, name="code_qr"),
    path("inbox", inbox.inbox, name="inbox"),
    path("inbox/duty", inbox.duty, name="duty"),
    path("inbox/<int:question_id>/answer", inbox.answer, name="answer"),
    path("inbox/<int:question_id>/dismiss", inbox.dismiss, name="dismiss"),
    path("inbox/<int:question_id>/take", inbox.take, name="take"),
    path("rooms", room.rooms, name="rooms"),
    path(_ROOM, room.room, name="room"),
    path(f"{_ROOM}/news", room.news, name="room_news"),
    path(f"{_ROOM}/before", room.before, name="room_before"),
    path(f"{_ROOM}/waiting", room.waiting, name="room_waiting"),
    path(f"{_ROOM}/post", room.post, name="room_post"),
    path(f"{_ROOM}/act", room.act, name="room_act"),
    path(f"{_ROOM}/image/<int:message_id>", room.image, name="room_image"),
    path("moderation", cases.cases, name="cases"),
    path("moderation/<int:case_id>/uphold", cases.uphold, name="uphold"),
    path("moderation/<int:case_id>/undo", cases.undo, name="undo"),
    path("moderation/<int:case_id>/appeal", cases.decide_appeal, name="decide_appeal"),
    path("search", searching.search, name="search"),
]

"""Addresses of the pages of care."""

from __future__ import annotations

from django.urls import path

from qunluo.console.care import (
    gatherings,
    incidents,
    introductions,
    needs,
    patrols,
    promises,
    testimonies,
    wishes,
)

app_name = "care"
_INCIDENT = "incidents/<int:incident_id>"
_INTRODUCTION = "introductions/<int:introduction_id>"
_TESTIMONY = "testimonies/<int:testimony_id>"
_GATHERING = "gatherings/<int:gathering_id>"
_WISH = "wishes/<int:wish_id>"
urlpatterns = [
    path("", wishes.home, name="home"),
    path("wishes", wishes.wishes, name="wishes"),
    path("wishes/make", wishes.make, name="make_wish"),
    path(f"{_WISH}/answer", wishes.answer, name="answer_wish"),
    path(f"{_WISH}/merge", wishes.merge, name="merge_wish"),
    path(f"{_WISH}/aside", wishes.aside, name="set_wish_aside"),
    path(f"{_WISH}/reopen", wishes.reopen, name="reopen_wish"),
    path("needs", needs.needs, name="needs"),
    path("needs/take", needs.take, name="take_needs"),
    path("needs/dismiss", needs.dismiss, name="dismiss_needs"),
    path("incidents", incidents.incidents, name="incidents"),
    path("incidents/open", incidents.open_one, name="open_incident"),
    path(_INCIDENT, incidents.incident, name="incident"),
    path(f"{_INCIDENT}/own", incidents.own, name="own_incident"),
    path(f"{_INCIDENT}/note", incidents.note, name="note_incident"),
    path(f"{_INCIDENT}/tick", incidents.tick, name="tick_step"),
    path(f"{_INCIDENT}/move", incidents.move, name="move_incident"),
    path("triggers", incidents.triggers, name="triggers"),
    path("triggers/<slug:kind>", incidents.set_trigger, name="set_trigger"),
    path("patrols", patrols.patrols, name="patrols"),
    path("patrols/add", patrols.add, name="add_slot"),
    path("patrols/<int:slot_id>/end", patrols.end, name="end_slot"),
    path("patrols/<int:slot_id>/note", patrols.note, name="note_patrol"),
    path("promises", promises.promises, name="promises"),
    path("promises/<int:promise_id>/end", promises.end, name="end_promise"),
    path("promises/members/<int:member_id>", promises.add, name="add_promise"),
    path("promises/members/<int:member_id>/note", promises.note, name="note_exchange"),
    path("testimonies", testimonies.testimonies, name="testimonies"),
    path(f"{_TESTIMONY}/approve", testimonies.approve, name="approve_testimony"),
    path(f"{_TESTIMONY}/refuse", testimonies.refuse, name="refuse_testimony"),
    path(f"{_TESTIMONY}/image", testimonies.image, name="testimony_image"),
    path("gatherings", gatherings.gatherings, name="gatherings"),
    path("gatherings/new", gatherings.new, name="new_gathering"),
    path(_GATHERING, gatherings.gathering, name="gathering"),
    path(f"{_GATHERING}/edit", gatherings.edit, name="edit_gathering"),
    path(f"{_GATHERING}/off", gatherings.call_off, name="call_off"),
    path(f"{_GATHERING}/came/<int:member_id>", gatherings.came, name="note_attendance"),
    path("introductions", introductions.introductions, name="introductions"),
    path("introductions/look", introductions.look, name="look_for_pairs"),
    path(f"{_INTRODUCTION}/accept", introductions.accept, name="accept_introduction"),
    path(f"{_INTRODUCTION}/dismiss", introductions.dismiss, name="dismiss_introduction"),
    path("introductions/complements", introductions.complement, name="complement"),
    path(
        "introductions/complements/<int:complement_id>/remove",
        introductions.uncomplement,
        name="uncomplement",
    ),
    path("wishes/merges/<int:merge_id>/undo", wishes.undo_merge, name="undo_wish_merge"),
]

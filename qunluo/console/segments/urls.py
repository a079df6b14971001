"""Addresses of the pages of segments."""

from __future__ import annotations

from django.urls import path

from qunluo.console.segments import pages

app_name = "segments"
urlpatterns = [
    path("", pages.segments, name="all"),
    path("new", pages.new, name="new"),
    path("editor", pages.editor, name="editor"),
    path("panel", pages.panel, name="panel"),
    path("save", pages.save, name="save"),
    path("<int:segment_id>", pages.segment, name="one"),
    path("<int:segment_id>/edit", pages.edit, name="edit"),
    path("<int:segment_id>/count", pages.count_of, name="count"),
    path("<int:segment_id>/delete", pages.delete, name="delete"),
]

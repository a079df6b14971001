"""Addresses of beginnings."""

from __future__ import annotations

from django.urls import path

from qunluo.console.launching import starting, tasks

app_name = "launch"
urlpatterns = [
    path("groups/start", starting.choose, name="choose"),
    path("groups/start/fit", starting.fit, name="fit"),
    path("groups/start/<slug:key>", starting.begin, name="begin"),
    path("groups/<int:group_id>/tasks", tasks.add, name="add_task"),
    path("tasks/<int:task_id>", tasks.check, name="check"),
]

"""Every address: members' pages, the API, the console, and reports of exports."""

from collections.abc import Callable
from typing import Any, cast

from django.http import HttpResponseBase
from django.urls import include, path

from qunluo.api import pages
from qunluo.console.access import staff_view

View = Callable[..., HttpResponseBase]
_HOOK = "webhooks/<int:webhook_id>"


def _keys(view: View) -> View:
    """A page of the API room, behind the door of the console."""
    return cast(View, staff_view("manage_api")(cast(Any, view)))


_ONE = f"keys/{_HOOK}"
keys = [
    path("keys", _keys(pages.tokens), name="tokens"),
    path("keys/<int:token_id>/revoke", _keys(pages.revoke), name="revoke"),
    path("keys/webhooks", _keys(pages.webhooks), name="webhooks"),
    path(_ONE, _keys(pages.webhook), name="webhook"),
    path(f"{_ONE}/switch", _keys(pages.switch), name="switch"),
    path(f"{_ONE}/remove", _keys(pages.remove), name="remove"),
    path(f"{_ONE}/calls/<int:call_id>/redeliver", _keys(pages.redeliver), name="redeliver"),
]
urlpatterns = [
    path("", include("qunluo.h5.urls")),  # members are many: theirs are found first
    path("console/", include((keys, "keys"))),
    path("", include("qunluo.console.urls")),
    path("pay/", include("qunluo.payments.urls")),
    path("api/v1/", include("qunluo.api.urls")),
]

handler400 = "qunluo.console.views.refuse_strange"
handler404 = "qunluo.server.refusing.not_found"
handler500 = "qunluo.server.refusing.broken"

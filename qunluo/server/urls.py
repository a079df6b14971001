"""Every address: members' pages, the API, the console, and reports of exports."""

from django.urls import include, path

urlpatterns = [
    path("", include("qunluo.console.urls")),
    path("", include("qunluo.h5.urls")),
    path("api/v1/", include("qunluo.api.urls")),
]

handler400 = "qunluo.console.views.refuse_strange"
handler404 = "qunluo.console.views.not_found"
handler500 = "qunluo.console.views.broken"

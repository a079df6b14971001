"""Addresses of the first page."""

from django.urls import path, register_converter
from django.views.i18n import set_language

from qunluo.console import views


class JobId:
    regex = "[0-9a-f]{16}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(JobId, "job")

urlpatterns = [
    path("", views.home, name="home"),
    path("reports", views.create, name="create"),
    path("jobs/<job:job_id>", views.job, name="job"),
    path("jobs/<job:job_id>/stop", views.stop, name="stop"),
    path("jobs/<job:job_id>/retry", views.retry, name="retry"),
    path("jobs/<job:job_id>/delete", views.delete, name="delete"),
    path("jobs/<job:job_id>/restore", views.restore, name="restore"),
    path("reports/<job:job_id>/report.html", views.report_html, name="report_html"),
    path("reports/<job:job_id>/report.json", views.report_json, name="report_json"),
    path("assets/<str:name>", views.asset, name="asset"),
    path("language", set_language, name="set_language"),
]

"""The addresses of this room."""

from django.urls import path

from qunluo.payments import views

app_name = "payments"
urlpatterns = [path("<slug:provider>/notify", views.notify, name="notify")]

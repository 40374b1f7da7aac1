"""The addresses of the site."""

from django.contrib import admin
from django.urls import include, path

handler400 = "conversations.views.site.bad_request"
handler403 = "conversations.views.site.forbidden"
handler404 = "conversations.views.site.not_found"

urlpatterns = [
    path("", include("conversations.urls")),
    path("accounts/", include("conversations.views.account_urls")),
    path("admin/", admin.site.urls),
]

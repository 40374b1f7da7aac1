"""The addresses of the site."""

from django.contrib import admin
from django.contrib.auth import views as auth
from django.urls import include, path

handler400 = "conversations.views.site.bad_request"
handler403 = "conversations.views.site.forbidden"
handler404 = "conversations.views.site.not_found"

urlpatterns = [
    path("", include("conversations.urls")),
    path("accounts/login/", auth.LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("accounts/logout/", auth.LogoutView.as_view(), name="logout"),
    path("accounts/password/", auth.PasswordChangeView.as_view(), name="password_change"),
    path("accounts/password/done/", auth.PasswordChangeDoneView.as_view(), name="password_change_done"),
    path("admin/", admin.site.urls),
]

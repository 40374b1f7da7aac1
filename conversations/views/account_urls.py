"""The addresses below /accounts/. Of allauth's pages those that are meant to be here, and no others."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from conversations.views import accounts, doors
from conversations.views.accounts import challenged, enrolling, theirs, waiting

urlpatterns = [
    path("login/", theirs("conversations.views.signing_in.sign_in"), name="account_login"),
    path("logout/", LogoutView.as_view(), name="account_logout"),
    # allauth goes back to its own lists of factors: ours is one page.
    *(path("", accounts.overview, name=name) for name in ("account", "mfa_index", "mfa_list_webauthn")),
    path("second-factor/", accounts.second_factor, name="account_second_factor"),
    path("password/", accounts.password, name="password_change"),
    path("password/done/", accounts.password_done, name="password_change_done"),
    path("sign-out-elsewhere/", accounts.sign_out_elsewhere, name="account_sign_out_elsewhere"),
    # Proving again who one is, before factors are changed.
    path("again/", theirs("allauth.account.views.reauthenticate"), name="account_reauthenticate"),
    path("again/code/", theirs("allauth.mfa.base.views.reauthenticate"), name="mfa_reauthenticate"),
    path(
        "again/passkey/",
        theirs("allauth.mfa.webauthn.views.reauthenticate_webauthn"),
        name="mfa_reauthenticate_webauthn",
    ),
    # Second factors.
    path("login/code/", waiting(theirs("allauth.mfa.base.views.authenticate")), name="mfa_authenticate"),
    path(
        "login/passkey/",
        challenged(theirs("allauth.mfa.webauthn.views.login_webauthn")),
        name="mfa_login_webauthn",
    ),
    path("app/", enrolling(theirs("allauth.mfa.totp.views.activate_totp")), name="mfa_activate_totp"),
    path("app/remove/", theirs("allauth.mfa.totp.views.deactivate_totp"), name="mfa_deactivate_totp"),
    path(
        "passkeys/add/", enrolling(theirs("allauth.mfa.webauthn.views.add_webauthn")), name="mfa_add_webauthn"
    ),
    path("passkeys/<int:pk>/", theirs("allauth.mfa.webauthn.views.edit_webauthn"), name="mfa_edit_webauthn"),
    path(
        "passkeys/<int:pk>/remove/",
        theirs("allauth.mfa.webauthn.views.remove_webauthn"),
        name="mfa_remove_webauthn",
    ),
    path(
        "codes/",
        theirs("allauth.mfa.recovery_codes.views.view_recovery_codes"),
        name="mfa_view_recovery_codes",
    ),
    path(
        "codes/new/",
        theirs("allauth.mfa.recovery_codes.views.generate_recovery_codes"),
        name="mfa_generate_recovery_codes",
    ),
    # Other ways in.
    path("company/<uuid:sign_in_id>/", doors.company_sign_in, name="company_sign_in"),
    path("company/<uuid:sign_in_id>/back/", doors.company_callback, name="company_sign_in_callback"),
    path("invitation/<str:token>/", doors.invitation, name="invitation"),
    path("new-password/<str:token>/", doors.new_password, name="new_password"),
]

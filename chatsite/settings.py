"""Every setting of the site, read from the environment once. `README.md` lists them for operators."""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from chatsite.env import (
    envbool,
    envcurrency,
    envint,
    envlist,
    envnetworks,
    envplaces,
    envseconds,
    envsecret,
    envstr,
    envzone,
)

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(envstr("DATA_DIR", str(BASE_DIR / "var"))).resolve()
DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)


def _kept_secret(name: str, kept: str) -> str:
    """The secret `name`, or one made at the first start and kept beside the data, so that it survives a restart."""
    if value := envsecret(name):
        return value
    file = DATA_DIR / kept
    if not file.exists():
        descriptor, draft = tempfile.mkstemp(dir=DATA_DIR)  # readable by its owner alone
        with os.fdopen(descriptor, "w", encoding="ascii") as stream:
            stream.write(secrets.token_urlsafe(64))
        with contextlib.suppress(FileExistsError):  # another process was quicker: its key is the key
            os.link(draft, file)
        Path(draft).unlink()
    return file.read_text("ascii").strip()


def _encryption_keys() -> list[str]:
    """What seals secrets in the database: the first seals, each opens. Raises ImproperlyConfigured for a short one."""
    keys = [key.strip() for key in _kept_secret("ENCRYPTION_KEY", "encryption-key").split(",") if key.strip()]
    if not keys or min(map(len, keys)) < 32:
        raise ImproperlyConfigured(
            "ENCRYPTION_KEY must be one or more keys of at least 32 characters each, with commas between them."
        )
    return keys


SECRET_KEY = _kept_secret("SECRET_KEY", "secret-key")
KEYS_GIVEN = bool(envsecret("SECRET_KEY") and envsecret("ENCRYPTION_KEY"))
ENCRYPTION_KEYS = _encryption_keys()
DEBUG = envbool("DEBUG", default=False)
ALLOWED_HOSTS = envlist("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = envlist("CSRF_TRUSTED_ORIGINS")

# People reach the site over HTTPS when a trusted origin says so; then nothing of a session travels in clear.
HTTPS = any(origin.startswith("https://") for origin in CSRF_TRUSTED_ORIGINS)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
if HTTPS:  # a name that a browser takes from this very host alone, and over HTTPS
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# Whose word on the address of a client is believed: addresses and networks of proxies.
TRUSTED_PROXIES = envnetworks("TRUSTED_PROXIES")

INSTALLED_APPS = [
    "daphne",
    "chatsite.apps.AdministrationConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "csp",
    "django_htmx",
    "heroicons",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "conversations",
]

MIDDLEWARE = [
    "chatsite.numbering.numbered",
    "chatsite.health.probes",
    "chatsite.bodies.Bounded",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "conversations.views.gate.AccountGate",
    "conversations.views.guards.DatabaseAway",
]

ROOT_URLCONF = "chatsite.urls"
ASGI_APPLICATION = "chatsite.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    ["chatsite.nonces.FilesystemLoader", "chatsite.nonces.AppsLoader"],
                )
            ],
            "builtins": ["chatsite.nonces"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [NONCE],  # and what these import: see nonces.py
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "manifest-src": [SELF],
        "worker-src": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "report-uri": ["/csp-report/"],
    }
}


def _database() -> dict[str, Any]:
    """SQLite in DATA_DIR, or what DATABASE_URL names."""
    url = envsecret("DATABASE_URL")
    if not url:
        url = f"sqlite:///{DATA_DIR / 'chat.sqlite3'}"
    try:
        database: dict[str, Any] = dict(dj_database_url.parse(url))
    except (ValueError, dj_database_url.ParseError) as error:
        raise ImproperlyConfigured("DATABASE_URL is not an address that is understood.") from error
    options: dict[str, Any] = database.setdefault("OPTIONS", {})
    if database["ENGINE"] == "django.db.backends.sqlite3":
        # With deferred transactions two writers that read first fail at once, whatever the timeout.
        options["transaction_mode"] = "IMMEDIATE"
        options["timeout"] = (
            5  # who waits longer for the lock is told, and has not kept a thread of the pages for long
        )
        # What is deleted is overwritten: else its words would stand in the file until something else needs the place.
        options["init_command"] = (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA secure_delete=ON;"
        )
        # Opening one costs more than most queries, and closing the last empties the log of writes. The threads of our
        # bounded pools have one each. A result that is not read to its end would keep its moment: tests look for it.
        database["CONN_MAX_AGE"] = None
        database["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}  # a file: an in-memory one locks by table
    elif database["ENGINE"] == "django.db.backends.postgresql":
        # Persistent connections leak one per thread under ASGI; the pool bounds and shares them.
        options["pool"] = {"min_size": 1, "max_size": 16, "timeout": 5}
        # A server that is gone without a word is noticed within seconds.
        silence = {"keepalives": 1, "keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3}
        for name, value in {"connect_timeout": 5, "tcp_user_timeout": 10_000, **silence}.items():
            options.setdefault(name, value)
    else:
        raise ImproperlyConfigured("DATABASE_URL must name SQLite or PostgreSQL.")
    return database


DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"


def _redis_url() -> str:
    """The address of Redis; empty where there is none. Raises ImproperlyConfigured for anything else."""
    url = envsecret("REDIS_URL")
    if not url:
        return ""
    parts = urlsplit(url)
    try:
        sound = parts.scheme == "unix" or (
            parts.scheme in {"redis", "rediss"}
            and bool(parts.hostname)
            and (parts.port or 1) > 0
            and (parts.path.strip("/") or "0").isdigit()
        )
    except ValueError:  # a port that is no number
        sound = False
    if not sound:
        raise ImproperlyConfigured("REDIS_URL must be an address such as redis://127.0.0.1:6379/0.")
    return url


REDIS_URL = _redis_url()
# The sockets of one process; what other processes announce, `conversations.peers` brings from Redis. A layer over Redis
# would be waited for by every form and every socket that opens, also while Redis says nothing.
CHANNEL_LAYERS = {"default": {"BACKEND": "chatsite.layers.InMemoryLayer"}}

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = LOGOUT_REDIRECT_URL = "account_login"
LOGIN_REDIRECT_URL = "start"

AUTHENTICATION_BACKENDS = ["conversations.accounts.backend.PersonBackend"]
ACCOUNT_ADAPTER = "conversations.accounts.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_FORMS = {"login": "conversations.accounts.forms.SignInForm"}
# allauth would count in the memory of one process; `conversations/accounts/limits.py` counts in the database.
ACCOUNT_RATE_LIMITS = MFA_RATE_LIMITS = False

MFA_ADAPTER = "conversations.accounts.adapters.FactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_TOLERANCE = 1  # steps of half a minute that a telephone's clock may differ
MFA_FORMS = {
    "activate_totp": "conversations.accounts.factor_forms.ActivationForm",
    "authenticate": "conversations.accounts.factor_forms.CodeForm",
    "reauthenticate": "conversations.accounts.factor_forms.CodeAgainForm",
    "authenticate_webauthn": "conversations.accounts.factor_forms.PasskeyForm",
    "reauthenticate_webauthn": "conversations.accounts.factor_forms.PasskeyAgainForm",
    "login_webauthn": "conversations.accounts.factor_forms.PasskeySignInForm",
    "add_webauthn": "conversations.accounts.factor_forms.NewPasskeyForm",
    "edit_webauthn": "conversations.accounts.factor_forms.PasskeyNameForm",
}

# Companies' providers are rows of ours (CompanySignIn). The module of allauth's provider is left out of INSTALLED_APPS:
# it would be loaded at each start, and megabytes with it.
SOCIALACCOUNT_ADAPTER = "conversations.accounts.adapters.CompanyAdapter"
SOCIALACCOUNT_UID_MAX_LENGTH = 191

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("fr", "Français")]
LOCALE_PATHS = [BASE_DIR / "conversations" / "locale"]
LANGUAGE_COOKIE_NAME = "__Host-language" if HTTPS else "language"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_SECURE, LANGUAGE_COOKIE_HTTPONLY, LANGUAGE_COOKIE_SAMESITE = HTTPS, True, "Lax"
FORMAT_MODULE_PATH = "chatsite.formats"
TIME_ZONE = envzone("TIME_ZONE", "UTC")
USE_I18N = True
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATIC_ROOT.mkdir(exist_ok=True)
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage" if DEBUG else "chatsite.statics.Statics"
        )
    },
}

# The longest form that may be sent is a reviewer's correction, of 100,000 characters: four bytes each in UTF-8, of each
# of which percent-encoding makes three. What a chat takes at once is less, which is said where a message is posted.
DATA_UPLOAD_MAX_MEMORY_SIZE = 100_000 * 4 * 3 + 64 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1_000
# Files come with messages alone and are small (chatsite/bodies.py): none of them is ever put on disk.
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * DATA_UPLOAD_MAX_MEMORY_SIZE + 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FILES = 100

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"numbered": {"()": "chatsite.logs.Numbered"}, "brief": {"()": "chatsite.logs.Brief"}},
    "formatters": {
        "line": {"()": f"chatsite.logs.{'Terminal' if sys.stderr.isatty() else 'Json'}Formatter"},
    },
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["numbered"]},
        # A malformed request is worth a line, not a traceback that anybody can order.
        "brief": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["numbered", "brief"],
        },
    },
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "conversations": {"level": "INFO"},
        "chatsite": {"level": "INFO"},
        # Whole addresses at INFO would carry whatever an operator put into a base URL.
        "httpx": {"level": "WARNING"},
        # A missing variable is told at DEBUG with the whole context of its page: system prompts, what people said.
        "django.template": {"level": "INFO"},
        # A refused form or a missing page is an answer, not an incident.
        "django.request": {"level": "ERROR"},
        "django.channels.server": {"level": "ERROR"},
        "django.security": {"handlers": ["brief"], "propagate": False},
    },
}

# -- The product ------------------------------------------------------------------------------------


def _base_url(name: str, default: str = "") -> str:
    """An http(s) address without a trailing slash. Raises ImproperlyConfigured for anything else."""
    url = envstr(name, default).rstrip("/")
    try:
        parts = urlsplit(url)
        sound = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:  # a port that is no number
        sound = False
    if url and not sound:
        raise ImproperlyConfigured(f"{name} must be an http:// or https:// address.")
    return url


MISTRAL_API_KEY = envsecret("MISTRAL_API_KEY")
MISTRAL_BASE_URL = _base_url("MISTRAL_BASE_URL", "https://api.mistral.ai")
CO_API_KEY = envsecret("CO_API_KEY")
COHERE_BASE_URL = _base_url("COHERE_BASE_URL", "https://api.cohere.com")
OPENAI_API_KEY = envsecret("OPENAI_API_KEY")
OPENAI_BASE_URL = _base_url("OPENAI_BASE_URL")

# What addresses that are typed into the administration may lead to; those above are allowed by being here.
UPSTREAM_HOSTS = envplaces("UPSTREAM_HOSTS", ported=False)
LOCAL_UPSTREAMS = envplaces("LOCAL_UPSTREAMS", ported=True)

MESSAGES_PER_MINUTE = envint("MESSAGES_PER_MINUTE", 20)
ANSWERS_AT_ONCE = envint("ANSWERS_AT_ONCE", 3)
COMPANY_ANSWERS_AT_ONCE = envint("COMPANY_ANSWERS_AT_ONCE", 20)
PROCESS_ANSWERS_AT_ONCE = envint("PROCESS_ANSWERS_AT_ONCE", 100)
PERSON_SOCKETS = envint("PERSON_SOCKETS", 10)
COMPANY_SOCKETS = envint("COMPANY_SOCKETS", 200)
PROCESS_SOCKETS = envint("PROCESS_SOCKETS", 2_000)
CURRENCY = envcurrency("CURRENCY", "USD")

UPSTREAM_CONNECT_TIMEOUT = envseconds("UPSTREAM_CONNECT_TIMEOUT", 5)
UPSTREAM_FIRST_TOKEN_TIMEOUT = envseconds("UPSTREAM_FIRST_TOKEN_TIMEOUT", 60)
UPSTREAM_SILENCE_TIMEOUT = envseconds("UPSTREAM_SILENCE_TIMEOUT", 45)
UPSTREAM_TOTAL_TIMEOUT = envseconds("UPSTREAM_TOTAL_TIMEOUT", 600)

DEMO_PASSWORD = envsecret("DEMO_PASSWORD")
METRICS_TOKEN = envsecret("METRICS_TOKEN")

# A page about an error may show what was on its way to a provider, also while DEBUG is on.
DEFAULT_EXCEPTION_REPORTER_FILTER = "chatsite.reporting.Discreet"

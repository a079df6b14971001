"""Django's settings, all derived from `kit.settings`; nothing here is for operators."""

from pathlib import Path
from typing import Any

from django.conf import global_settings
from psycopg.conninfo import conninfo_to_dict

from qunluo.kit.settings import LOOPBACK, find_secret, prepare_folder, read_settings

PACKAGE = Path(__file__).resolve().parent.parent
QUNLUO = read_settings()
prepare_folder(QUNLUO)

SECRET_KEY = find_secret(QUNLUO)
DEBUG = False
_NAMES = (*LOOPBACK, QUNLUO.host, *QUNLUO.allowed_hosts)
_ANY = {"0.0.0.0", "[::]"}  # noqa: S104
ALLOWED_HOSTS = sorted({f"[{n}]" if ":" in n else n for n in _NAMES} - _ANY)
if QUNLUO.host in ("0.0.0.0", "::"):  # noqa: S104 - the local network is let in on purpose
    ALLOWED_HOSTS = ["*"]
CSRF_TRUSTED_ORIGINS = [f"https://{name}" for name in QUNLUO.allowed_hosts]

INSTALLED_APPS = [
    "qunluo.events",
    "qunluo.ledger",
    "qunluo.community",
    "qunluo.members",
    "qunluo.standing",
    "qunluo.segments",
    "qunluo.groups",
    "qunluo.messaging",
    "qunluo.commerce",
    "qunluo.care",
    "qunluo.campaigns",
    "qunluo.channels.web",
    "qunluo.payments",
    "qunluo.h5",
    "qunluo.api",
    "qunluo.console",
    "wagtail.users",
    "wagtail.snippets",
    "wagtail.documents",
    "wagtail.images",
    "wagtail.search",
    "wagtail.admin",
    "wagtail",
    "modelcluster",
    "taggit",
    "django_filters",
    "django_htmx",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
ROOT_URLCONF = "qunluo.server.urls"
MIDDLEWARE = [
    "qunluo.console.guards.add_headers",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "qunluo.api.guards.limit_body",
    "qunluo.console.guards.limit_body",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "qunluo.console.guards.refuse_nul",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [PACKAGE / room / "templates" for room in ("console", "h5")],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "builtins": ["django.templatetags.i18n", "qunluo.console.wording"],
        },
    }
]


def _sqlite() -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": QUNLUO.data / "qunluo.sqlite3",
        "OPTIONS": {
            "timeout": 30,
            "transaction_mode": "IMMEDIATE",  # writers queue instead of failing half-way
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; "
            "PRAGMA busy_timeout=30000; PRAGMA cache_size=-32000;",
        },
    }


def postgres(address: str) -> dict[str, Any]:
    """Django's settings for a PostgreSQL address, with a pool in each process."""
    parts = conninfo_to_dict(address)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.pop("dbname", "qunluo"),
        "USER": parts.pop("user", ""),
        "PASSWORD": parts.pop("password", ""),
        "HOST": parts.pop("host", ""),
        "PORT": str(parts.pop("port", "")),
        "OPTIONS": {**parts, "pool": {"min_size": 1, "max_size": 16, "timeout": 10}},
    }


DATABASES = {"default": postgres(QUNLUO.database) if QUNLUO.database else _sqlite()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "community.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}", **more}
    for name, more in (
        ("UserAttributeSimilarityValidator", {}),
        ("MinimumLengthValidator", {"OPTIONS": {"min_length": 12}}),
        ("CommonPasswordValidator", {}),
    )
]
PASSWORD_HASHERS = global_settings.PASSWORD_HASHERS
LOGIN_URL = "console:sign_in"
LOGIN_REDIRECT_URL = "home"

WAGTAIL_SITE_NAME = "Qunluo"
WAGTAIL_PASSWORD_RESET_ENABLED = False  # no mail leaves by itself
WAGTAIL_ENABLE_UPDATE_CHECK = False
WAGTAIL_ENABLE_WHATS_NEW_BANNER = False
WAGTAIL_GRAVATAR_PROVIDER_URL = None
WAGTAILADMIN_BASE_URL = ""
WAGTAIL_CONTENT_LANGUAGES = LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
WAGTAIL_I18N_ENABLED = False

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = QUNLUO.secure
SECURE_SSL_REDIRECT = QUNLUO.secure
SECURE_HSTS_SECONDS = 31_536_000 if QUNLUO.secure else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = QUNLUO.secure
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if QUNLUO.secure else None
SECURE_CONTENT_TYPE_NOSNIFF = True
CSRF_COOKIE_HTTPONLY = False  # the room's script sends it along; it is no secret to the page
CSRF_COOKIE_SAMESITE = "Strict"
CSRF_FAILURE_VIEW = "qunluo.server.refusing.refuse_forged"
LANGUAGE_COOKIE_SAMESITE = "Strict"
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

STATIC_URL = "/static/"
STATIC_ROOT = QUNLUO.data / "static"
MEDIA_ROOT = QUNLUO.data / "media"
FILE_UPLOAD_HANDLERS = ["qunluo.console.uploads.ToDisk"]
DATA_UPLOAD_MAX_NUMBER_FILES = 20_000  # a Slack export has one file a channel and day

LANGUAGE_CODE = "en"
LOCALE_PATHS = [PACKAGE / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"where": {"()": "qunluo.server.logs.WhereOnly"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "where"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "django": {"handlers": ["stderr"], "level": "ERROR", "propagate": False},
        "django.security": {"handlers": ["stderr"], "level": "CRITICAL", "propagate": False},
    },
}

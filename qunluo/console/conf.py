"""Django's settings, all derived from `console.settings`; nothing here is for operators."""

from pathlib import Path

from qunluo.console.settings import LOOPBACK, find_secret, prepare_folder, read_settings

QUNLUO = read_settings()
prepare_folder(QUNLUO)

SECRET_KEY = find_secret(QUNLUO)
DEBUG = False
_NAMES = (*LOOPBACK, QUNLUO.host, *QUNLUO.allowed_hosts)
ALLOWED_HOSTS = sorted({f"[{n}]" if ":" in n else n for n in _NAMES} - {"0.0.0.0", "[::]"})  # noqa: S104
CSRF_TRUSTED_ORIGINS = [f"https://{name}" for name in QUNLUO.allowed_hosts]

INSTALLED_APPS = ["qunluo.console"]
ROOT_URLCONF = "qunluo.console.urls"
MIDDLEWARE = [
    "qunluo.console.guards.add_headers",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "qunluo.console.guards.limit_body",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [Path(__file__).parent / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
            ],
            "builtins": ["django.templatetags.i18n", "qunluo.console.wording"],
        },
    }
]
DATABASES: dict[str, object] = {}

CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Strict"
CSRF_FAILURE_VIEW = "qunluo.console.views.refuse_forged"
LANGUAGE_COOKIE_SAMESITE = "Strict"
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

FILE_UPLOAD_HANDLERS = ["qunluo.console.uploads.ToDisk"]
DATA_UPLOAD_MAX_NUMBER_FILES = 20_000  # a Slack export has one file a channel and day

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
LOCALE_PATHS = [Path(__file__).parent.parent / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"stderr": {"class": "logging.StreamHandler"}},
    "loggers": {
        "django": {"handlers": ["stderr"], "level": "ERROR", "propagate": False},
        "django.security": {"handlers": ["stderr"], "level": "CRITICAL", "propagate": False},
    },
}

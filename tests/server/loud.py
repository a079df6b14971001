"""The settings as they are, with logs that tell all they can, and one address that breaks."""

from qunluo.server import conf
from qunluo.server.conf import *  # noqa: F403 - settings are what this module is

ROOT_URLCONF = "tests.server.breaking"
LOGGING = {
    **conf.LOGGING,
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {"django": {"level": "INFO"}, "qunluo": {"level": "DEBUG"}},
}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # as the tests' own

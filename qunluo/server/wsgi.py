"""The application of pages and API, for Granian."""

import atexit
import gc
import os
import threading
from importlib import import_module

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "qunluo.server.conf")
application = get_wsgi_application()


def _open() -> None:
    from qunluo.console.sampling import want_sample
    from qunluo.console.starting import tell_setup_code
    from qunluo.console.views import workshop

    threading.Thread(target=_warm_up, name="warming", daemon=True).start()
    atexit.register(workshop().close)
    tell_setup_code()
    if os.environ.get("QUNLUO_SAMPLE") == "1":
        want_sample(workshop())


def _warm_up() -> None:
    """Loads what is slow to load. What is loaded then stays: nobody need look through it for
    what is no longer used (a look took longer than 60 orders)."""
    from qunluo.groups.classifier import warm_up

    import_module(settings.ROOT_URLCONF)  # every page: else whoever comes first waits for it
    warm_up()
    gc.collect()
    gc.freeze()


_open()

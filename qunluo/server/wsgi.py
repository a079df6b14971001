"""The application of pages and API, for Granian."""

import atexit
import os
import threading

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "qunluo.server.conf")
application = get_wsgi_application()


def _open() -> None:
    from qunluo.console.sampling import want_sample
    from qunluo.console.starting import tell_setup_code
    from qunluo.console.views import workshop
    from qunluo.groups.classifier import warm_up

    threading.Thread(target=warm_up, name="warming", daemon=True).start()
    atexit.register(workshop().close)
    tell_setup_code()
    if os.environ.get("QUNLUO_SAMPLE") == "1":
        want_sample(workshop())


_open()

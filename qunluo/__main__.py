"""`python -m qunluo` is the command `qunluo`."""

import sys

STOPPED = 130  # as shells have it for Ctrl-C


def run() -> None:
    """The command; Ctrl-C is no error even while its code is still being loaded."""
    try:
        from qunluo.cli import main  # noqa: PLC0415 - loading it is part of what may be stopped

        main()
    except KeyboardInterrupt:
        sys.exit(STOPPED)


if __name__ == "__main__":  # servers start workers that import this module again
    run()

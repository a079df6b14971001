"""`python -m qunluo` is the command `qunluo`."""

from qunluo.cli import main

if __name__ == "__main__":  # servers start workers that import this module again
    main()

"""`python -m qunluo` is the command `qunluo`."""

from qunluo.cli import main

main()

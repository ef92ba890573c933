"""The cluster of the tests, from the command line: `python -m testcluster up|down|prepare|run|load|status`."""

import sys

from testcluster.commands import main

sys.exit(main(sys.argv[1:]))

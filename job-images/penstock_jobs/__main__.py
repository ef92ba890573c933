"""`python -m penstock_jobs SPECIFICATION`: the process of one job, see `penstock_jobs.job_process`.

It listens for SIGTERM before it imports what the job needs, which takes seconds on a busy node: until then the first
process of a container ignores the signal, and a pod that is drained would last until it is killed.
"""

import sys

from penstock_jobs.ending import end_on_sigterm
from penstock_jobs.isolation import start_again

if __name__ == "__main__":
    start_again("penstock_jobs")
    end_on_sigterm()  # for the life of the process, so not in `main`, which somebody else's process may call
    from penstock_jobs.job_process import main

    sys.exit(main())

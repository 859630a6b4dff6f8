"""How a worker ends: at once, in the middle of a training too, but not in the middle of writing down its outcome."""

import os
import threading
from datetime import timedelta

from distributed import Worker, WorkerPlugin

#: Held by a worker while it writes.
WRITING = threading.Lock()

#: For the last words to the scheduler.
GOODBYE = timedelta(seconds=0.2)


class EndAtOnce(WorkerPlugin):
    """A worker that closes is gone, whatever it computes.

    Dask would wait for the training, since a thread cannot be stopped. Nobody needs its outcome any more: the run has
    ended, or its collector is gone.
    """

    name = "end-at-once"
    idempotent = True

    async def teardown(self, worker: Worker) -> None:
        try:
            # Else the scheduler, if it is still there, complains of a broken connection.
            worker.batched_send({"op": "close-stream"})
            await worker.batched_stream.close(GOODBYE)
        finally:
            WRITING.acquire()
            os._exit(0)

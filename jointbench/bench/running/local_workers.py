"""Worker processes on this machine: how they begin, and how they end."""

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from distributed import Nanny

#: Seconds in which a worker can hear that it is to end; one that is importing or in a long step does not.
HEARING = 0.5


class LocalWorkers:
    """One process for each of `options`, those of Dask's Nanny; to be used on the event loop of the scheduler."""

    def __init__(self, scheduler: str, options: Sequence[Mapping[str, Any]]) -> None:
        self.scheduler, self.options = scheduler, options
        self._nannies: list[Nanny] = []
        self._starting: asyncio.Future[Any] | None = None

    async def start(self) -> None:
        """Returns when all are there; raises what the first of them fails with."""
        self._nannies = [Nanny(self.scheduler, name=number, **each) for number, each in enumerate(self.options)]
        self._starting = asyncio.gather(*self._nannies, return_exceptions=True)
        # Dask can neither cancel nor close one that is starting.
        for started in await asyncio.shield(self._starting):
            if isinstance(started, BaseException):
                raise started

    async def end(self) -> None:
        """Returns when all are gone: they are asked to end, and killed where they do not hear it."""
        while self._starting is not None and not self._starting.done():
            self._kill()
            await asyncio.wait([self._starting], timeout=0.05)
        deaf = {asyncio.ensure_future(nanny.close()) for nanny in self._nannies}
        seconds = HEARING
        while deaf:
            _, deaf = await asyncio.wait(deaf, timeout=seconds)
            if deaf:
                self._kill()
            seconds = 0.05

    def _kill(self) -> None:
        for nanny in self._nannies:
            if (process := nanny.pid) is not None:
                with suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)

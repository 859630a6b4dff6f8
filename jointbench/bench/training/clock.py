"""Seconds of forward, backward and optimizer step: measured on the device that does them, or counted."""

import time
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

import torch
from torch import Tensor


class Clock(Protocol):
    """Measures laps; a lap keeps its loss, so that reading it never stalls the device."""

    @property
    def elapsed(self) -> float:
        """Seconds of all laps so far."""
        ...

    @property
    def measured(self) -> float:
        """Seconds that the laps took on the device, whatever they count as."""
        ...

    def lap(self) -> AbstractContextManager[None]: ...

    def keep(self, loss: Tensor) -> None:
        """To be called inside a lap, once."""
        ...

    def losses(self) -> list[float]:
        """Losses of the laps that have ended since the last call."""
        ...

    def finish(self) -> None:
        """Wait until all laps have ended."""
        ...

    def resume(self, elapsed: float, measured: float) -> None:
        """Go on from where the clock of a training that was interrupted stood."""
        ...


class ProcessorClock:
    """CPU time of this thread, so that a busy machine does not shorten a training."""

    def __init__(self) -> None:
        self.elapsed = 0.0
        self._losses: list[Tensor] = []

    @contextmanager
    def lap(self) -> Iterator[None]:
        start = time.thread_time()
        yield
        self.elapsed += time.thread_time() - start

    def keep(self, loss: Tensor) -> None:
        self._losses.append(loss.detach())

    def losses(self) -> list[float]:
        kept, self._losses = self._losses, []
        return [loss.item() for loss in kept]

    def finish(self) -> None:
        pass

    @property
    def measured(self) -> float:
        return self.elapsed

    def resume(self, elapsed: float, measured: float) -> None:
        self.elapsed = elapsed


class CudaClock:
    """CUDA events around each lap, read when the device has passed them, so that measuring never stalls it.

    `elapsed` counts laps still queued at the length of the last one that ended.
    """

    def __init__(self) -> None:
        self._done = 0.0
        self._last = 0.0
        self._queued: deque[tuple[torch.cuda.Event, torch.cuda.Event, Tensor]] = deque()
        self._ended: list[float] = []
        self._loss: Tensor | None = None

    @contextmanager
    def lap(self) -> Iterator[None]:
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        start.record()
        yield
        assert self._loss is not None
        end.record()
        self._queued.append((start, end, self._loss))

    def keep(self, loss: Tensor) -> None:
        self._loss = loss.detach().to("cpu", non_blocking=True)

    def _collect(self) -> None:
        while self._queued and self._queued[0][1].query():
            start, end, loss = self._queued.popleft()
            self._last = start.elapsed_time(end) / 1000
            self._done += self._last
            self._ended.append(loss.item())

    @property
    def elapsed(self) -> float:
        self._collect()
        if self._last == 0.0 and self._queued:
            self._queued[0][1].synchronize()
            self._collect()
        return self._done + len(self._queued) * self._last

    def losses(self) -> list[float]:
        self._collect()
        ended, self._ended = self._ended, []
        return ended

    @property
    def measured(self) -> float:
        return self.elapsed

    def finish(self) -> None:
        torch.cuda.synchronize()
        self._collect()

    def resume(self, elapsed: float, measured: float) -> None:
        self._done = elapsed


class StepClock:
    """Every lap takes the same seconds: those that it was found to take on an idle device, or a reference clock's.

    Whatever else the device does meanwhile, the budget is the same number of laps.
    """

    def __init__(self, device: torch.device, seconds_a_lap: float) -> None:
        self._device_clock = device_clock(device)
        self.seconds_a_lap = seconds_a_lap
        self._laps = 0

    @property
    def elapsed(self) -> float:
        return self._laps * self.seconds_a_lap

    @property
    def measured(self) -> float:
        return self._device_clock.measured

    @contextmanager
    def lap(self) -> Iterator[None]:
        with self._device_clock.lap():
            yield
        self._laps += 1

    def keep(self, loss: Tensor) -> None:
        self._device_clock.keep(loss)

    def losses(self) -> list[float]:
        return self._device_clock.losses()

    def finish(self) -> None:
        self._device_clock.finish()

    def resume(self, elapsed: float, measured: float) -> None:
        self._laps = round(elapsed / self.seconds_a_lap)
        self._device_clock.resume(measured, measured)


def device_clock(device: torch.device) -> Clock:
    return CudaClock() if device.type == "cuda" else ProcessorClock()

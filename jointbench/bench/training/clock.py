"""Seconds of forward, backward and optimizer step: measured on the device that does them, or counted."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

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


class StepClock:
    """Every lap takes the same seconds: those that it was found to take on an idle device, or a reference clock's.

    Whatever else the device does meanwhile, the budget is the same number of laps.
    """

    def __init__(self, on_device: Clock, seconds_a_lap: float) -> None:
        """`on_device`: what measures the laps all the same."""
        self._device_clock = on_device
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

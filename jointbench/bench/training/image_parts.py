"""A part of a data set as a training reads it: on the device, or streamed to it from the host a batch ahead."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from jointbench.bench.training.devices.device import Device
from jointbench.data.images.image_data import Labels, Part, Pixels

#: Which images.
Places = npt.NDArray[np.int64]


@dataclass(frozen=True)
class DevicePart:
    """Images as uint8 and labels, on the device."""

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def first(self, count: int) -> "DevicePart":
        """So many of them."""
        return DevicePart(self.images[:count], self.labels[:count])

    def chunks(self, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """All images in order, so many at a time, and their labels."""
        return zip(self.images.split(size), self.labels.split(size), strict=True)


class StreamedPart:
    """Images in the host's memory, or in a file that is mapped there, and labels on the device.

    A thread gathers the images that are expected next, where an accelerator is into pinned memory, from where they
    reach it while it computes.
    """

    def __init__(self, part: Part, on: Device) -> None:
        self._images: Pixels = part.images
        self._labels: Labels = part.labels
        self._on = on
        self.labels = torch.from_numpy(part.labels).to(on.torch)
        self._reader = ThreadPoolExecutor(1, "images")
        self._expected: tuple[Places, Future[Tensor]] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def first(self, count: int) -> "StreamedPart":
        """So many of them."""
        return StreamedPart(Part(self._images[:count], self._labels[:count]), self._on)

    def _gather(self, places: Places) -> Tensor:
        host = self._on.host_bytes((len(places), *self._images.shape[1:]))
        # Of all modes this one alone writes where it is told to without a copy.
        np.take(self._images, places, axis=0, out=host.numpy(), mode="clip")
        return host

    def expect(self, places: Places) -> None:
        """These (n,) will be taken next, perhaps with others behind them."""
        if len(places):
            self._expected = places, self._reader.submit(self._gather, places)

    def take(self, places: Places) -> Tensor:
        """Images (n, channels, height, width), uint8 on the device, which need not have arrived yet."""
        expected, self._expected = self._expected, None
        if expected is None or not np.array_equal(expected[0], places[: len(expected[0])]):
            return self._on.to_device(self._gather(places))
        there = self._on.to_device(expected[1].result())
        rest = places[len(expected[0]) :]
        return there if len(rest) == 0 else torch.cat([there, self._on.to_device(self._gather(rest))])

    def chunks(self, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """As `DevicePart.chunks`."""
        pieces = np.split(np.arange(len(self)), range(size, len(self), size))
        for piece, after in zip(pieces, [*pieces[1:], pieces[0][:0]], strict=True):
            images = self.take(piece)
            self.expect(after)
            yield images, self.labels[int(piece[0]) : int(piece[-1]) + 1]

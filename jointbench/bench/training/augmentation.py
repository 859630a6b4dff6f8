"""A data set and its random batches: crop, flip, normalise, CutOut, MixUp as tensor operations on the device."""

from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's own documentation calls it so

from jointbench.bench.training.colour_jitter import jittered
from jointbench.bench.training.devices.device import Device
from jointbench.bench.training.devices.registry import device_of
from jointbench.bench.training.image_parts import DevicePart, Places, StreamedPart
from jointbench.bench.training.resized_crops import boxes, cropped, middle
from jointbench.data.images.facts import PAPER_SIDE, ImageFacts
from jointbench.data.images.image_data import ImageData, Part, Pixels

#: ImageNet's, of pixels as numbers of [0, 1], as torchvision's pretrained networks have them.
IMAGENET_MEAN, IMAGENET_SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def cutout_side(length: int, side: int) -> int:
    """Side of the CutOut square in whole pixels of an image of this side, from the hyperparameter's pixels of 32."""
    return round(length * side / PAPER_SIDE)


def _statistics(images: Pixels) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Mean and standard deviation (channels,) of pixels as numbers of [0, 1], from how often each byte occurs."""
    values = np.arange(256) / 255
    shares = np.zeros((images.shape[1], 256))
    for some in np.array_split(images, len(images) // 1024 + 1):
        shares += [np.bincount(some[:, channel].ravel(), minlength=256) for channel in range(images.shape[1])]
    shares /= shares[0].sum()
    mean = shares @ values
    return mean, np.sqrt((shares * (values - mean[:, None]) ** 2).sum(axis=1))


class DeviceImages:
    """A data set on the device, or streamed to it; the training part there is padded once, so that a crop is one
    gather."""

    def __init__(self, data: ImageData, device: Device | torch.device, *, streamed: bool | None = None) -> None:
        """`on` is the device, `device` torch's of it; `streamed`: whether images stay with the host, by default where
        they do not fit on the device beside what is trained there."""
        self.facts: ImageFacts = data.facts
        self.on = device_of(device)
        self.device = self.on.torch
        side, augmentation = data.facts.shape[1], data.augmentation
        self.resized = augmentation.crop == "resized"
        self.pad = 0 if self.resized else augmentation.padding_of(side)
        # Per channel; a constant channel stays as it is.
        if augmentation.normalisation == "imagenet":
            mean, spread = np.array(IMAGENET_MEAN), np.array(IMAGENET_SPREAD)
        else:
            # Of the training part (appendix B).
            mean, spread = _statistics(data.training.images)
        self.mean = self._channels(mean)
        self.std = self._channels(np.where(spread > 0, spread, 1.0))
        parts = data.training, data.validation, data.test
        if streamed is None:
            streamed = not self.on.holds(sum(part.images.nbytes for part in parts))
        self.training, self.validation, self.test = (self._part(part, streamed) for part in parts)
        if isinstance(self.training, DevicePart):
            self.training = DevicePart(F.pad(self.training.images, (self.pad,) * 4), self.training.labels)

    @property
    def ahead(self) -> int:
        """Images that are made at once, as whole batches."""
        _, height, width = self.facts.shape
        # Of large ones so many pixels.
        return self.on.images_ahead * PAPER_SIDE**2 // (height * width) if self.resized else self.on.images_ahead

    def _channels(self, values: npt.NDArray[np.float64]) -> Tensor:
        return torch.tensor(values, dtype=torch.float32, device=self.device)[None, :, None, None]

    def _part(self, part: Part, streamed: bool) -> DevicePart | StreamedPart:
        if streamed:
            return StreamedPart(part, self.on)
        return DevicePart(
            torch.from_numpy(np.ascontiguousarray(part.images)).to(self.device),
            torch.from_numpy(part.labels).to(self.device),
        )

    def normalise(self, images: Tensor) -> Tensor:
        """uint8 (n, channels, h, w), or numbers of [0, 1], to float32, zero mean and unit variance a channel, channels
        last."""
        numbers = images if images.is_floating_point() else images.float() / 255
        scaled = (numbers - self.mean) / self.std
        return scaled.contiguous(memory_format=torch.channels_last)

    def clean(self, images: Tensor) -> Tensor:
        """Images of a part as they are evaluated."""
        return self.normalise(middle(images, self.facts.shape[1:]) if self.resized else images)

    def augmented(self, indices: Tensor, places: Places | None = None) -> Tensor:
        """Training images (n,), uint8 or numbers of [0, 1], each cropped and flipped on its own, and their colours
        changed, as far as the data set wants it; `places`: the indices on the host, where they are streamed."""
        part = self.training
        if isinstance(part, DevicePart):
            if not self.resized:
                return self.crop_and_flip(indices)
            images = part.images[indices]
        else:
            images = part.take(indices.cpu().numpy() if places is None else places)
            if not self.resized:
                return self._cropped(images)
        _, height, width = self.facts.shape
        at = boxes(len(images), images.shape[-1], self.device)
        flipped = torch.rand(len(images), device=self.device) < (0.5 if self.facts.augmentation.flip else 0.0)
        found = cropped(images, at, flipped, (height, width))
        return jittered(found) if self.facts.augmentation.jitter else found

    def _cropped(self, images: Tensor) -> Tensor:
        return self._crop_and_flip(F.pad(images, (self.pad,) * 4), torch.arange(len(images), device=self.device))

    def crop_and_flip(self, indices: Tensor) -> Tensor:
        """Training images (n,) that lie on the device padded with black, cropped anywhere and flipped half the time,
        each on its own, as far as the data set wants it."""
        assert isinstance(self.training, DevicePart)
        return self._crop_and_flip(self.training.images, indices)

    def _crop_and_flip(self, padded: Tensor, indices: Tensor) -> Tensor:
        channels, height, width = self.facts.shape
        count = len(indices)
        flips = self.facts.augmentation.flip
        if not (self.pad or flips):
            return padded[indices]
        top = torch.randint(0, 2 * self.pad + 1, (count, 1), device=self.device)
        left = torch.randint(0, 2 * self.pad + 1, (count, 1), device=self.device)
        flipped = torch.rand((count, 1), device=self.device) < (0.5 if flips else 0.0)
        across = torch.arange(width, device=self.device)
        rows = top + torch.arange(height, device=self.device)
        columns = left + torch.where(flipped, width - 1 - across, across)
        return padded[
            indices[:, None, None, None],
            torch.arange(channels, device=self.device)[None, :, None, None],
            rows[:, None, :, None],
            columns[:, None, None, :],
        ]

    def cut_out(self, images: Tensor, length: int) -> Tensor:
        """DeVries and Taylor 2017: one square an image, centre anywhere, clipped at the border, set to the mean
        (0 after normalisation). `length` is the hyperparameter in pixels of 32; 0 means off."""
        _, height, width = self.facts.shape
        if length == 0:
            return images
        if self.facts.augmentation.cutout == "area":
            kept = (
                1
                - self._covered(len(images), height, length)[:, :, None]
                * self._covered(len(images), width, length)[:, None, :]
            )
            return images * kept[:, None]
        square = cutout_side(length, height)
        if square == 0:
            return images
        count = len(images)
        top = torch.randint(0, height, (count, 1), device=self.device) - square // 2
        left = torch.randint(0, width, (count, 1), device=self.device) - square // 2
        down, across = torch.arange(height, device=self.device), torch.arange(width, device=self.device)
        rows = (down >= top) & (down < top + square)
        columns = (across >= left) & (across < left + square)
        # `masked_fill` would put the channels first again.
        return torch.where((rows[:, :, None] & columns[:, None, :])[:, None], 0.0, images)

    def _covered(self, count: int, side: int, length: int) -> Tensor:
        """(count, side): shares of the pixels in a row that squares cover, drawn as on images of the paper's size."""
        first = torch.randint(0, PAPER_SIDE, (count, 1), device=self.device) - length // 2
        edges = torch.arange(side + 1, device=self.device) * (PAPER_SIDE / side)
        overlap = torch.minimum(edges[1:], first + length) - torch.maximum(edges[:-1], first)
        return overlap.clamp(min=0) * (side / PAPER_SIDE)


@dataclass(frozen=True)
class Batch:
    """Mixed images (n, channels, h, w) and their two labels (n,) with the share of the first: a number, or one on the
    device."""

    images: Tensor
    labels: Tensor
    other_labels: Tensor
    share: float | Tensor

    @property
    def unmixed(self) -> bool:
        return isinstance(self.share, float) and self.share == 1.0

    def loss(self, logits: Tensor, label_smoothing: float = 0.0) -> Tensor:
        """Cross entropy, mixed as the images are (MixUp); `label_smoothing`: the share that all classes have."""
        loss = F.cross_entropy(logits, self.labels, label_smoothing=label_smoothing)
        if self.unmixed:
            return loss
        return self.share * loss + (1 - self.share) * F.cross_entropy(
            logits, self.other_labels, label_smoothing=label_smoothing
        )


class Batches:
    """Endless random batches: each epoch is a new permutation; a batch may straddle two epochs, so all are full."""

    def __init__(
        self, images: DeviceImages, batch_size: int, cutout_length: int, mixup_alpha: float, rng: np.random.Generator
    ) -> None:
        self.images, self.cutout_length, self.mixup_alpha, self.rng = images, cutout_length, mixup_alpha, rng
        self.batch_size = min(batch_size, len(images.training))
        self._order = torch.empty(0, dtype=torch.int64, device=images.device)
        #: The same on the host, where images are streamed.
        self._places: Places = np.empty(0, dtype=np.int64)
        self._ready: deque[Batch] = deque()

    def next(self) -> Batch:
        if not self._ready:
            self._ready.extend(self._make(max(1, self.images.ahead // self.batch_size)))
        return self._ready.popleft()

    def _make(self, count: int) -> list[Batch]:
        """So many batches, by as many operations as one."""
        device, size = self.images.device, self.batch_size
        indices, places = self._draw(count * size)
        images = self.images.normalise(self.images.augmented(indices, places))
        if isinstance(self.images.training, StreamedPart):
            # What is left of the epoch is known.
            self.images.training.expect(self._places[: count * size])
        images = self.images.cut_out(images, self.cutout_length)
        labels = self.images.training.labels[indices]
        if self.mixup_alpha == 0:
            pairs = zip(images.split(size), labels.split(size), strict=True)
            return [Batch(some, theirs, theirs, 1.0) for some, theirs in pairs]
        # Zhang et al. 2018: one share a batch, and partners of the same batch.
        shares = self.rng.beta(self.mixup_alpha, self.mixup_alpha, count)
        firsts = size * torch.arange(count, device=device)[:, None]
        partners = (torch.rand((count, size), device=device).argsort(dim=1) + firsts).flatten()
        on_host = torch.from_numpy(shares.astype(np.float32).repeat(size))[:, None, None, None]
        weights = self.images.on.to_device(on_host)
        mixed = torch.lerp(images[partners], images, weights).split(size)
        return list(map(Batch, mixed, labels.split(size), labels[partners].split(size), shares.tolist()))

    def _draw(self, count: int) -> tuple[Tensor, Places]:
        """The next indices of the endless row of permutations, on the device and, where images are streamed, on the
        host."""
        streamed = isinstance(self.images.training, StreamedPart)
        while len(self._order) < count:
            fresh = torch.randperm(len(self.images.training), device=self.images.device)
            self._order = torch.cat([self._order, fresh])
            if streamed:
                self._places = np.concatenate([self._places, fresh.cpu().numpy()])
        drawn, self._order = self._order[:count], self._order[count:]
        places, self._places = self._places[:count], self._places[count:]
        return drawn, places

    def state(self) -> dict[str, Any]:
        """What is left of the epoch, batches that are ready, and the state of the generator of mixing shares."""
        ready = [(batch.images, batch.labels, batch.other_labels, batch.share) for batch in self._ready]
        return {"order": self._order, "ready": ready, "rng": self.rng.bit_generator.state}

    def resume(self, state: dict[str, Any]) -> None:
        device = self.images.device
        self._order = state["order"].to(device)
        if isinstance(self.images.training, StreamedPart):
            self._places = self._order.cpu().numpy()
        self._ready = deque(
            Batch(images.to(device), labels.to(device), others.to(device), share)
            for images, labels, others, share in state["ready"]
        )
        self.rng.bit_generator.state = state["rng"]

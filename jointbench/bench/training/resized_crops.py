"""Crops of random size and shape, scaled to one size: all of a batch at once, on the device.

The law is that of torchvision's RandomResizedCrop with its defaults (Szegedy et al. 2015): 8 to 100 % of the area,
sides in a ratio of 3:4 to 4:3, which is uniform on a logarithmic scale; of ten draws the first that fits, else all of
the square. Scaled by straight lines between pixels, without averaging: of 256 pixels to 224 there is next to nothing to
average. A crop's outermost pixels are mixed with those beyond it, where there are any.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's own documentation calls it so

AREAS, RATIOS, TRIES = (0.08, 1.0), (3 / 4, 4 / 3), 10


def boxes(count: int, side: int, device: torch.device) -> Tensor:
    """Of so many crops of a square image of this side: top, left, height and width (count, 4), whole pixels."""
    areas = side * side * torch.empty((count, TRIES), device=device).uniform_(*AREAS)
    ratios = torch.empty((count, TRIES), device=device).uniform_(*map(math.log, RATIOS)).exp()
    widths, heights = (areas * ratios).sqrt().round(), (areas / ratios).sqrt().round()
    fits = (widths <= side) & (heights <= side) & (widths > 0) & (heights > 0)
    # The first that fits has the largest number.
    first = (fits * torch.arange(TRIES, 0, -1, device=device)).argmax(dim=1, keepdim=True)
    none = ~fits.any(dim=1, keepdim=True)
    width, height = (sizes.gather(1, first).masked_fill(none, side) for sizes in (widths, heights))
    top, left = (torch.rand((count, 1), device=device).mul(side - size + 1).floor() for size in (height, width))
    return torch.cat([top, left, height, width], dim=1)


def cropped(images: Tensor, at: Tensor, flipped: Tensor, size: tuple[int, int]) -> Tensor:
    """The boxes (n, 4) of images (n, channels, side, side), uint8, scaled to a size, as numbers of [0, 1]; mirrored
    where `flipped` (n,) is true."""
    side = images.shape[-1]
    top, left, height, width = at.unbind(dim=1)
    zero = torch.zeros_like(top)
    # torch's places run from -1 to 1 over the whole image.
    across = torch.stack([torch.where(flipped, -width, width) / side, zero, (2 * left + width) / side - 1], dim=1)
    down = torch.stack([zero, height / side, (2 * top + height) / side - 1], dim=1)
    grid = F.affine_grid(torch.stack([across, down], dim=1), [len(images), images.shape[1], *size], align_corners=False)
    return F.grid_sample(images.float() / 255, grid, padding_mode="border", align_corners=False)


def middle(images: Tensor, size: tuple[int, int]) -> Tensor:
    """The middle (n, channels, height, width) of images, as torchvision's CenterCrop takes it."""
    top, left = (round((have - want) / 2) for have, want in zip(images.shape[-2:], size, strict=True))
    return images[..., top : top + size[0], left : left + size[1]]

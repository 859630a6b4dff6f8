"""Random brightness, contrast, saturation and hue: all of a batch at once, on the device.

What each does to an image is what torchvision's ColorJitter does. Each image has factors of its own; the order of the
four is drawn once a batch, where ColorJitter draws it for each image.
"""

import torch
from torch import Tensor

#: By which brightness, contrast and saturation are multiplied, and what part of a circle is added to the hue.
FACTORS, TURN = (0.6, 1.4), 0.2
#: How much red, green and blue count as grey (ITU-R 601).
_GREY = (0.2989, 0.587, 0.114)


def _factors(images: Tensor, low: float, high: float) -> Tensor:
    return torch.empty((len(images), 1, 1, 1), device=images.device).uniform_(low, high)


def grey(images: Tensor) -> Tensor:
    """(n, 1, height, width) of colours (n, 3, height, width)."""
    red, green, blue = images.unbind(dim=1)
    return (_GREY[0] * red + _GREY[1] * green + _GREY[2] * blue)[:, None]


def _blended(images: Tensor, others: Tensor | float, factors: Tensor) -> Tensor:
    return (factors * images + (1 - factors) * others).clamp(0, 1)


def brightness(images: Tensor, factors: Tensor) -> Tensor:
    return _blended(images, 0.0, factors)


def contrast(images: Tensor, factors: Tensor) -> Tensor:
    return _blended(images, grey(images).mean(dim=(1, 2, 3), keepdim=True), factors)


def saturation(images: Tensor, factors: Tensor) -> Tensor:
    return _blended(images, grey(images), factors)


def hue(images: Tensor, turns: Tensor) -> Tensor:
    """Turned by parts of the circle of hues, at the value and the saturation that each pixel has."""
    most, least = images.amax(dim=1, keepdim=True), images.amin(dim=1, keepdim=True)
    spread = most - least
    red, green, blue = (images[:, channel, None] for channel in range(3))
    # Sixths of the circle from red on; a grey pixel has no hue, and any will do.
    over = torch.where(spread > 0, spread, 1.0)
    sixths = torch.where(
        most == red,
        (green - blue) / over,
        torch.where(most == green, 2 + (blue - red) / over, 4 + (red - green) / over),
    )
    sixths = sixths + 6 * turns
    # How far each channel's peak (red at 0, green at 2, blue at 4 sixths) is away decides how much of it there is.
    peaks = torch.tensor([0.0, 2.0, 4.0], device=images.device)[None, :, None, None]
    apart = (sixths - peaks + 3).remainder(6) - 3
    return most - spread * (apart.abs() - 1).clamp(0, 1)


def jittered(images: Tensor) -> Tensor:
    """Images (n, 3, height, width) of numbers of [0, 1]."""
    for number in torch.randperm(4, device=images.device).tolist():
        if number == 3:
            images = hue(images, _factors(images, -TURN, TURN))
        else:
            change = (brightness, contrast, saturation)[number]
            images = change(images, _factors(images, *FACTORS))
    return images

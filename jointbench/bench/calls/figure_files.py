"""Figures as files, drawn by kaleido, an extra, in a Chromium."""

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import util
from pathlib import Path
from typing import Any

from jointbench.data.errors import MissingExtraError


@dataclass(frozen=True)
class FigureFile:
    """`figure` as `to_dict` gives it; `format` is svg, pdf or png, `scale` its pixels for each of the figure's."""

    figure: Mapping[str, Any]
    path: Path
    format: str
    scale: int


def check_drawable() -> None:
    """Raises MissingExtraError without kaleido."""
    if util.find_spec("kaleido") is None:
        raise MissingExtraError("figures as files need kaleido: pip install 'jointbench[export]'")


def draw_all(files: Sequence[FigureFile]) -> None:
    """Draw them in one browser, which takes seconds to start; no network is asked. Raises MissingExtraError without
    kaleido or Chromium."""
    check_drawable()
    # A notebook's thread has a loop of its own already.
    with ThreadPoolExecutor(1) as other:
        other.submit(asyncio.run, _draw_all(files)).result()


async def _draw_all(files: Sequence[FigureFile]) -> None:
    from choreographer.errors import ChromeNotFoundError
    from kaleido import Kaleido

    class OnePage(Kaleido):  # type: ignore[misc]
        """Kaleido loads its page anew after each file, which takes four times as long as to draw one; what a file
        leaves there, the next replaces. Should this method get another name one day, all is drawn as kaleido does it.
        """

        async def _return_kaleido_tab(self, tab: Any) -> None:
            await self.tabs_ready.put(tab)

    wanted = [
        {"fig": one.figure, "path": one.path, "opts": {"format": one.format, "scale": one.scale}} for one in files
    ]
    try:
        async with OnePage(mathjax=False) as browser:
            failed = await browser.write_fig_from_object(wanted)
    except ChromeNotFoundError:
        expected = "figures as files need Chromium or Chrome, in which kaleido draws them: apt-get install chromium"
        raise MissingExtraError(expected) from None
    if failed:
        raise failed[0]

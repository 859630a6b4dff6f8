"""A page in headless Chromium, driven over its DevTools protocol: what a reader sees, does and is told."""

import asyncio
import base64
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Self, TypeVar

from tornado.websocket import websocket_connect

T = TypeVar("T")

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

#: Seconds for the browser to start or to answer; it takes one or two where it has a core to itself.
TIMEOUT_BUDGETS = 60


class Browser:
    """`complaints` collects console errors, exceptions and failed loads; `requests` every address that was asked.

    `touch`: a telephone, which is pointed at with a finger.
    """

    def __init__(
        self, page: Path, *, width: int = 1280, height: int = 900, dark: bool = False, touch: bool = False
    ) -> None:
        self.page, self.size, self.dark, self.touch = page, (width, height), dark, touch
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self._calls = 0

    def __enter__(self) -> Self:
        assert BROWSER is not None
        self._loop = asyncio.new_event_loop()
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        # Whoever asked a network would get an error, and complain of it.
        flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND"]
        self._process = subprocess.Popen(
            [BROWSER, *flags, "--remote-debugging-port=0", f"--user-data-dir={self._profile.name}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            self._run(self._open())
        except BaseException:
            # Nobody calls __exit__ then.
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self._process.terminate()
        self._process.wait()
        self._loop.close()
        self._profile.cleanup()

    def evaluate(self, script: str) -> Any:
        """What a JavaScript expression (or the promise that it gives) comes to."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def click(self, x: float, y: float, to: tuple[float, float] | None = None) -> None:
        """Press the mouse button at a place of the window, and let it go there or somewhere else."""
        end_x, end_y = to or (x, y)
        button = {"button": "left", "clickCount": 1}
        self.point(x, y)
        self.call("Input.dispatchMouseEvent", type="mousePressed", x=x, y=y, **button)
        if to:
            self.call("Input.dispatchMouseEvent", type="mouseMoved", x=end_x, y=end_y, button="left", buttons=1)
        self.call("Input.dispatchMouseEvent", type="mouseReleased", x=end_x, y=end_y, **button)

    def point(self, x: float, y: float) -> None:
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def swipe(self, x: float, y: float, by: tuple[float, float]) -> None:
        """Move a finger over the window from a place, by so many pixels, in the time that a person takes."""
        self.call("Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": x, "y": y}])
        for step in range(1, 13):
            at = {"x": x + by[0] * step / 12, "y": y + by[1] * step / 12}
            self.call("Input.dispatchTouchEvent", type="touchMove", touchPoints=[at])
        self.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

    def printed(self) -> bytes:
        """The page as a PDF on A4."""
        paper = self.call("Page.printToPDF", preferCSSPageSize=True, paperWidth=8.27, paperHeight=11.69)
        return base64.b64decode(paper["data"])

    def screenshot(self, path: Path) -> None:
        """The whole page as a PNG."""
        image = self.call("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        path.write_bytes(base64.b64decode(image))

    def until(self, script: str) -> None:
        """Wait for an expression to become true."""
        end = time.monotonic() + TIMEOUT_BUDGETS
        while not self.evaluate(script):
            assert time.monotonic() < end, script
            time.sleep(0.05)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self._run(self._call(method, parameters))

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._loop.run_until_complete(asyncio.wait_for(work, TIMEOUT_BUDGETS))

    async def _open(self) -> None:
        port_file = Path(self._profile.name) / "DevToolsActivePort"
        while not port_file.exists() or len(port_file.read_text(encoding="utf-8").splitlines()) < 2:
            assert self._process.poll() is None, "the browser does not start"
            await asyncio.sleep(0.05)
        port, path = port_file.read_text(encoding="utf-8").splitlines()
        self._socket = await websocket_connect(f"ws://127.0.0.1:{port}{path}", max_message_size=2**30)
        self._session = None
        target = (await self._call("Target.createTarget", {"url": "about:blank"}))["targetId"]
        attached = await self._call("Target.attachToTarget", {"targetId": target, "flatten": True})
        self._session = attached["sessionId"]
        for domain in ("Runtime", "Log", "Network", "Page"):
            await self._call(f"{domain}.enable", {})
        width, height = self.size
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": self.touch}
        await self._call("Emulation.setDeviceMetricsOverride", metrics)
        await self._call("Emulation.setTouchEmulationEnabled", {"enabled": self.touch})
        scheme = {"name": "prefers-color-scheme", "value": "dark" if self.dark else "light"}
        await self._call("Emulation.setEmulatedMedia", {"features": [scheme]})
        self._loaded = False
        await self._call("Page.navigate", {"url": self.page.absolute().as_uri()})
        while not self._loaded:
            self._hear(await self._read())

    async def _call(self, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
        self._calls += 1
        number = self._calls
        message = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        await self._socket.write_message(json.dumps(message))
        while True:
            heard = await self._read()
            if heard.get("id") == number:
                assert "error" not in heard, heard
                return dict(heard["result"])
            self._hear(heard)

    async def _read(self) -> dict[str, Any]:
        message = await self._socket.read_message()
        assert message is not None, "the browser has gone"
        return dict(json.loads(message))

    def _hear(self, event: dict[str, Any]) -> None:
        told = event.get("params", {})
        match event.get("method"):
            case "Page.loadEventFired":
                self._loaded = True
            case "Network.requestWillBeSent":
                self.requests.append(told["request"]["url"])
            case "Runtime.consoleAPICalled" if told["type"] in ("error", "warning", "assert"):
                self.complaints.append(f"{told['type']}: {told['args']}")
            case "Runtime.exceptionThrown":
                self.complaints.append(str(told["exceptionDetails"]))
            case "Log.entryAdded":
                self.complaints.append(str(told["entry"]))

"""A headless Chromium that looks at one page at a time and notes whatever it asks for or says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Literal

from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from tests.beds.required import require_program

Scheme = Literal["light", "dark"]


@dataclass(slots=True)
class Look:
    """An opened page, what it said on its console, and every address it asked for."""

    page: Page
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


class BrowserBed:
    """Started once; each look has a context of its own, and no network at all."""

    def __enter__(self) -> BrowserBed:
        program = require_program("chromium")
        self._driver: Playwright = sync_playwright().start()
        self._browser: Browser = self._driver.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu"]
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._browser.close()
        self._driver.stop()

    @contextmanager
    def look(
        self, path: Path, *, width: int = 1400, scheme: Scheme = "light", script: bool = True
    ) -> Iterator[Look]:
        """The page of a file in a window of that width."""
        context = self._browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=scheme,
            java_script_enabled=script,
            offline=True,
            reduced_motion="reduce",
        )
        look = Look(page=context.new_page())
        look.page.on("console", lambda message: look.said.append(message.text))
        look.page.on("pageerror", lambda error: look.said.append(str(error)))
        look.page.on("request", lambda request: look.asked.append(request.url))
        look.page.goto(path.as_uri())
        try:
            yield look
        finally:
            context.close()

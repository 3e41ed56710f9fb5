"""The pages in a real browser: live, reachable by keyboard, readable for all, on any width."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from windlass.ports.records import Place, StoredRun
from windlass.testing.sample.web import TOKEN, SampleWeb, sample_web, served

sync_api = pytest.importorskip("playwright.sync_api")

CHROMIUM = Path("/usr/bin/chromium")
VENDOR = Path(__file__).parent / "vendor"
pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="there is no Chromium here")

PAGES = (
    "/",
    "/events",
    "/events/3",
    "/runs",
    "/runs/3",
    "/runs/4",
    "/runs/6",
    "/approvals",
    "/places/acme/shop/at/production/of/api",
    "/places/acme/shop/at/production/of/web",
    "/builds",
    "/repositories",
    "/repositories/acme/shop/listeners",
    "/login",
    "/runs/99",
)


@dataclass
class Stage:
    """A browser in front of a server with the sample."""

    sample: SampleWeb
    url: str
    browser: object

    def page(self, path: str = "", *, signed_in: bool = True, **options: object):
        """A fresh page; what goes wrong in it fails the test at `done`."""
        context = self.browser.new_context(**options)
        page = context.new_page()
        page.wrong = []
        page.on("pageerror", lambda error: page.wrong.append(str(error)))
        page.on("console", lambda said: _note(page.wrong, said))
        if signed_in:
            page.goto(f"{self.url}/login")
            page.fill("input[name=token]", TOKEN)
            page.fill("input[name=name]", "alice")
            page.click("main button")
        if path:
            page.goto(self.url + path)
        return page


def _note(wrong: list[str], said) -> None:
    if said.type in {"error", "warning"} and "404" not in said.text:
        wrong.append(said.text)


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    """One Chromium for the file."""
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield started
        started.close()


@pytest.fixture
def stage(browser) -> Iterator[Stage]:
    """A server of its own for each test."""
    sample = sample_web(now=time.time(), url="")
    with served(sample.app) as url:
        yield Stage(sample, url, browser)
        for context in browser.contexts:
            context.close()


def test_what_is_vendored_is_what_the_list_says():
    """A checksum for each file of others."""
    said = (VENDOR / "README.md").read_text()
    assert hashlib.sha256((VENDOR / "axe-core/axe.min.js").read_bytes()).hexdigest() in said


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_accessible(stage, scheme):
    """Axe finds nothing to say against any page, in either theme, by WCAG 2.2 AA."""
    page = stage.page(color_scheme=scheme, bypass_csp=True)
    axe = (VENDOR / "axe-core/axe.min.js").read_text()
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = []
    for path in PAGES:
        page.goto(stage.url + path)
        page.evaluate(axe)
        result = page.evaluate("tags => axe.run({runOnly: tags})", tags)
        found += [
            (path, each["id"], each["nodes"][0]["html"][:160], each["nodes"][0]["failureSummary"])
            for each in result["violations"]
        ]
    assert found == []


def test_no_page_scrolls_sideways_on_a_telephone(stage):
    """360 pixels are enough for everything, and every target is at least 24 pixels."""
    page = stage.page(viewport={"width": 360, "height": 740})
    for path in PAGES:
        page.goto(stage.url + path)
        page.wait_for_load_state("load")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
        small = page.evaluate(
            "[...document.querySelectorAll('button, summary, .button, input:not([type=hidden])')]"
            ".filter(e => e.offsetParent && (e.offsetHeight < 24 || e.offsetWidth < 24))"
            ".map(e => e.outerHTML)"
        )
        assert small == [], path
    assert page.wrong == []


def test_a_page_moves_without_being_reloaded(stage):
    """A commit that changes what it shows is on the screen; what the viewer did there stays."""
    page = stage.page("/places/acme/shop/at/production/of/api")
    page.wait_for_selector("[data-live-sign][data-on]")
    page.click("summary:has-text('Reject')")
    page.fill("input[name=why]", "half a sentence")
    page.evaluate("window.same = true")
    stage.sample.store.fill(
        lambda tx: tx.save(
            replace(tx.get(Place, "acme/shop/production/api"), status="healthy", detail="")
        )
    )
    page.wait_for_selector("h1 + .state:has-text('healthy')")
    assert page.input_value("input[name=why]") == "half a sentence"
    assert page.evaluate("document.activeElement.name") == "why"
    assert page.evaluate("window.same")
    assert page.wrong == []


def test_a_red_run_opens_at_its_failing_line(stage):
    """The address that a status leads to: the failed job, the line marked and in sight."""
    page = stage.page("/runs/3", signed_in=False)
    page.wait_for_selector(".line-bad")
    line = page.locator(".line-bad")
    assert "AssertionError" in line.inner_text()
    box = line.bounding_box()
    assert box is not None
    assert 0 < box["y"] < page.viewport_size["height"]
    assert page.wrong == []


def test_a_log_of_200000_lines_scrolls(stage):
    """Few lines are in the document; a line's address leads to it, and the end is reachable."""
    lines = b"".join(
        b"1799999999000 0 o \x1b[32mline %d\x1b[0m of a long log\n" % number
        for number in range(200_000)
    )
    stage.sample.logs._data["2/build api/1"] = bytearray(lines)
    page = stage.page("/runs/2?job=build%20api#L150000", signed_in=False)
    page.wait_for_selector("text='200,000 lines'")
    assert page.locator(".line-on").inner_text().endswith("line 149999 of a long log")
    assert page.locator(".line").count() < 200
    page.focus("[role=log]")
    page.keyboard.press("End")
    page.wait_for_selector(".said:has-text('line 199999 ')")
    page.keyboard.press("Home")
    page.wait_for_selector(".said:has-text('line 0 ')")
    page.fill("[data-search]", "LINE 123456 ")
    page.keyboard.press("Enter")
    page.wait_for_selector(".line-on:has-text('line 123456 ')")
    assert page.url.endswith("#L123457")
    assert page.wrong == []


def test_a_running_log_grows_and_ends(stage):
    """Lines appear as they come, nothing twice, and the page says when it is over."""
    page = stage.page("/runs/6", signed_in=False)
    page.wait_for_selector("text='16 lines, more to come'")
    logs = stage.sample.logs
    for number in range(3):
        logs.append("6/build api/1", b"1799999999000 0 o fresh %d\n" % number)
    page.wait_for_selector(".said:has-text('fresh 2')")
    logs.close("6/build api/1")
    page.wait_for_selector("text='19 lines'")
    assert page.locator(".said:has-text('fresh')").count() == 3
    assert page.wrong == []


def test_a_log_acts_on_nothing(stage):
    """Markup and links in a log are text; no policy of the page was hurt."""
    page = stage.page("/runs/3", signed_in=False)
    page.wait_for_selector(".said:has-text('from a log')")
    assert page.locator(".log a[href^=javascript]").count() == 0
    assert "<script>alert('from a log')</script> and a link" in page.locator(".log").inner_text()
    assert page.wrong == []


def test_approving_takes_a_click(stage):
    """On a telephone too, and the page shows what came of it."""
    page = stage.page("/approvals", viewport={"width": 360, "height": 740})
    page.click("button:has-text('Approve')")
    page.wait_for_selector("#deployment-7", state="detached")
    assert ("approve", "7", "alice") in stage.sample.asked.asked


def test_rolling_back_takes_a_reason_and_a_click(stage):
    """It names the stored build, and leads to the run that does it."""
    page = stage.page("/places/acme/shop/at/dev/of/api")
    page.click("summary:has-text('Roll back')")
    page.fill("input[name=why]", "prices were wrong")
    page.click("button:has-text('Roll back to')")
    page.wait_for_url(re.compile(r"/runs/7$"))
    asked = stage.sample.asked.asked[-1]
    assert asked[:4] == ("rollback", "acme/shop", "api", "dev")
    assert asked[-1] == "prices were wrong"


def test_the_keyboard_reaches_everything(stage):
    """First the way past the menu; keys of their own, which can be turned off."""
    page = stage.page("/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("j")
    assert "FB" not in page.evaluate("document.activeElement.textContent")
    page.keyboard.press("g")
    page.keyboard.press("r")
    page.wait_for_url("**/runs")
    page.keyboard.press("?")
    page.click("dialog input[type=checkbox]")
    page.click("dialog button")
    page.keyboard.press("g")
    page.keyboard.press("e")
    page.wait_for_timeout(100)
    assert page.url.endswith("/runs")
    assert page.wrong == []


def test_a_theme_is_kept(stage):
    """The choice outlives the page, and is there before any script runs."""
    page = stage.page("/", signed_in=False, color_scheme="light")
    light = page.evaluate("getComputedStyle(document.body.parentElement).backgroundColor")
    page.click("[data-theme-button]")
    page.click("[data-theme-button]")
    dark = page.evaluate("getComputedStyle(document.body.parentElement).backgroundColor")
    assert light != dark
    page.reload()
    again = page.evaluate("getComputedStyle(document.body.parentElement).backgroundColor")
    assert again == dark


def test_without_scripts_state_and_log_are_there(stage):
    """And signing in, approving and signing out work."""
    page = stage.page("/runs/3", java_script_enabled=False)
    assert page.locator("h1 + .state").inner_text() == "failed"
    assert "AssertionError" in page.locator("[role=log]").inner_text()
    page.goto(stage.url + "/approvals")
    page.click("button:has-text('Approve')")
    assert ("approve", "7", "alice") in stage.sample.asked.asked
    page.click("button:has-text('Sign out')")
    assert page.locator("text=Sign in").count()


def test_a_run_that_ends_is_shown_as_ended(stage):
    """State, title and buttons follow."""
    page = stage.page("/runs/6")
    page.wait_for_selector("[data-live-sign][data-on]")

    def end(tx):
        run = tx.get(StoredRun, 6)
        tx.save(replace(run, state="cancelled", ended_at=time.time()))

    stage.sample.store.fill(end)
    page.wait_for_selector("h1 + .state:has-text('cancelled')")
    assert page.title().startswith("cancelled")
    assert page.locator("button:has-text('Run again')").count() == 1
    assert page.wrong == []

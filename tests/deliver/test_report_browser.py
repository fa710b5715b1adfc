"""The report in a real browser."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from trailfit.deliver import report

from . import sample
from .browser import Browser, chromium

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(chromium() is None, reason="no Chromium on this machine"),
]

CONTRAST = (Path(__file__).parent / "contrast.js").read_text()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser(chromium() or "") as one:
        yield one


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    return report.write(sample.recommendations(), tmp_path_factory.mktemp("report"))[0].as_uri()


def visible(browser: Browser) -> list[str]:
    names: list[str] = browser.ask(
        "[...document.querySelectorAll('details.one:not([hidden])')].map((d) => d.dataset.name)"
    )
    return names


def choose(browser: Browser, control: str, value: str) -> None:
    browser.ask(f"{control}.value = '{value}'; {control}.dispatchEvent(new Event('change'))")


def test_nothing_but_the_file_itself_is_loaded(browser: Browser, url: str) -> None:
    browser.open(url)

    assert browser.requests() == [url]
    assert [e for e in browser.events if e["method"] in ("Runtime.exceptionThrown", "Log.entryAdded")] == []


def test_search_filter_and_sort_work(browser: Browser, url: str) -> None:
    browser.open(url)
    everyone = visible(browser)

    browser.key("/", text="/")
    assert browser.ask("document.activeElement.id") == "search"
    browser.call("Input.insertText", text="orders dynamodb:PutItem")
    assert visible(browser) == ["orders-writer"]
    assert browser.ask("document.getElementById('shown').textContent") == f"1 of {len(everyone)} shown"
    browser.key("Escape")
    assert visible(browser) == everyone

    choose(browser, "show", "unsafe")
    assert visible(browser) == ["service-10", "service-06", "service-02"]
    choose(browser, "show", "")
    choose(browser, "sort", "name")
    assert visible(browser) == sorted(everyone)
    browser.ask("search.value = 'nobody-is-called-so'; search.dispatchEvent(new Event('input'))")
    assert visible(browser) == []
    assert browser.ask("none.checkVisibility()") is True


def test_a_role_opens_with_the_keyboard_alone(browser: Browser, url: str) -> None:
    browser.open(url)
    browser.ask("document.querySelector('details.one summary').focus()")
    browser.key("Enter", text="\r", windowsVirtualKeyCode=13)

    assert browser.ask("document.querySelector('details.one').open") is True


def test_a_link_to_a_role_opens_it(browser: Browser, url: str) -> None:
    browser.open(url)
    anchor = browser.ask("document.querySelector('[data-name=\"orders-writer\"]').id")
    browser.open(url + "?#" + anchor)

    assert browser.ask(f"document.getElementById('{anchor}').open") is True


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_contrast_is_at_least_aa(browser: Browser, url: str, theme: str) -> None:
    browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
    browser.open(url)
    assert browser.ask("getComputedStyle(document.documentElement).colorScheme") == theme

    assert browser.ask(CONTRAST) == []
    browser.ask("document.documentElement.style.setProperty('--muted', 'var(--line)')")
    assert browser.ask(CONTRAST) != [], "the measure itself must bite"


def test_the_toggle_changes_the_theme(browser: Browser, url: str) -> None:
    browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "light"}])
    browser.open(url)
    browser.ask("document.getElementById('theme').click()")

    assert browser.ask("getComputedStyle(document.documentElement).colorScheme") == "dark"
    browser.ask("localStorage.clear()")


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_no_width_makes_the_page_scroll_sideways(browser: Browser, url: str, width: int) -> None:
    browser.call("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=width < 500)
    browser.open(url)
    browser.ask("document.querySelectorAll('details').forEach((d) => (d.open = true))")

    assert browser.ask("document.documentElement.scrollWidth") <= width
    browser.call("Emulation.clearDeviceMetricsOverride")


def test_every_control_has_a_label_and_every_picture_a_name(browser: Browser, url: str) -> None:
    browser.open(url)
    browser.ask("window.all = (selector) => [...document.querySelectorAll(selector)]; 0")

    assert browser.ask("all('input, select').filter((e) => !e.labels.length).length") == 0
    assert browser.ask("all('svg:not([aria-label]):not([aria-hidden])').length") == 0
    assert browser.ask("all('[id]').length - new Set(all('[id]').map((e) => e.id)).size") == 0


def test_printing_opens_everything_but_long_lists_of_names(browser: Browser, url: str) -> None:
    browser.open(url)
    browser.ask("dispatchEvent(new Event('beforeprint'))")
    assert browser.ask("document.querySelectorAll('details.one:not([open])').length") == 0
    assert browser.ask("[...document.querySelectorAll('details:not([open])')].every((d) => d.closest('.group'))")
    browser.ask("dispatchEvent(new Event('afterprint'))")

    assert browser.ask("document.querySelectorAll('details.one[open]').length") == 0


def test_hostile_text_stays_text(browser: Browser, tmp_path: Path) -> None:
    hostile = report.write(sample.hostile(), tmp_path)[0].as_uri()
    browser.open(hostile)
    browser.ask("document.querySelectorAll('details').forEach((d) => (d.open = true))")
    browser.ask("new Promise((done) => setTimeout(done, 300))")

    assert browser.ask("document.title") == "trailfit: 2026-08-03 to 2026-10-31"
    assert browser.requests() == [hostile]
    assert [e for e in browser.events if e["method"] in ("Runtime.exceptionThrown", "Log.entryAdded")] == []
    assert browser.ask("document.querySelectorAll('script').length") == 1
    assert browser.ask("document.querySelectorAll('img, iframe, object, a[href^=javascript]').length") == 0
    assert (
        browser.ask(
            "[...document.querySelectorAll('*')].some((e) => [...e.attributes].some((a) => a.name.startsWith('on')))"
        )
        is False
    )
    assert len(visible(browser)) == len(sample.HOSTILE)
    unseen = r"/[\u202a-\u202e\u2066-\u2069\u200b\ufeff\u001b]/.test(document.body.textContent)"
    assert browser.ask(unseen) is False

"""The page in a real browser: quickly there, readable on a phone, in light and dark, with and without JavaScript."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from qctl.queue import Queue
from qctl.web.app import Application
from qctl.web.server import Server
from tests.states import dead
from tests.web.browser import Browser, find

PROGRAM = find()
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(PROGRAM is None, reason="no Chromium is installed: apt-get install chromium, or set $CHROMIUM"),
]
WIDE = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
CUT = """[...document.querySelectorAll('main *')].filter(one =>
  one.getBoundingClientRect().right > document.documentElement.clientWidth + 1 && getComputedStyle(one).display !== 'none'
).map(one => one.outerHTML.slice(0, 80))"""
CONTRAST = """(() => {
  const light = c => { const [r, g, b] = c.match(/[\\d.]+/g).map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b };
  const behind = one => { for (; one; one = one.parentElement) { const c = getComputedStyle(one).backgroundColor;
    if (!c.endsWith(', 0)') && c !== 'transparent') return c } return 'rgb(255, 255, 255)' };
  return [...document.querySelectorAll('main *')].filter(one => [...one.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
    .map(one => { const a = light(getComputedStyle(one).color), b = light(behind(one));
      return [(Math.max(a, b) + .05) / (Math.min(a, b) + .05), one.outerHTML.slice(0, 60)] }).filter(pair => pair[0] < 4.5)
})()"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    assert PROGRAM is not None
    with Browser(PROGRAM) as one:
        yield one


@pytest.fixture
def url(queue: Queue, db: Path) -> Iterator[str]:
    """The page of a queue with something of everything, a long name among it."""
    for type_ in ("send_email", "a_type_with_a_name_that_is_much_longer_than_a_phone_is_wide_" * 2, "<b>bold</b>"):
        queue.enqueue(type_)
        dead(queue, type_, now=time.time() - 60)
    queue.pause("type", "send_email")
    queue.set_limits("type", "<b>bold</b>", rate="30/m")
    queue.store.set_setting("health.max_dead", "1")
    queue.store.set_setting("health.max_pending", "1")
    server = Server("127.0.0.1", 0, Application(str(db)))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_it_fits_and_can_be_read(browser: Browser, url: str, width: int, scheme: str) -> None:
    browser.open(url, width, scheme=scheme)
    assert browser.value(WIDE)
    assert browser.value(CUT) == []
    assert browser.value(CONTRAST) == []
    assert browser.complaints() == []
    shade = browser.value("getComputedStyle(document.body).backgroundColor")
    assert (shade == "rgb(255, 255, 255)") == (scheme == "light")


def test_its_first_paint_comes_within_300_milliseconds(browser: Browser, url: str) -> None:
    paints = []
    for _ in range(5):
        browser.open(url)
        paints.append(browser.first_paint())
    assert min(paints) < 300, paints


def test_it_shows_hostile_names_as_text(browser: Browser, url: str) -> None:
    browser.open(url)
    assert browser.value("document.querySelectorAll('b').length") == 0
    assert "<b>bold</b>" in browser.value("document.body.innerText")


def test_it_updates_itself(browser: Browser, url: str, queue: Queue) -> None:
    browser.open(url)
    queue.enqueue("one_more")
    browser.value("again()")
    assert "one_more" in browser.value("document.querySelector('table').innerText")
    assert browser.complaints() == []


def test_it_works_without_javascript(browser: Browser, url: str) -> None:
    browser.open(url, 360, script=False)
    assert "send_email" in browser.value("document.querySelector('table').innerText")
    assert browser.value("document.querySelector('noscript meta').content") == "10"
    assert browser.complaints() == []

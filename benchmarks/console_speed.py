"""How soon the review console paints the next photo after a verdict, with 1,000 photos in the queue.

    python -m benchmarks.console_speed

Needs Chromium. The real page on the site's own server; the API behind it is the one of the browser tests and answers
after `ANSWER_SECONDS`, as a far one does. Fifty photos are looked at and decided by keyboard, with `PAUSE_SECONDS`
between them. A time is from the key's event to the task after the frame that paints the result. Writes
docs/benchmarks/console-speed.md.
"""

import argparse
import io
import json
import platform
import shutil
import statistics
from contextlib import redirect_stderr
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from pawcast_ops.local.site import SiteServer
from pawcast_ops.outputs import Stack
from tests.support.fake_api import in_thread, token
from tests.support.review_site import OPERATOR, OPERATORS, queue_of, serving

RESULT = Path(__file__).parents[1] / "docs" / "benchmarks" / "console-speed.md"
QUEUE, PHOTOS = 1_000, 50
ANSWER_SECONDS = 0.1
PAUSE_SECONDS = 0.3  # two to three photos a second, faster than people decide
GOAL_MS = 150
WATCH = """
window.took = {verdict: [], look: []};
const channel = new MessageChannel();
let pressed = null;
channel.port1.onmessage = () => { took[pressed.what].push(performance.now() - pressed.at); pressed = null; };
addEventListener('keydown', (event) => {
  const what = {u: 'verdict', ' ': 'look'}[event.key];
  if (!what) return;
  const before = document.getElementById('photo-title').textContent;
  pressed = {what, at: event.timeStamp};
  const painted = () => (what === 'look' ? document.querySelector('.frame img')
    : document.getElementById('photo-title')?.textContent !== before && document.querySelector('.frame .veil'));
  const look = () => (painted() ? channel.port2.postMessage(null) : requestAnimationFrame(look));
  requestAnimationFrame(look);
}, true);
"""


def main() -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=RESULT)
    out = parser.parse_args().out
    behind = queue_of(QUEUE, reasons=("flagged",))
    behind.delay = ANSWER_SECONDS
    with redirect_stderr(io.StringIO()), serving(behind) as api, sync_playwright() as playwright:  # no log of requests
        outputs = {"ApiUrl": api.url, "UserPoolClientId": "client-1"}
        with in_thread(SiteServer(0, lambda: Stack(outputs, api.url, "us-east-1"))) as site:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1440, "height": 900}, locale="en-GB")
            session = json.dumps({"id": token(OPERATORS, OPERATOR), "refresh": "refresh"})
            page.add_init_script(f"sessionStorage.setItem('pawcast-session', {json.dumps(session)});")
            page.goto(f"{site}/review.html")
            took = decide(page)
            browser.close()
    out.write_text(report(took), encoding="utf-8")
    print(report(took))


def decide(page: Page) -> dict[str, list[float]]:
    """Look at each photo and uphold; milliseconds of each key."""
    expect(page.locator(".frame .veil")).to_be_visible()
    page.evaluate(WATCH)
    for number in range(1, PHOTOS + 1):
        for key, what in ((" ", "look"), ("u", "verdict")):
            page.keyboard.press(key)
            while page.evaluate(f"took.{what}.length") < number:  # its policy forbids wait_for_function
                page.wait_for_timeout(10)
        page.wait_for_timeout(1_000 * PAUSE_SECONDS)
    took: dict[str, list[float]] = page.evaluate("took")
    return took


def report(took: dict[str, list[float]]) -> str:
    """The page."""
    names = {"verdict": "verdict to next photo, blurred", "look": "key to photo without blur"}
    rows = "\n".join(
        f"| {names[what]} | {statistics.median(times):.0f} | {max(times):.0f} |" for what, times in took.items()
    )
    return f"""# The review console: from key to photo

Made by `python -m benchmarks.console_speed` on {datetime.now(UTC):%Y-%m-%d}, {platform.machine()}; it says what is
measured. {QUEUE:,} photos wait, {PHOTOS} are decided with {1_000 * PAUSE_SECONDS:.0f} ms between them, every answer
of the API takes {1_000 * ANSWER_SECONDS:.0f} ms. Goal: {GOAL_MS} ms.

| | median, ms | worst, ms |
| --- | ---: | ---: |
{rows}

The next photos are fetched and decoded while one is looked at, and a verdict is sent in the background: how long the
API takes does not show.
"""


if __name__ == "__main__":
    main()

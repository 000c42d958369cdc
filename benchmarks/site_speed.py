"""How heavy the pages are and how fast they and their API answer, on the running local stack.

    make up && python -m benchmarks.site_speed

Needs Chromium. Every page is opened cold, signed in, at phone width: what came over the wire that is ours (HTML, CSS,
JavaScript; as it is and compressed with gzip -6, as CloudFront does), first and largest contentful paint, layout shift
and long tasks as Lighthouse reads them (PerformanceObserver). The API's percentiles are of warm calls through the
gateway, one after another. Times are of one machine and mean something as ratios; writes docs/benchmarks/site-speed.md.
"""

import argparse
import gzip
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright
from pydantic import TypeAdapter

from pawcast_ops.client import PawcastClient, sign_in
from pawcast_ops.local.seeds import Person
from pawcast_ops.local.site import running
from pawcast_ops.outputs import Stack, stack_outputs

REPOSITORY = Path(__file__).parents[1]
RESULT = REPOSITORY / "docs" / "benchmarks" / "site-speed.md"
STATE = REPOSITORY / ".pawcast"
PAGES = ("index", "post", "mine", "inbox", "review", "operations", "weeks")
CALLS, WARM_UP = 200, 20
OWN_CODE = (".html", ".css", ".js")
# What Lighthouse looks at; `buffered` also gives what happened before the observer was made.
OBSERVE = """
window.seen = {lcp: 0, cls: 0, blocking: 0};
const watch = (type, note) =>
  new PerformanceObserver((list) => list.getEntries().forEach(note)).observe({type, buffered: true});
watch("largest-contentful-paint", (entry) => { window.seen.lcp = entry.startTime; });
watch("layout-shift", (entry) => { if (!entry.hadRecentInput) window.seen.cls += entry.value; });
watch("longtask", (entry) => { window.seen.blocking += Math.max(0, entry.duration - 50); });
"""


@dataclass(frozen=True)
class PageFigures:
    """One page, opened cold; sizes in bytes, times in milliseconds."""

    name: str
    own_bytes: int
    own_compressed: int
    requests: int
    first_paint: float
    largest_paint: float
    layout_shift: float
    blocking: float


def measure_page(browser: Browser, site: str, name: str, person: Person) -> PageFigures:
    """Open a page as someone who is signed in but has nothing in the cache."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="ko-KR")
    page = context.new_page()
    page.goto(f"{site}/{name}.html")
    sign_in_to(page, person)
    kept = page.evaluate("() => ({...sessionStorage})")
    page.close()
    page = context.new_page()
    page.add_init_script(f"for (const [k, v] of Object.entries({kept!r})) sessionStorage.setItem(k, v);")
    page.add_init_script(OBSERVE)
    bodies: dict[str, bytes] = {}
    count = 0

    def note(response: Any) -> None:
        nonlocal count
        count += 1
        if response.url.startswith(site) and response.url.split("?")[0].split("#")[0].endswith(OWN_CODE):
            bodies[response.url] = response.body()

    page.on("requestfinished", lambda request: note(request.response()))
    page.goto(f"{site}/{name}.html", wait_until="networkidle")
    page.wait_for_timeout(500)
    seen = page.evaluate("() => window.seen")
    paint = page.evaluate("() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0")
    context.close()
    return PageFigures(
        name,
        sum(map(len, bodies.values())),
        sum(len(gzip.compress(body, 6)) for body in bodies.values()),
        count,
        float(paint),
        float(seen["lcp"]),
        float(seen["cls"]),
        float(seen["blocking"]),
    )


def sign_in_to(page: Page, person: Person) -> None:
    """Through the form, as a person does."""
    page.locator("input[type=email]").first.wait_for()
    page.locator("input[type=email]").first.fill(person.email)
    page.locator("input[type=password]").first.fill(person.password)
    page.locator("input[type=password]").first.press("Enter")
    page.wait_for_function("() => sessionStorage.getItem('pawcast-session') !== null")


def measure_call(call: Callable[[], object]) -> tuple[float, float]:
    """Median and 95th percentile of warm calls, in milliseconds."""
    times = []
    for number in range(WARM_UP + CALLS):
        started = time.perf_counter()
        call()
        if number >= WARM_UP:
            times.append((time.perf_counter() - started) * 1000)
    middle, high = np.percentile(times, [50, 95])
    return float(middle), float(high)


def client_of(stack: Stack, person: Person) -> PawcastClient:
    """The API as this person."""
    token = sign_in(
        person.username,
        person.password,
        user_pool_client_id=stack.output("UserPoolClientId"),
        region=stack.region or "ap-northeast-1",
        endpoint_url=stack.endpoint_url,
    )
    return PawcastClient(stack.output("ApiUrl"), token)


def page_table(figures: list[PageFigures]) -> list[str]:
    """The pages as a table of Markdown."""
    lines = [
        "| page | our code, KB | compressed | requests | first paint | largest paint | layout shift | blocked, ms |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {each.name} | {each.own_bytes / 1000:.1f} | {each.own_compressed / 1000:.1f} | {each.requests} "
        f"| {each.first_paint:.0f} | {each.largest_paint:.0f} | {each.layout_shift:.3f} | {each.blocking:.0f} |"
        for each in figures
    ]
    return lines


def main() -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=RESULT)
    out = parser.parse_args().out
    site = running(STATE)
    if site is None:
        raise SystemExit("no local site runs: make up")
    stack = stack_outputs(stack_file=STATE / "stack.json")
    people = TypeAdapter(list[Person]).validate_json((STATE / "users.json").read_bytes())
    by_group = {group: person for person in reversed(people) for group in person.groups or ("",)}
    needs = {"review": "operators", "operations": "operators", "weeks": "planners"}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        figures = [measure_page(browser, site.url, name, by_group[needs.get(name, "")]) for name in PAGES]
        browser.close()
    calls = []
    with client_of(stack, by_group[""]) as user, client_of(stack, by_group["operators"]) as operator:
        for path, client in (
            ("/feed", user),
            ("/posts", user),
            ("/inbox", user),
            ("/me", user),
            ("/reviews/summary", operator),
            ("/operations", operator),
        ):
            calls.append((path, *measure_call(lambda path=path, client=client: client.get_json(path))))  # type: ignore[misc]
    lines = [
        "# The site: weight and speed",
        "",
        f"Made by `python -m benchmarks.site_speed` on {datetime.now(UTC):%Y-%m-%d}; it says what each column means.",
        "",
        *page_table(figures),
        "",
        f"Warm reads of the API through the local gateway, {CALLS} one after another, as many items as the stack held:",
        "",
        "| path | median, ms | p95, ms |",
        "| --- | ---: | ---: |",
        *(f"| `GET {path}` | {middle:.0f} | {high:.0f} |" for path, middle, high in calls),
        "",
    ]
    out.write_text("\n".join(lines), encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()

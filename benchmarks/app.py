"""The app in a real browser: first page, warm pages, load, and accessibility, on a built data folder.

    python benchmarks/app.py DATA [--seconds 180] [--only first,warm,load,looks,axe]

* first: time to the first page of a fresh server in a fresh browser, beside a bare page with one chart in the same run.
* warm: a page gone to inside the open app, a choice changed on it, and a page opened by its address, which loads
  Streamlit itself again, until the content is there. The bar is for the first two; the third stands
  beside it, with a bare page opened the same way.
* load: 20 sessions that speak the pages' protocol and 2 browsers that click, for some minutes.
* looks: every view in both themes on a desk and on a phone: errors in the console, sideways scrolling, empty charts.
* axe: serious and critical violations found by axe-core that a bare page does not have. That one shows the chart and two
  tables: Streamlit gives the cells of its second table the ids of the first one's, whatever a page does.
"""

from __future__ import annotations

import argparse
import itertools
import os
import platform
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path[0] = str(REPOSITORY)  # instead of this folder, in which pages.py would pass for the package `pages`

from benchmarks.app_browser import FLAGS, chromium, quantile, server, wait
from benchmarks.app_views import views
from benchmarks.app_warm import warm_pages
from tests.protocol_sessions import Tally, flatness, measure_memory, session

BARE = """
import altair as alt
import polars as pl
import streamlit as st

st.title("Bare")
rows = pl.DataFrame({"x": [1, 2, 3], "y": [2, 1, 3]})
st.altair_chart(alt.Chart(rows).mark_line().encode(x="x", y="y"))
st.caption("Unofficial: not associated")
"""
TABLES = """
st.dataframe(rows, alt="First")
st.dataframe(rows, alt="Second")
"""
OVERFLOW = """() => {
    const main = document.querySelector('[data-testid=stMain]');
    return Math.max(main.scrollWidth - main.clientWidth, document.documentElement.scrollWidth - window.innerWidth);
}"""
EMPTY_CHARTS = """() => [...document.querySelectorAll('[data-testid=stVegaLiteChart]')].filter(chart => chart.offsetParent)
    .filter(chart => ![...chart.querySelectorAll('.mark-symbol path, .mark-rect path, .mark-line path, .mark-rule line')]
        .some(mark => { const box = mark.getBoundingClientRect(); return box.width + box.height > 2; }))
    .map(chart => chart.getAttribute('aria-label') || 'without a name')"""
SETTLED_MS = 1500
"""Tables write what screen readers read a moment after they are drawn."""
SESSIONS, BROWSERS = 20, 2
BARS = {"first": 1.5, "load": 3.0}
SEVERE = ("serious", "critical")


def open_page(browser: Any, url: str) -> float:
    """Opens an address in a browser context of its own; time until the content is there [s]."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, timezone_id="Europe/Berlin")
    page = context.new_page()
    started = time.perf_counter()
    page.goto(url)
    wait(page)
    took = time.perf_counter() - started
    context.close()
    return took


def first_page(browser: Any, data: Path, bare: Path, rounds: int = 3) -> bool:
    """Fresh servers, fresh browsers, ours and the bare one in turn."""
    ours, theirs = [], []
    for _ in range(rounds):
        with server(bare, bare.parent, data) as (address, _pid):
            theirs.append(open_page(browser, address))
        with server(REPOSITORY / "server.py", REPOSITORY, data) as (address, _pid):
            ours.append(open_page(browser, address))
    added = sorted(ours)[rounds // 2] - sorted(theirs)[rounds // 2]
    print(
        "| first page, median of",
        rounds,
        "| ours [s] | bare [s] | added [s] | bar |\n|---|---:|---:|---:|---:|",
    )
    print(
        f"| | {sorted(ours)[rounds // 2]:.2f} | {sorted(theirs)[rounds // 2]:.2f} | {added:+.2f} | +{BARS['first']} |\n"
    )
    return added <= BARS["first"]


def clicking(data: Path, address: str, until: float, seed: int, tally: Tally, lock: threading.Lock) -> None:
    """A browser that goes from link to link."""
    from playwright.sync_api import sync_playwright

    paths = list(views(data).values())
    with sync_playwright() as steering:
        browser = steering.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
        page.on("pageerror", lambda error: tally.faults.append(f"browser: {error}"))
        at = seed
        while time.monotonic() < until:
            try:
                page.goto(address + paths[at % len(paths)])
                wait(page)
            except Exception as error:
                with lock:
                    tally.faults.append(f"browser: {error}")
            at += 1
            time.sleep(2.0)
        browser.close()


def load(data: Path, seconds: float) -> bool:
    """20 sessions and 2 browsers at once."""
    tally, lock = Tally(), threading.Lock()
    paths = list(views(data).values())
    with server(REPOSITORY / "server.py", REPOSITORY, data) as (address, pid):
        until = time.monotonic() + seconds
        threads = [
            threading.Thread(target=session, args=(address, paths, until, seed, tally, lock))
            for seed in range(SESSIONS)
        ]
        threads += [
            threading.Thread(target=clicking, args=(data, address, until, seed, tally, lock))
            for seed in range(BROWSERS)
        ]
        threads.append(threading.Thread(target=measure_memory, args=(pid, until, tally)))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    before, after, grown = flatness(tally.rss_mb)
    p95 = quantile(tally.took_s, 0.95)
    print(
        f"{SESSIONS} sessions and {BROWSERS} browsers for {seconds:.0f} s: {len(tally.took_s)} pages, "
        f"median {quantile(tally.took_s, 0.5):.2f} s, p95 {p95:.2f} s (bar {BARS['load']} s), "
        f"{len(tally.faults)} faults, memory after the first minute {before:.0f} to {after:.0f} MB ({grown:+.1%}, bar ±10 %)\n"
    )
    for fault in list(dict.fromkeys(tally.faults))[:10]:
        print("  fault:", fault)
    return p95 <= BARS["load"] and not tally.faults and abs(grown) <= 0.10


def violations(page: Any) -> dict[str, str]:
    """Serious and critical violations of the page that is open: rule and impact."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return {
        one["id"]: f"{one['impact']}, {len(one['nodes'])} times" for one in found if one["impact"] in SEVERE
    }


def accessibility(browser: Any, data: Path, bare: Path) -> bool:
    """What axe-core finds on every view in both themes beyond a bare page."""
    fine = True
    with (
        server(bare, bare.parent, data) as (plain, _bare_pid),
        server(REPOSITORY / "server.py", REPOSITORY, data) as (address, _pid),
    ):
        for theme in ("light", "dark"):
            context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme=theme)
            page = context.new_page()
            known: dict[str, str] = {}
            for name, url in {"bare": plain, **{n: address + p for n, p in views(data).items()}}.items():
                page.goto(url)
                wait(page)
                page.wait_for_timeout(SETTLED_MS)
                found = violations(page)
                if name == "bare":
                    known = found
                    print(f"axe-core, {theme}: a bare page has {known or 'none'}")
                    continue
                more = {rule: words for rule, words in found.items() if rule not in known}
                fine &= not more
                print(f"  {name}: {more or 'nothing beyond it'}", flush=True)
            context.close()
    return fine


def looks(browser: Any, data: Path) -> bool:
    """Every view × theme × width: what is wrong with it."""
    fine, count = True, 0
    with server(REPOSITORY / "server.py", REPOSITORY, data) as (address, _pid):
        for theme, width in itertools.product(("light", "dark"), (1440, 390)):
            context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme)
            page = context.new_page()
            told: list[str] = []
            page.on(
                "console", lambda message, told=told: told.append(message.text) if is_fault(message) else None
            )
            page.on("pageerror", lambda error, told=told: told.append(str(error)))
            for name, path in views(data).items():
                told.clear()
                page.goto(address + path)
                wait(page)
                if sideways := page.evaluate(OVERFLOW):
                    told.append(f"scrolls {sideways} px sideways") if sideways > 0 else None
                told += [f"empty chart: {chart}" for chart in page.evaluate(EMPTY_CHARTS)]
                fine &= not told
                count += 1
                if told:
                    print(f"  {name}, {theme}, {width} px: {'; '.join(told)}", flush=True)
            context.close()
    print(f"looks: {count} combinations of view, theme and width, {'all fine' if fine else 'faults above'}\n")
    return fine


def is_fault(message: Any) -> bool:
    """Whether a message of the browser's console is an error; Streamlit asks below a page's path and takes 404 for an answer."""
    return message.type == "error" and "/_stcore/" not in (message.location or {}).get("url", "")


def main() -> None:
    """Runs the parts that are asked for; ends with an error when a bar is missed."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--seconds", type=float, default=180.0)
    parser.add_argument("--only", default="first,warm,load,looks,axe")
    asked = parser.parse_args()
    data, parts = asked.data.resolve(), asked.only.split(",")
    print(f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n")
    fine = []
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder) / "bare.py"
        bare.write_text(BARE)
        with sync_playwright() as steering:
            browser = steering.chromium.launch(executable_path=chromium(), args=list(FLAGS))
            if "first" in parts:
                fine.append(first_page(browser, data, bare))
            if "warm" in parts:
                fine.append(warm_pages(browser, data, bare))
            if "looks" in parts:
                fine.append(looks(browser, data))
            if "axe" in parts:
                bare.write_text(BARE + TABLES)
                fine.append(accessibility(browser, data, bare))
            browser.close()
        if "load" in parts:
            fine.append(load(data, asked.seconds))
    sys.exit(not all(fine))


if __name__ == "__main__":
    main()

"""How long a warm page takes: inside the open app, after a changed choice, opened again by its address."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from benchmarks.app_browser import DRAWN, IDLE, REPOSITORY, quantile, server, wait
from benchmarks.app_views import views
from pages.shell.navigation import PAGES

BAR_S = 1.5


def change(page: Any, at: int) -> float | None:
    """Changes one of the choices of a page that is open, another one each time; time until it is drawn [s].

    Args:
        page: The browser's page.
        at: Which of the buttons that are not pressed; counted round and round.

    Returns:
        None where there is no choice.
    """
    radios = page.locator("[data-testid=stMain] [role=radio][aria-checked=false]")
    count = radios.count()
    if not count:
        return None
    before = page.url
    started = time.perf_counter()
    radios.nth(at % count).click()
    page.wait_for_function("url => location.href !== url", arg=before, timeout=30_000)
    page.wait_for_function(IDLE, timeout=60_000)
    page.wait_for_function(DRAWN, timeout=60_000)
    return time.perf_counter() - started


def go_inside(page: Any, name: str) -> float:
    """Goes to another page of the open app by the list of pages; time until its content is there [s]."""
    started = time.perf_counter()
    page.locator("[data-testid=stSidebar]").get_by_role("link", name=name, exact=True).click()
    page.wait_for_function("name => document.title.startsWith(name)", arg=f"{name} ·", timeout=60_000)
    wait(page)
    return time.perf_counter() - started


def inside(browser: Any, address: str, rounds: int) -> list[float]:
    """Every page of the list, one after the other, again and again; the first round is not warm [s]."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, timezone_id="Europe/Berlin")
    page = context.new_page()
    page.goto(address)
    wait(page)
    names = [label for _, label, _ in PAGES]
    took: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(rounds + 1):
        for name in [*names[1:], names[0]]:
            once = go_inside(page, name)
            took[name] += [once] if turn else []
    context.close()
    print("| page gone to inside the app | median [s] | worst [s] |\n|---|---:|---:|")
    for name, times in took.items():
        print(f"| {name} | {quantile(times, 0.5):.2f} | {max(times):.2f} |")
    print(flush=True)
    return [once for times in took.values() for once in times]


def reopened(page: Any, url: str) -> float:
    """Opens an address anew; time until the content is there [s]."""
    started = time.perf_counter()
    page.goto(url)
    wait(page)
    return time.perf_counter() - started


def warm_pages(browser: Any, data: Path, bare: Path, rounds: int = 3) -> bool:
    """Pages inside the app, choices changed, addresses opened again; what is measured was drawn once before."""
    window = {"viewport": {"width": 1440, "height": 900}, "timezone_id": "Europe/Berlin"}
    opened_all, changed_all = [], []
    with server(bare, bare.parent, data) as (address, _pid):
        page = browser.new_context(**window).new_page()
        plain = [reopened(page, address) for _ in range(3 * rounds)][rounds:]
        page.context.close()
    with server(REPOSITORY / "server.py", REPOSITORY, data) as (address, _pid):
        gone = inside(browser, address, rounds)
        page = browser.new_context(**window).new_page()
        print("| view | choice changed, median [s] | worst [s] | opened by address, median [s] | worst [s] |")
        print("|---|---:|---:|---:|---:|")
        for name, path in views(data).items():
            opened, changed = [], []
            for turn in range(2 * rounds):
                took, another = reopened(page, address + path), change(page, turn % rounds)
                if turn >= rounds:
                    opened.append(took)
                    changed += [another] if another is not None else []
            opened_all += opened
            changed_all += changed
            told = f"{quantile(changed, 0.5):.2f} | {max(changed):.2f}" if changed else "– | –"
            print(f"| {name} | {told} | {quantile(opened, 0.5):.2f} | {max(opened):.2f} |", flush=True)
        page.context.close()
    p95 = quantile(gone + changed_all, 0.95)
    print(
        f"\npage inside the app or changed choice: p95 {p95:.2f} s of {len(gone + changed_all)}, bar {BAR_S} s "
        f"(pages {quantile(gone, 0.95):.2f}, choices {quantile(changed_all, 0.95):.2f})\n"
        f"opened by address: p95 {quantile(opened_all, 0.95):.2f} s, median {quantile(opened_all, 0.5):.2f}; "
        f"a bare page: median {quantile(plain, 0.5):.2f} s\n"
    )
    return p95 <= BAR_S

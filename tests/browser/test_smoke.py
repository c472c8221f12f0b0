"""What only a real browser shows: first hits of a fresh server, layout, charts on the screen, the URL, the way back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import Tab, server

OpenTab = Callable[..., Tab]

PAGES = {
    "home": "/",
    "raced": "/race?event=2025-las-vegas&stage=pre_race",
    "raced, why": "/race?event=2025-las-vegas&stage=pre_race&view=why",
    "raced, stages": "/race?event=2025-las-vegas&stage=pre_race&view=stages",
    "raced, baselines": "/race?event=2025-las-vegas&stage=pre_race&view=baselines",
    "raced, result": "/race?event=2026-monaco&stage=pre_race&view=happened",
    "raced, laps": "/race?event=2026-monaco&stage=pre_race&view=happened&part=laps",
    "raced, tyres": "/race?event=2026-monaco&stage=pre_race&view=happened&part=tyres",
    "raced, earlier": "/race?event=2026-monaco&stage=pre_race&view=previous",
    "not raced": "/race?event=2026-great-britain",
    "championship": "/championship",
    "championship, places": "/championship?view=places",
    "championship, what if": "/championship?view=points",
    "championship, Elo": "/championship?view=elo",
    "strategy": "/strategy?event=2026-austria&driver=lando-norris&cars=lando-norris:-15H-45H",
    "strategy positions": "/strategy?event=2026-austria&driver=lando-norris&cars=lando-norris:-15H-45H&view=positions",
    "strategy laps": "/strategy?event=2026-austria&driver=lando-norris&cars=lando-norris:-15H-45H&view=laps",
    "strategy finish": "/strategy?event=2026-austria&driver=lando-norris&cars=lando-norris:-15H-45H&view=finish",
    "strategy rejoin": "/strategy?event=2026-austria&driver=lando-norris&view=rejoin",
    "strategy best": "/strategy?event=2026-austria&driver=lando-norris&view=best",
    "accuracy": "/accuracy",
    "accuracy, seasons": "/accuracy?view=seasons",
    "accuracy, calibration": "/accuracy?view=calibration",
    "accuracy, misses": "/accuracy?view=misses",
    "accuracy, forecasts": "/accuracy?view=forecasts",
    "drivers": "/drivers?driver=lando-norris&season=2025&with=oscar-piastri",
    "teams": "/teams?team=mclaren&season=2025",
    "circuits": "/circuits?circuit=monaco",
    "health": "/health",
}
CHARTS = {
    "home": 1,
    "raced": 3,
    "raced, why": 4,
    "raced, stages": 2,
    "raced, baselines": 2,
    "raced, result": 2,
    "raced, laps": 3,
    "raced, tyres": 3,
    "raced, earlier": 2,
    "not raced": 0,
    "championship": 3,
    "championship, places": 2,
    "championship, what if": 1,
    "championship, Elo": 1,
    "strategy": 1,
    "strategy positions": 1,
    "strategy laps": 3,
    "strategy finish": 1,
    "strategy rejoin": 1,
    "strategy best": 0,
    "accuracy": 1,
    "accuracy, seasons": 3,
    "accuracy, calibration": 3,
    "accuracy, misses": 1,
    "accuracy, forecasts": 0,
    "drivers": 2,
    "teams": 2,
    "circuits": 1,
    "health": 3,
}
NAVIGATION = [
    *(
        "Next race",
        "Races",
        "Championship",
        "Strategy",
        "Accuracy",
        "Drivers",
        "Teams",
        "Circuits",
        "Laps",
        "Calendar",
    ),
    *("Methodology", "Health"),
]

HEAD_TO_HEAD = "Who finishes ahead"
"""Begins the name of the one chart that has a mark for either of two drivers and no more."""

# For every chart: its place on the screen, how many marks of data have a size, and its name for screen readers.
CHART_STATE = """() => [...document.querySelectorAll('[data-testid=stVegaLiteChart]')].map(chart => {
    const svg = chart.querySelector('svg.marks');
    const marks = '.mark-symbol path, .mark-rect path, .mark-line path, .mark-rule line';
    const drawn = !svg ? [] : [...svg.querySelectorAll(marks)].filter(mark => {
        const box = mark.getBoundingClientRect();
        return box.width + box.height > 2;
    });
    const box = chart.getBoundingClientRect();
    return {width: box.width, right: box.right, marks: drawn.length, name: chart.getAttribute('aria-label') || ''};
})"""
OVERFLOW = """() => {
    const main = document.querySelector('[data-testid=stMain]');
    return Math.max(main.scrollWidth - main.clientWidth, document.documentElement.scrollWidth - window.innerWidth);
}"""


def navigation(tab: Tab) -> list[str]:
    return [
        link.inner_text().split("\n")[-1].strip()
        for link in tab.page.query_selector_all("[data-testid=stSidebar] [data-testid=stPageLink] a")
    ]


def wait_for_charts(tab: Tab, count: int) -> list[dict[str, Any]]:
    for _ in range(60):
        drawn = tab.page.locator("[data-testid=stVegaLiteChart] svg.marks").count()
        if drawn >= count:
            break
        # Charts further down are drawn when they come into view.
        tab.page.locator("[data-testid=stVegaLiteChart]").nth(
            min(drawn, count - 1)
        ).scroll_into_view_if_needed()
        tab.page.wait_for_timeout(200)
    state: list[dict[str, Any]] = tab.page.evaluate(CHART_STATE)
    return state


@pytest.mark.parametrize(
    ("path", "title", "words"),
    [
        ("/race?event=2025-las-vegas&stage=pre_race", "Las Vegas Grand Prix 2025", "Backtest – never sealed"),
        ("/accuracy?stage=pre_qualifying&seasons=2026", "How good are the forecasts?", "Australia 2026"),
        ("/", "Las Vegas Grand Prix 2026", "12 races behind the calendar"),
    ],
)
def test_the_first_hit_of_a_fresh_server_is_right(
    path: str, title: str, words: str, built_data: Path, open_tab: OpenTab
) -> None:
    with server(built_data, PARCFERME_CLOCK="2026-11-20T12:00Z") as address:
        tab = open_tab(address).go(path)
        assert title in tab.text()
        assert words in tab.text()
        assert navigation(tab) == NAVIGATION, "our navigation, once, and no other"
        assert tab.page.query_selector("[data-testid=stSidebarNav]") is None, "no automatic navigation"
        assert tab.page.url == f"{address}{path}"
        assert tab.faults == []
        # A reload shows the same: nothing depended on the first run.
        tab.page.reload()
        tab.wait()
        assert title in tab.text()
        assert words in tab.text()


@pytest.mark.parametrize(("width", "theme"), [(390, "dark"), (1440, "light")])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_and_its_charts_are_drawn(
    name: str, width: int, theme: str, app: str, app_of_today: str, open_tab: OpenTab
) -> None:
    address = app_of_today if name == "home" else app
    tab = open_tab(address, width=width, theme=theme).go(PAGES[name])
    charts = wait_for_charts(tab, CHARTS[name])
    assert len(charts) == CHARTS[name]
    for chart in charts:
        assert chart["width"] > 150 and chart["right"] <= width
        least = 2 if HEAD_TO_HEAD in chart["name"] else 5
        assert chart["marks"] >= least, f"a chart is not empty: {chart['name']}"
        assert len(chart["name"]) > 30, "a chart has a name for those who cannot see it"
    assert tab.page.evaluate(OVERFLOW) <= 0, "the page scrolls sideways"
    page_colour = tab.page.evaluate(
        "() => getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor"
    )
    assert page_colour == {"light": "rgb(255, 255, 255)", "dark": "rgb(4, 5, 6)"}[theme]
    assert "Unofficial: not associated" in tab.text()
    assert tab.page.query_selector("[data-testid=stException]") is None
    assert tab.faults == []


def test_a_choice_goes_into_the_url_and_comes_back(app: str, open_tab: OpenTab) -> None:
    tab = open_tab(app).go("/race?event=2025-las-vegas")
    tab.page.get_by_role("radio", name="Before qualifying").click()
    tab.page.wait_for_url("**/race?event=2025-las-vegas&stage=pre_qualifying")
    tab.page.wait_for_function("() => document.body.innerText.includes('after practice, before qualifying')")
    shared = open_tab(app).go(tab.page.url.removeprefix(app))
    assert "after practice, before qualifying" in shared.text()
    assert tab.faults == shared.faults == []


def test_links_lead_to_the_page_and_the_way_back(app: str, open_tab: OpenTab) -> None:
    tab = open_tab(app).go("/race?event=2025-las-vegas&stage=pre_race")
    tab.page.get_by_role("button", name="Qatar 2025").click()
    tab.page.wait_for_selector("h1:has-text('Qatar Grand Prix 2025')")
    assert tab.page.url == f"{app}/race?event=2025-qatar&stage=pre_race"
    tab.page.go_back()
    tab.page.wait_for_selector("h1:has-text('Las Vegas Grand Prix 2025')")
    assert tab.page.url == f"{app}/race?event=2025-las-vegas&stage=pre_race"
    tab.page.locator("[data-testid=stSidebar]").get_by_role("link", name="Races").click()
    tab.wait()
    assert "Las Vegas Grand Prix 2025" in tab.text(), "page and address still say the same"
    assert tab.page.url == f"{app}/race?event=2025-las-vegas&stage=pre_race"
    tab.page.locator("[data-testid=stSidebar]").get_by_role("link", name="Accuracy").click()
    tab.page.wait_for_selector("h1:has-text('How good are the forecasts?')")
    assert tab.page.url.startswith(f"{app}/accuracy")
    tab.page.locator("[data-testid=stSidebar]").get_by_role("link", name="Next race").click()
    tab.page.wait_for_selector("h1:has-text('Las Vegas Grand Prix 2026')")
    assert tab.faults == []


def test_what_is_typed_into_the_url_stays_text(app: str, open_tab: OpenTab) -> None:
    tab = open_tab(app).go(
        "/race?event=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E![x](https://evil.example/x.png)"
    )
    assert "is called '<img src=x onerror=alert(1)>![x](https://evil.example/x.png)'" in tab.text()
    assert tab.page.query_selector("[data-testid=stMain] img[src*=evil]") is None
    assert tab.faults == []


def test_downloads_are_files_with_the_shown_drivers(app: str, open_tab: OpenTab) -> None:
    tab = open_tab(app).go("/race?event=2025-las-vegas&stage=pre_race")
    with tab.page.expect_download() as waiting:
        tab.page.get_by_role("button", name="CSV", exact=True).first.click()
    download = waiting.value
    assert download.suggested_filename == "2025-las-vegas_race_pre_race_joint_backtest.csv"
    lines = Path(download.path()).read_text(encoding="utf-8").splitlines()
    assert len(lines) == 21
    assert any(",Lando Norris," in line for line in lines)


def test_a_section_and_a_part_of_it_are_drawn_when_they_are_opened(app: str, open_tab: OpenTab) -> None:
    tab = open_tab(app, width=390, theme="dark").go("/race?event=2026-monaco&stage=pre_race")
    tab.page.get_by_role("radio", name="What happened").click()
    tab.page.wait_for_url("**&view=happened")
    for part, name, words in (("laps", "Lap chart", "osition"), ("tyres", "Tyres", "yre")):
        tab.page.get_by_role("radio", name=name).click()
        tab.page.wait_for_url(f"**&view=happened&part={part}")
        charts = tab.page.locator("[data-testid=stVegaLiteChart]")
        tab.page.wait_for_function(
            "words => [...document.querySelectorAll('[data-testid=stVegaLiteChart]')].at(-1)"
            "?.getAttribute('aria-label')?.includes(words)",
            arg=words,
        )
        tab.wait()
        assert charts.count() == 3, "the two of the forecast, and the one that was asked for"
        chart = charts.last
        chart.scroll_into_view_if_needed()
        chart.locator("svg.marks").wait_for()
        assert chart.bounding_box()["width"] > 150
        assert words in chart.get_attribute("aria-label")
    assert tab.page.evaluate(OVERFLOW) <= 0
    tab.page.get_by_role("button", name="Canada 2026").click()
    tab.page.wait_for_selector("h1:has-text('Canad')")
    assert tab.page.url.endswith("&view=happened&part=tyres"), "from race to race the section stays"
    assert tab.faults == []


@pytest.mark.parametrize("path", ["/?", "/race?event=2025-las-vegas&", "/championship?", "/accuracy?"])
def test_an_embedded_view_has_no_chrome_and_keeps_its_source(path: str, app: str, open_tab: OpenTab) -> None:
    tab = open_tab(app, width=600).go(f"{path}embed=true")
    assert tab.page.query_selector("[data-testid=stSidebar]") is None
    assert not tab.page.locator("[data-testid=stMainMenu]").is_visible()
    assert "Contains data from F1DB" in tab.text()
    assert tab.page.locator("a:has-text('JSON of this')").get_attribute("href").startswith("/api/")
    assert tab.page.evaluate(OVERFLOW) <= 0
    assert tab.faults == []


def test_favourites_go_from_page_to_page(app: str, open_tab: OpenTab) -> None:
    tab = open_tab(app).go("/drivers?season=2025&fav=lando-norris")
    tab.page.locator("[data-testid=stSidebar]").get_by_role("link", name="Championship").click()
    tab.page.wait_for_selector("h1:has-text('Who will be champion?')")
    tab.wait()
    assert tab.page.url == f"{app}/championship?fav=lando-norris"
    assert "★ Norris" in tab.page.locator("svg.marks").first.inner_html()
    assert tab.faults == []

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from f1core.simulator.plan import IllegalPlan, Plan, Stop, check, stints, violations
from f1core.simulator.rules import COMPOUNDS, DRY_COMPOUNDS, RaceRules, race_rules

LAPS = 50


ORDINARY = RaceRules()


def broken(plan: Plan, rules: RaceRules | None = ORDINARY) -> set[str]:
    return {violation.rule for violation in violations(plan, LAPS, rules)}


@pytest.mark.parametrize(
    ("plan", "rules", "rule"),
    [
        (Plan("MEDIUM", (Stop(20, "MEDIUM"),)), RaceRules(), "two dry compounds"),
        (Plan("MEDIUM", (Stop(20, "INTERMEDIATE"),)), RaceRules(), "two dry compounds"),
        (Plan("MEDIUM", (Stop(20, "HARD"),)), race_rules(2025, "monaco"), "minimum stops"),
        (Plan("MEDIUM", (Stop(20, "HARD"),)), race_rules(2025, "monaco", is_dry=False), "minimum stops"),
        (Plan("MEDIUM", (Stop(20, "HARD"),)), race_rules(2025, "lusail"), "set life"),
        (Plan("MEDIUM", (Stop(10, "HARD", used_laps=5),)), RaceRules(set_life={"HARD": 44}), "set life"),
        (Plan("MEDIUM", (Stop(20, "HARD"), Stop(30, "SOFT"))), RaceRules(max_stops=1), "maximum stops"),
        (Plan("MEDIUM", (Stop(0, "HARD"),)), None, "stop within the race"),
        (Plan("MEDIUM", (Stop(LAPS, "HARD"),)), None, "stop within the race"),
        (Plan("MEDIUM", (Stop(30, "HARD"), Stop(20, "SOFT"))), None, "one stop after the other"),
        (Plan("MEDIUM", (Stop(20, "HARD"), Stop(20, "SOFT"))), None, "one stop after the other"),
        (Plan("MEDIUM", (Stop(20, "HYPERSOFT"),)), None, "known compound"),
        (Plan("MEDIUM", (Stop(20, "HARD", used_laps=-1),)), None, "age of a set"),
    ],
)
def test_the_broken_rule_is_named(plan: Plan, rules: RaceRules | None, rule: str) -> None:
    assert broken(plan, rules) == {rule}
    with pytest.raises(IllegalPlan, match=f"car 7.*rule: {rule}") as caught:
        check("car 7", plan, LAPS, rules)
    assert caught.value.violations[0].rule == rule


def test_the_ordinary_race_allows_what_monaco_does_not() -> None:
    plan = Plan("MEDIUM", (Stop(20, "HARD"),))
    assert broken(plan, race_rules(2024, "monaco")) == set()
    assert broken(plan, race_rules(2025, "spa-francorchamps")) == set()
    assert broken(Plan("MEDIUM", (Stop(20, "HARD"), Stop(40, "HARD"))), race_rules(2025, "monaco")) == set()


def test_two_compounds_are_asked_for_in_a_dry_race_only() -> None:
    plan = Plan("INTERMEDIATE", (Stop(20, "MEDIUM"),))
    assert broken(plan) == {"two dry compounds"}
    assert broken(plan, RaceRules(is_dry=False)) == set()


def test_used_laps_are_the_sets_age_but_not_raced_laps() -> None:
    first, second = stints(Plan("SOFT", (Stop(15, "HARD", used_laps=3),), start_used_laps=2), LAPS)
    assert (first.laps, first.used_laps) == (15, 2)
    assert (second.first_lap, second.laps, second.used_laps) == (16, 35, 3)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    laps = draw(st.lists(st.integers(1, LAPS - 1), unique=True, max_size=4).map(sorted))
    stops = tuple(Stop(lap, draw(st.sampled_from(COMPOUNDS)), draw(st.integers(0, 5))) for lap in laps)
    return Plan(draw(st.sampled_from(COMPOUNDS)), stops, draw(st.integers(0, 5)))


@settings(max_examples=100, deadline=None)
@given(plan=plans(), life=st.integers(5, 60), least=st.integers(0, 3))
def test_a_plan_is_allowed_exactly_when_it_keeps_every_rule(plan: Plan, life: int, least: int) -> None:
    rules = RaceRules(set_life={"SOFT": life}, min_stops=least)
    run = stints(plan, LAPS)
    assert sum(stint.laps for stint in run) == LAPS
    is_allowed = (
        len({stint.compound for stint in run} & set(DRY_COMPOUNDS)) >= 2
        and len(run) - 1 >= least
        and all(stint.used_laps + stint.laps <= life for stint in run if stint.compound == "SOFT")
    )
    assert (not broken(plan, rules)) == is_allowed

"""The exact arithmetic of a title, held against every way a race can end."""

from __future__ import annotations

from itertools import permutations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.championship import Round
from models.points_rules import PointsRules, points_rules
from models.title_arithmetic import Contender, title_arithmetic

SMALL = PointsRules(2026, race=(5, 3, 2), sprint=(2, 1), fastest_lap=1)


def pad(places: tuple[int, ...]) -> tuple[int, ...]:
    return (*places, *[0] * (20 - len(places)))


def endings(
    rules: PointsRules, is_sprint: bool
) -> list[tuple[float, float, tuple[int, ...], tuple[int, ...]]]:
    """Points and race places of two drivers, written down anew: all places of two cars, all laps, all sprints."""
    found = []
    slots = [*range(1, len(rules.race) + 1), 98, 99]
    for a, b in permutations(slots, 2):
        laps = [(0, 0)]
        if rules.fastest_lap:
            laps += [(1, 0)] * (a < 90) + [(0, 1)] * (b < 90)
        sprints = [(0, 0)]
        if is_sprint:
            steps = [*range(1, len(rules.sprint) + 1), 98, 99]
            sprints = [
                (rules.sprint[x - 1] if x < 90 else 0, rules.sprint[y - 1] if y < 90 else 0)
                for x, y in permutations(steps, 2)
            ]
        for (la, lb), (sa, sb) in product(laps, sprints):
            pa, pb = (rules.race[p - 1] if p < 90 else 0 for p in (a, b))
            found.append((pa + la + sa, pb + lb + sb, (a,) if a < 90 else (), (b,) if b < 90 else ()))
    return found


def after(places: tuple[int, ...], new: tuple[int, ...]) -> tuple[int, ...]:
    full = list(pad(places))
    for place in new:
        full[place - 1] += 1
    return tuple(full)


contender = st.tuples(st.integers(0, 12), st.tuples(*[st.integers(0, 2)] * 3))


@given(first=contender, second=contender, is_sprint=st.booleans())
@settings(max_examples=150, deadline=None)
def test_the_last_round_agrees_with_every_way_it_can_end(first, second, is_sprint: bool) -> None:
    a, b = sorted([first, second], key=lambda c: (c[0], pad(c[1])), reverse=True)
    people = [Contender("a", a[0], a[1]), Contender("b", b[0], b[1])]
    found = title_arithmetic(people, [Round(is_sprint)], SMALL, cars=1)
    all_ends = endings(SMALL, is_sprint)

    def wins(one, other, end, flipped: bool) -> bool:
        mine, his, my_places, his_places = (end[1], end[0], end[3], end[2]) if flipped else end
        return (one[0] + mine, after(one[1], my_places)) > (other[0] + his, after(other[1], his_places))

    for who, one, other, flipped in (("a", a, b, False), ("b", b, a, True)):
        results = [
            (end[1] - end[0] if flipped else end[0] - end[1], wins(one, other, end, flipped))
            for end in all_ends
        ]
        can = any(won for _, won in results)
        level = any(
            not wins(one, other, e, flipped) and not wins(other, one, e, not flipped) for e in all_ends
        )
        assert (who in found.alive) == (can or level), who
        decision = next((d for d in found.event if d.entity_id == who), None)
        if found.champion is not None:
            assert found.champion == who or not can
            continue
        assert (decision is not None) == can
        if decision is not None and decision.margins:
            (margin,) = decision.margins
            lost = max(gap for gap, won in results if not won)
            safe = [gap for gap, won in results if won and gap > lost]
            if margin.level_points is None:
                assert margin.points == min(gap for gap, won in results if won and gap > lost)
                assert all(won for gap, won in results if gap >= margin.points)
                assert not all(won for gap, won in results if gap >= margin.points - 1)
            else:
                assert margin.level_places
                assert not safe or margin.points == min(safe)


def test_countback_decides_who_is_alive() -> None:
    rules, last = points_rules(2026), [Round()]
    leader = Contender("leader", 100, (3, 0))
    ahead = title_arithmetic([leader, Contender("rival", 75, (3, 0))], last, rules, cars=1)
    behind = title_arithmetic([leader, Contender("rival", 75, (1, 9))], last, rules, cars=1)
    assert ahead.alive == ("leader", "rival")
    assert (behind.alive, behind.champion) == (("leader",), "leader")


def test_points_that_settle_it() -> None:
    rules = points_rules(2026)
    people = [Contender("leader", 100, (1,)), Contender("rival", 90, (0,))]
    found = title_arithmetic(people, [Round(), Round()], rules, cars=1)
    assert found.leader_needs == 41, "at 140 he would be level with fewer wins"
    assert found.points_left == 50
    assert found.event[0].entity_id == "leader"
    # 25 ahead with 25 left: the rival would be level with one win. The leader then has two, or one and a third place.
    assert found.event[0].margins[0].points == 15


def test_constructors_count_both_cars() -> None:
    rules = points_rules(2026)
    people = [Contender("a", 100, (5,)), Contender("b", 57, (1,)), Contender("c", 56, (9,))]
    found = title_arithmetic(people, [Round()], rules, cars=2)
    assert found.points_left == 43
    assert found.alive == ("a",), "43 behind with two wins against five; 44 behind whatever he has won"


@pytest.mark.parametrize(("points", "place"), [(0, 1), (8, 2), (20, 7), (24, 9)])
def test_a_place_that_is_enough_whatever_the_others_do(points: float, place: int) -> None:
    people = [Contender("leader", 100 + points, (0,)), Contender("rival", 100, (5,))]
    (decision,) = [
        d
        for d in title_arithmetic(people, [Round()], points_rules(2026), cars=1).event
        if d.entity_id == "leader"
    ]
    assert decision.sure_place == place

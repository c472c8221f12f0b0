"""What the points rules alone say of a title: who can still win it, what settles it, and with which results.

Nothing here is estimated. An entrant can be champion if he is when he takes everything that is left and nobody else scores.
Level on points, more wins decide, then more second places, and so on (races only); entrants level to the last place count as
not yet separated.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations_with_replacement

from models.championship import Round
from models.points_rules import FASTEST_LAP_PLACES, PointsRules

Places = tuple[int, ...]
"""How often somebody finished first, second, ...; also the places of an entrant's cars, 0 for none in the points."""


@dataclass(frozen=True)
class Contender:
    """Somebody in a championship.

    Attributes:
        entity_id: Driver or constructor.
        points: Points now.
        places: How often a race was finished first, second, ... (both cars of a constructor).
    """

    entity_id: str
    points: float
    places: Places


@dataclass(frozen=True)
class Contest:
    """Points that are raced for before somebody may be champion: a race, a sprint, or both.

    Attributes:
        has_race: Whether a race is among them.
        has_sprint: Whether a sprint is.
        factor: By how much the race's points are multiplied.
    """

    has_race: bool = True
    has_sprint: bool = False
    factor: int = 1

    @classmethod
    def of(cls, one: Round) -> Contest:
        """A whole event."""
        return cls(True, one.is_sprint, one.factor)

    def most(self, rules: PointsRules, cars: int) -> int:
        """The most points an entrant can take."""
        race = sum(rules.race[:cars]) * self.factor + rules.fastest_lap if self.has_race else 0
        return race + (sum(rules.sprint[:cars]) if self.has_sprint else 0)


@dataclass(frozen=True)
class Margin:
    """What must happen between a would-be champion and one rival.

    Attributes:
        rival: The rival.
        points: The would-be champion must outscore him by so many points or more; below zero: may be outscored by so many.
        level_places: Race places of the would-be champion with which one point step less is enough too, on countback.
        level_points: That smaller margin; None when there is none.
    """

    rival: str
    points: float
    level_points: float | None = None
    level_places: Places = ()


@dataclass(frozen=True)
class Decision:
    """How a title can be settled by a contest.

    Attributes:
        entity_id: Who would be champion.
        margins: Conditions, one per rival who could prevent it; all must hold. Empty: it is settled whatever happens.
        sure_place: Worst place that is enough whatever the others do; None when no place is, or when race and sprint both
            count, or for a constructor.
    """

    entity_id: str
    margins: tuple[Margin, ...]
    sure_place: int | None = None


@dataclass(frozen=True)
class Arithmetic:
    """A championship as the rules alone see it.

    Attributes:
        alive: Who can still be champion, the present order.
        champion: Who is, whatever happens; None while it is open.
        leader_needs: Points that settle it for the leader whatever the others do; None when not even all do, or when it
            is settled.
        points_left: The most points an entrant can still take.
        sprint: How the sprint of the next event can settle it.
        event: How the next event as a whole can.
    """

    alive: tuple[str, ...]
    champion: str | None
    leader_needs: float | None
    points_left: int
    sprint: tuple[Decision, ...] = field(default=())
    event: tuple[Decision, ...] = field(default=())


def title_arithmetic(
    contenders: Sequence[Contender], rounds: Sequence[Round], rules: PointsRules, *, cars: int
) -> Arithmetic:
    """Works out who can be champion and what must happen for it.

    Args:
        contenders: Everybody in the championship, in its order.
        rounds: Events to come, in order.
        rules: Points of the season.
        cars: Cars that score for one entrant: 1 for drivers, 2 for constructors.
    """
    contests = [Contest.of(one) for one in rounds]
    left = sum(one.most(rules, cars) for one in contests)
    alive = [one for one in contenders if _can_win(one, contenders, contests, rules, cars)]
    champion = alive[0].entity_id if len(alive) == 1 else None
    if champion or not contests:
        return Arithmetic(tuple(one.entity_id for one in alive), champion, None, left)
    sprint: tuple[Decision, ...] = ()
    if contests[0].has_sprint:
        first, rest = Contest(False, True), Contest(True, False, contests[0].factor)
        sprint = _decisions(alive, first, [rest, *contests[1:]], rules, cars)
    return Arithmetic(
        tuple(one.entity_id for one in alive),
        None,
        _needs(alive, contests, rules, cars),
        left,
        sprint,
        _decisions(alive, contests[0], contests[1:], rules, cars),
    )


def _at_best(
    one: Contender, contests: Sequence[Contest], rules: PointsRules, cars: int
) -> tuple[float, Places]:
    """Points and places of an entrant who takes everything."""
    races = sum(contest.has_race for contest in contests)
    points = one.points + sum(contest.most(rules, cars) for contest in contests)
    return points, tuple(
        count + (races if place < cars else 0) for place, count in enumerate(_padded(one.places))
    )


def _can_win(
    one: Contender, all_: Sequence[Contender], contests: Sequence[Contest], rules: PointsRules, cars: int
) -> bool:
    best = _at_best(one, contests, rules, cars)
    return all(best >= (other.points, _padded(other.places)) for other in all_ if other is not one)


def _needs(
    alive: Sequence[Contender], contests: Sequence[Contest], rules: PointsRules, cars: int
) -> float | None:
    leader, needed = alive[0], 0.0
    for rival in alive[1:]:
        points, places = _at_best(rival, contests, rules, cars)
        # A rival who takes every race leaves the leader no win; all else of the countback is open.
        is_enough_level = _padded(leader.places)[0] > places[0]
        gap = points - leader.points
        needed = max(needed, gap if is_enough_level else _next_point(gap))
    return needed if needed <= sum(contest.most(rules, cars) for contest in contests) else None


def _decisions(
    alive: Sequence[Contender], now: Contest, later: Sequence[Contest], rules: PointsRules, cars: int
) -> tuple[Decision, ...]:
    found = []
    for one in alive:
        margins: list[Margin] = []
        rivals = [other for other in alive if other is not one]
        for rival in rivals:
            margin = _margin(one, rival, now, later, rules, cars)
            if margin is None:
                break
            if margin.points > float("-inf"):
                margins.append(margin)
        else:
            place = _sure_place(one, rivals, now, later, rules) if cars == 1 else None
            found.append(Decision(one.entity_id, tuple(margins), place))
    return tuple(found)


def _margin(
    one: Contender, rival: Contender, now: Contest, later: Sequence[Contest], rules: PointsRules, cars: int
) -> Margin | None:
    """The margin over a rival that settles it: ``-inf`` when any does, None when none does."""
    best, best_places = _at_best(rival, later, rules, cars)
    needed = best - one.points
    if now.most(rules, cars) < needed:
        return None
    safe: set[float] = set()
    unsafe: set[float] = set()
    level: dict[int, bool] = {}
    sprints = {a - b for a, b, *_ in _sprint_outcomes(now, rules, cars)}
    for mine, his, my_places, his_places in _race_outcomes(now, rules, cars):
        for sprint in sprints:
            gap = mine - his + sprint
            if gap != needed:
                (safe if gap > needed else unsafe).add(gap)
                continue
            ahead = _plus(one.places, my_places) > _plus(best_places, his_places)
            (safe if ahead else unsafe).add(gap)
            place = my_places[0] if my_places else 0
            level[place] = level.get(place, True) and ahead
    if not safe:
        return None
    if not unsafe:
        return Margin(rival.entity_id, float("-inf"))
    points = min(gap for gap in safe if gap not in unsafe) if safe - unsafe else None
    places = tuple(sorted(place for place, is_safe in level.items() if is_safe and place))
    if points is None:
        return Margin(rival.entity_id, needed, needed, places) if places else None
    if points <= needed or not places:
        return Margin(rival.entity_id, points)
    return Margin(rival.entity_id, points, needed, places)


def _sure_place(
    one: Contender, rivals: Sequence[Contender], now: Contest, later: Sequence[Contest], rules: PointsRules
) -> int | None:
    """The worst place with which a driver is champion whatever happens; without the fastest lap."""
    if now.has_race == now.has_sprint:
        return None
    scale = rules.race if now.has_race else rules.sprint
    factor = now.factor if now.has_race else 1
    sure = None
    for place in range(1, len(scale) + 1):
        for rival in rivals:
            best, best_places = _at_best(rival, later, rules, 1)
            for other in (p for p in range(len(scale) + 1) if p != place):
                lap = rules.fastest_lap if now.has_race and 0 < other <= FASTEST_LAP_PLACES else 0
                mine = one.points + scale[place - 1] * factor
                his = best + (scale[other - 1] * factor if other else 0) + lap
                raced = now.has_race
                my_places = _plus(one.places, (place,) if raced else ())
                his_places = _plus(best_places, (other,) if raced else ())
                if (mine, my_places) <= (his, his_places):
                    return sure
        sure = place
    return sure


def _race_outcomes(
    now: Contest, rules: PointsRules, cars: int
) -> Iterator[tuple[float, float, Places, Places]]:
    """Points and places of two entrants in a race, every way it can end for them."""
    if not now.has_race:
        yield 0.0, 0.0, (), ()
        return
    for mine, his in _placings(len(rules.race), cars):
        a, b = (sum(rules.race[p - 1] for p in places if p) * now.factor for places in (mine, his))
        yield a, b, mine, his
        if rules.fastest_lap:
            if any(0 < p <= FASTEST_LAP_PLACES for p in mine):
                yield a + rules.fastest_lap, b, mine, his
            if any(0 < p <= FASTEST_LAP_PLACES for p in his):
                yield a, b + rules.fastest_lap, mine, his


def _sprint_outcomes(now: Contest, rules: PointsRules, cars: int) -> Iterator[tuple[float, float]]:
    if not now.has_sprint:
        yield 0.0, 0.0
        return
    for mine, his in _placings(len(rules.sprint), cars):
        a, b = (sum(rules.sprint[p - 1] for p in places if p) for places in (mine, his))
        yield float(a), float(b)


def _placings(count: int, cars: int) -> Iterator[tuple[Places, Places]]:
    """Every pair of placings of two entrants' cars; 0 is out of the points and may be several cars' place."""
    single = [
        places
        for places in combinations_with_replacement(range(count + 1), cars)
        if len({p for p in places if p}) == sum(p > 0 for p in places)
    ]
    for mine in single:
        for his in single:
            if not {p for p in mine if p} & set(his):
                yield mine, his


def _plus(counts: Places, placed: Places) -> Places:
    full = list(_padded(counts))
    for place in placed:
        if place:
            full[place - 1] += 1
    return tuple(full)


def _padded(counts: Places, length: int = 20) -> Places:
    return tuple([*counts[:length], *[0] * (length - len(counts))])


def _next_point(gap: float) -> float:
    """The next whole number of points above a gap."""
    return float(int(gap // 1) + 1)

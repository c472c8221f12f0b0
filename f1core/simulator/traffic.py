"""One lap of the field on the track, from front to back: following, being held up, passing."""

from __future__ import annotations

from bisect import bisect_right
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from f1core.simulator.draws import Floats
from f1core.simulator.parameters import Traffic

_NEAR_A_LAP = 0.75
"""Share of a lap from which on a car may be lapped on the next one: nobody is a quarter of a lap slower."""

_OUT_S = 1e5
"""Nobody who still runs is this far behind [s]."""


def dirty_air(times: Floats, traffic: Traffic) -> Floats:
    """Loss behind the car ahead, by slot.

    Args:
        times: Times at the line, front to back, (slots, n) [s].
        traffic: Gap classes and losses.

    Returns:
        (slots, n) [s/lap]; the leader loses nothing.
    """
    if times.shape[1] == 1:
        return _dirty_air_one(times, traffic)
    loss = np.zeros_like(times)
    gap, behind = times[1:] - times[:-1], loss[1:]
    beyond = (*traffic.dirty_air_loss_s[1:], 0.0)
    for to_s, here_s, beyond_s in zip(traffic.dirty_air_to_s, traffic.dirty_air_loss_s, beyond, strict=True):
        behind += np.multiply(gap < np.float32(to_s), np.float32(here_s - beyond_s))
    return loss


def _dirty_air_one(times: Floats, traffic: Traffic) -> Floats:
    classes = tuple(zip(traffic.dirty_air_to_s, traffic.dirty_air_loss_s, strict=True))
    at = times[:, 0].tolist()
    loss, widest = [0.0] * len(at), classes[-1][0] if classes else 0.0
    for k, (ahead, time) in enumerate(pairwise(at), 1):
        gap = time - ahead
        if gap < widest:
            loss[k] = next(here_s for to_s, here_s in classes if gap < to_s)
    return np.array(loss, np.float32)[:, None]


def blue_flags(times: Floats, pace: Floats, lap_time_s: float, traffic: Traffic) -> Floats | None:
    """Loss of the cars that lap others on this lap, and of those that are lapped.

    A car a lap down is behind the whole field on its own lap and so holds up nobody.

    Args:
        times: Times at the last line, front to back, (slots, n) [s]; cars that are out are far behind.
        pace: Lap in clean air against the reference lap, (slots, n) [s].
        lap_time_s: Reference lap [s].
        traffic: What a meeting costs.

    Returns:
        (slots, n) [s/lap]; None when nobody can be lapped.
    """
    if times.shape[1] == 1:
        return _blue_flags_one(times, pace, lap_time_s, traffic)
    behind = times - times[0]
    if not (behind > np.float32(_NEAR_A_LAP * lap_time_s)).any():
        return None
    reached = times + pace
    is_near = (times - np.float32(lap_time_s) >= reached.min(axis=0)) & (behind < np.float32(_OUT_S))
    slots = np.flatnonzero(is_near.any(axis=1))
    if not len(slots):
        return None
    # Where the car to be lapped would be a lap earlier: others who come past that within the lap meet it on the road.
    past = times - np.float32(lap_time_s)
    before = past - pace
    lapping, lapped = (np.zeros(times.shape, np.int8) for _ in range(2))
    for k in slots.tolist():
        meets = reached[:k] <= past[k]
        meets &= times[:k] > before[k]
        counts = meets.view(np.int8)
        lapping[:k] += counts
        np.add.reduce(counts, axis=0, out=lapped[k])
    lost: Floats = lapping * np.float32(traffic.lapping_loss_s)
    lost[slots] += lapped[slots] * np.float32(traffic.lapped_loss_s)
    return lost


def _blue_flags_one(times: Floats, pace: Floats, lap_time_s: float, traffic: Traffic) -> Floats | None:
    at, own = times[:, 0].tolist(), pace[:, 0].tolist()
    lost, best = [0.0] * len(at), min(own)
    for k in range(1, len(at)):
        if not _NEAR_A_LAP * lap_time_s < at[k] - at[0] < _OUT_S:
            continue
        line = at[k] - lap_time_s
        for j in range(bisect_right(at, line - own[k], 0, k), bisect_right(at, line - best, 0, k)):
            if at[j] + own[j] <= line:
                lost[j] += traffic.lapping_loss_s
                lost[k] += traffic.lapped_loss_s
    return np.array(lost, np.float32)[:, None] if any(lost) else None


def drive(
    times: Floats,
    pace: Floats,
    lost: Floats,
    threshold: Floats,
    min_gap: Floats,
    head: Floats,
    leaves: NDArray[np.bool_] | None,
) -> Floats:
    """Times at the end of a lap, before any pit stop.

    A car that comes up to the last car of the queue ahead passes it when its advantage in pace exceeds the threshold, and
    is then limited by the queue's last but one; otherwise it follows at the least gap. Cars that leave the track at the end
    of this lap (pit lane, retirement) hold up nobody.

    Args:
        times: Times at the last line, front to back, (slots, n) [s].
        pace: Lap in clean air, (slots, n) [s].
        lost: What dirty air adds, (slots, n) [s].
        threshold: Advantage needed for a pass, (slots, n) [s]; infinite where passing is forbidden.
        min_gap: Gap of a following car, (n,) [s].
        head: Time that nobody may undercut plus one gap, (n,) [s]: the safety car; minus infinity without one.
        leaves: Cars that leave the track, (slots, n); None when there are none.

    Returns:
        Times at the line, (slots, n) [s].
    """
    if times.shape[1] == 1:
        return _drive_one(times, pace, lost, threshold, min_gap, head, leaves)
    reached = times + pace
    reached += lost
    last = head.copy()
    second = np.full_like(last, -np.inf)
    last_pace = np.zeros_like(last)
    leaving = set() if leaves is None else set(np.flatnonzero(leaves.any(axis=1)).tolist())
    limit, other = np.empty_like(last), np.empty_like(last)
    passes, quicker = np.empty(last.shape, bool), np.empty(last.shape, bool)
    for k in range(len(times)):
        new, own = reached[k], pace[k]
        np.subtract(last_pace, own, out=other)
        np.greater(other, threshold[k], out=quicker)
        np.less(new, last, out=passes)
        passes &= quicker
        np.copyto(limit, last)
        np.copyto(limit, second, where=passes)
        limit += min_gap
        np.maximum(new, limit, out=new)
        seen = new
        if leaves is not None and k in leaving:
            seen = np.where(leaves[k], np.float32(-np.inf), new)
        np.greater_equal(seen, last, out=quicker)
        np.copyto(last_pace, own, where=quicker)
        np.minimum(last, seen, out=other)
        np.maximum(second, other, out=second)
        np.maximum(last, seen, out=last)
    return reached


def _drive_one(
    times: Floats,
    pace: Floats,
    lost: Floats,
    threshold: Floats,
    min_gap: Floats,
    head: Floats,
    leaves: NDArray[np.bool_] | None,
) -> Floats:
    """The same for a single simulation, in plain numbers: the calls of numpy would cost more than the work."""
    gap, last, second, last_pace = float(min_gap[0]), float(head[0]), -np.inf, 0.0
    gone = leaves[:, 0].tolist() if leaves is not None else [False] * len(times)
    columns = (times[:, 0].tolist(), pace[:, 0].tolist(), lost[:, 0].tolist(), threshold[:, 0].tolist(), gone)
    reached = []
    for time, own, loss, needed, leaves_track in zip(*columns, strict=True):
        new = time + own + loss
        limit = last + gap
        if new < last and last_pace - own > needed:
            limit = second + gap
        if new < limit:
            new = limit
        reached.append(new)
        if leaves_track:
            continue
        if new >= last:
            second, last, last_pace = last, new, own
        else:
            second = max(second, new)
    return np.array(reached, np.float32)[:, None]

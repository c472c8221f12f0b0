"""Retraining: a challenger is trained on all results, and takes the champion's place only if it is not worse.

For every target that has models of its own, and every stage: the champion is the version the production pointer names, the
challenger the same recipe or another one trained on everything that is known now. What is compared is never how well they
fit races they learned from, but the walk-forward score of their recipes on settled races (:mod:`f1core.walk_forward`), by
the rule of :mod:`f1core.challenge`. Where both are of one recipe the score is the same by construction, and the challenge
is about freshness alone.

Order of writing, under the writer lock: the challenger's version, the record of the challenge, the pointer, the tables. A
process killed at any line leaves the old pointer, and the next run goes on with the challenger that is stored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import polars as pl

from f1core.challenge import Decision, judge
from f1core.challenge_records import ChallengeRecords, ChallengeReport, write_challenges
from f1core.champion import Champion, champion_of, place_of, pointer_fault, set_pointer_aside
from f1core.drift import remeasure_drift
from f1core.parallel import run_tasks
from f1core.targets import TRAINED, placed, rules_of
from f1core.training import (
    FittedStage,
    extract_missing,
    fit_stage,
    latest_baseline,
    placed_words,
    recipe_version,
    save_stage,
    trained_places,
    training_version,
)
from f1core.walk_forward import WalkForward
from f1core.workspace import Workspace
from models.registry import BY_HAND, Manifest
from warehouse.errors import ModelArtifactError, NotReady
from warehouse.lock import writer_lock
from warehouse.store import Store
from warehouse.vocab import Stage, Target

LOCK_WAIT_S = 60.0
Place = tuple[Target, Stage]
Progress = Callable[[str, int], None]


def _silent(_words: str, _done: int) -> None:
    return None


def retrain(
    workspace: Workspace,
    *,
    stages: Sequence[Stage] = tuple(Stage),
    targets: Sequence[Target] = TRAINED,
    workers: int | None = None,
    force: bool = False,
    progress: Progress = _silent,
) -> list[ChallengeReport]:
    """Trains a challenger for every target and stage that is not current, and promotes those that are not worse.

    Takes the locks itself: the caller holds none.

    Args:
        workspace: The installation, with the system's clock, or a rehearsal.
        stages: Stages to train, as far as a target has them.
        targets: Targets to train; one that learns from another has no models of its own.
        workers: Processes at most; None: as in the settings.
        force: Promote whatever the comparison says; the record says so.
        progress: Told what was finished, and how many models since the last call.

    Returns:
        One report a target and stage, in their order.

    Raises:
        NotReady: The clock is simulated, there are no results, or facts or the pointer changed meanwhile; nothing was
            promoted that was not decided on what is there now.
        LockHeld: Another process is writing or training.
        ModelArtifactError: The registry cannot be written, or was written by a newer version of the product.
    """
    if not workspace.is_live:
        raise NotReady("Only the machine's real clock can train.", hint="Leave --as-of out.")
    work = workspace
    if workers is not None:
        settings = workspace.settings.model_copy(update={"workers": workers})
        work = Workspace(settings, workspace.clock, rehearsal=workspace.rehearsal)
    locks = work.settings.locks_root
    with writer_lock(locks, holder="retrain"):
        pass  # whoever is writing is named now, not after minutes of work
    with writer_lock(locks, holder="retrain", name="training"):
        reports = _Retraining(work, force, progress).run(trained_places(stages, targets))
    if any(report.is_new for report in reports):
        remeasure_drift(work)
    return reports


class _Retraining:
    """One run over some targets and stages.

    Args:
        work: The installation.
        force: Promote in any case.
        progress: As in :func:`retrain`.
    """

    def __init__(self, work: Workspace, force: bool, progress: Progress) -> None:
        self.work = work
        self.force = force
        self.progress = progress
        self.registry = work.registry
        self.records = ChallengeRecords(work.settings.models_root)
        self.walk_forward = WalkForward(work)
        self.now = work.clock.now()
        self.labels = {
            target: work.labels_of(target).filter(pl.col("known_at") < self.now) for target in TRAINED
        }
        self.versions = {
            target: training_version(work.features, labels) for target, labels in self.labels.items()
        }
        self.recipe = recipe_version()
        self.pointer_fault = pointer_fault(work.registry)

    def run(self, places: Sequence[Place]) -> list[ChallengeReport]:
        """Challenges every target and stage; see :func:`retrain`."""
        if self.labels[Target.RACE].is_empty():
            raise NotReady("No race has a result yet: there is nothing to learn from.")
        champions = {
            (target, stage): champion_of(self.registry, stage, self.pointer_fault, target)
            for target, stage in places
        }
        reports = {}
        for place, champion in champions.items():
            known = self._known_end(place, champion)
            if known is not None:
                reports[place] = known
                self.progress(f"{placed_words(*place)}: {known.decision.value.replace('_', ' ')}", 1)
        todo = [place for place in places if place not in reports]
        if todo:
            for target in TRAINED:
                extract_missing(self.work, [stage for one, stage in todo if one is target], target=target)
            stored = {place: found for place in todo if (found := self._stored(place)) is not None}
            for place in todo:
                if place in stored:
                    reports[place] = self._challenge(place, champions[place], stored[place])
            for fitted in self._fit([place for place in todo if place not in stored]):
                place = (fitted.target, fitted.stage)
                reports[place] = self._challenge(place, champions[place], fitted)
        return [reports[place] for place in places]

    # What is there ------------------------------------------------------------------------------------------------

    def _known_end(self, place: Place, champion: Champion) -> ChallengeReport | None:
        """The report of a target and stage for which nothing has to be trained."""
        target, stage = place
        if champion.version is None or champion.manifest is None or champion.fault:
            return None
        if champion.manifest.data_version == self.versions[target]:
            if not self._has_baselines(place):
                return None
            reason = "Made from the same facts by the same recipe."
            return self._report(place, Decision.CURRENT, reason, champion, champion.manifest, is_new=False)
        if self.force:
            return None
        rolled_back = self._rolled_back_from(place)
        if rolled_back is not None:
            reason = f"{rolled_back.version} was taken out of production; the next facts or another recipe are waited for."
            return self._report(place, Decision.ROLLED_BACK, reason, champion, rolled_back, is_new=False)
        return self.records.refusal(stage, self.versions[target], champion.version, target)

    def _rolled_back_from(self, place: Place) -> Manifest | None:
        """The version of these facts and this recipe that somebody took out of production."""
        target, stage = place
        history = self.registry.history(target.value, stage.value)
        for later, earlier in zip(reversed(history), reversed(history[:-1]), strict=False):
            if later["action"] not in ("rollback", BY_HAND):
                return None
            try:
                manifest = self.registry.manifest(earlier["version"])
            except ModelArtifactError:
                continue
            if manifest.data_version == self.versions[target]:
                return manifest
        return None

    def _stored(self, place: Place) -> Manifest | None:
        """A challenger of these facts and this recipe that an earlier run stored."""
        target, stage = place
        if not self._has_baselines(place):
            return None
        for manifest in reversed(self.registry.list()):
            is_wanted = (
                manifest.model == rules_of(target).model
                and manifest.target == target.value
                and stage.value in manifest.stages
                and manifest.data_version == self.versions[target]
            )
            if is_wanted and self._is_intact(manifest.version):
                return manifest
        return None

    def _has_baselines(self, place: Place) -> bool:
        target, stage = place
        names = rules_of(target).baselines[stage]
        return all(latest_baseline(self.registry, name, stage, target) is not None for name in names)

    def _is_intact(self, version: str) -> bool:
        try:
            self.registry.load(version)
        except ModelArtifactError:
            return False
        return True

    # The challenge ------------------------------------------------------------------------------------------------

    def _fit(self, places: Sequence[Place]) -> Iterator[FittedStage]:
        snapshot = self.work.reader.snapshot.id
        tasks = [(self.work.settings, snapshot, stage, self.now, target) for target, stage in places]
        return run_tasks(fit_stage, tasks, self.work.settings.workers)

    def _challenge(
        self, place: Place, champion: Champion, challenger: FittedStage | Manifest
    ) -> ChallengeReport:
        target, _ = place
        report = self._decide(place, champion, challenger)
        with self._writing() as store:
            self._require_unchanged(place, champion)
            if isinstance(challenger, FittedStage):
                saved = save_stage(
                    self.registry,
                    challenger,
                    self.versions[target],
                    at=self.now,
                    metrics=self.walk_forward.measured(challenger.stage, target),
                )
                report = replace(report, challenger=saved)
            self.records.add(report)
            if report.is_promoted:
                self._promote(report.challenger)
            self._keep_scores(report)
            write_challenges(store, self.records)
            if store.changed:
                store.publish(now=self.work.clock.now())
        self.progress(f"{placed_words(*place)}: {'promoted' if report.is_promoted else 'refused'}", 1)
        return report

    def _decide(
        self, place: Place, champion: Champion, challenger: FittedStage | Manifest
    ) -> ChallengeReport:
        target, stage = place
        if champion.fault:
            return self._report(
                place,
                Decision.CHAMPION_UNUSABLE,
                f"The champion cannot be used: {champion.fault}",
                champion,
                challenger,
            )
        if champion.version is None:
            return self._report(place, Decision.FIRST, "No model was in production.", champion, challenger)
        if champion.recipe == self.recipe:
            return self._report(
                place, Decision.SAME_RECIPE, self._more_data(champion, challenger), champion, challenger
            )
        judged_on = self.walk_forward.judged_on(champion.recipe, stage, target)
        extract_missing(self.work, (judged_on,), target=target)
        pairs = self.walk_forward.pairs(
            champion.recipe, judged_on, lambda words, _done: self.progress(words, 0), target
        )
        judgement = judge(pairs)
        decision, reason = judgement.decision, judgement.reason
        if self.force and not decision.promotes:
            decision, reason = Decision.FORCED, f"Promoted by hand against the rule. {reason}"
        return replace(
            self._report(place, decision, reason, champion, challenger),
            judged_on=judged_on,
            differences=judgement.differences,
            races=tuple(pairs.to_dicts()),
        )

    def _more_data(self, champion: Champion, challenger: FittedStage | Manifest) -> str:
        count = self._count_events(challenger)
        more = count - self._count_events(champion.manifest) if champion.manifest else 0
        words = f"{abs(more)} {'more' if more > 0 else 'fewer'} than the champion"
        if more == 0:
            words = "as many as the champion, with facts that changed since"
        return (
            f"Same recipe: more data. Learned from {count} races, {words}; the walk-forward score is the same "
            "by construction, so nothing was compared."
        )

    def _report(
        self,
        place: Place,
        decision: Decision,
        reason: str,
        champion: Champion,
        challenger: FittedStage | Manifest,
        *,
        is_new: bool = True,
    ) -> ChallengeReport:
        target, stage = place
        return ChallengeReport(
            target=target,
            stage=stage,
            decision=decision,
            reason=reason,
            challenged_at=self.work.clock.now(),
            champion=champion.version,
            challenger=challenger.version if isinstance(challenger, Manifest) else "",
            champion_recipe=champion.recipe,
            challenger_recipe=self.recipe,
            training_version=self.versions[target],
            cutoff=challenger.cutoff,
            count_events=self._count_events(challenger),
            is_new=is_new,
        )

    def _count_events(self, model: FittedStage | Manifest) -> int:
        if isinstance(model, FittedStage):
            return model.count_events
        # A stored cut-off is cut to the second: the last race learned from was known in that very second.
        labels = self.labels[Target(model.target)]
        return labels.filter(pl.col("known_at") <= model.cutoff)["event_id"].n_unique()

    # Writing ------------------------------------------------------------------------------------------------------

    @contextmanager
    def _writing(self) -> Iterator[Store]:
        with writer_lock(self.work.settings.locks_root, holder="retrain", wait_s=LOCK_WAIT_S):
            yield Store(self.work.settings.warehouse_root)

    def _require_unchanged(self, place: Place, champion: Champion) -> None:
        """Refuses what was decided on facts or against a champion that are no longer there."""
        target, stage = place
        fresh = self.work.again()
        labels = fresh.labels_of(target).filter(pl.col("known_at") < self.now)
        if training_version(fresh.features, labels) != self.versions[target]:
            raise NotReady("Facts changed while models were trained on them.", hint="Run it again.")
        present = None if self.pointer_fault else self.registry.production().get(place_of(stage, target))
        if not self.pointer_fault and present != champion.version:
            raise NotReady(
                f"Another model went into production for {placed(target, stage)} meanwhile.",
                hint="Run it again.",
            )

    def _promote(self, version: str) -> None:
        if self.pointer_fault:
            set_pointer_aside(self.registry)
            self.pointer_fault = ""
        self.registry.promote(version, at=self.now)

    def _keep_scores(self, report: ChallengeReport) -> None:
        """Keeps the challenger's walk-forward scores: once its code is gone they cannot be made again."""
        if report.judged_on is not None:
            self.walk_forward.keep_present(report.judged_on, report.target)


def challenge_words(report: ChallengeReport) -> str:
    """A report in one line."""
    place = placed(report.target, report.stage)
    if report.decision is Decision.CURRENT:
        return f"{place}: {report.in_production} ({report.count_events} races, current)"
    verb = "promoted" if report.is_promoted else "not promoted"
    when = "" if report.is_new else f" (decided {report.challenged_at:%Y-%m-%d %H:%M} UTC)"
    return (
        f"{place}: {report.challenger} {verb}{when}; {report.in_production} is in production. {report.reason}"
    )

"""Commands about stored models: ``models list``, ``models show``, ``models promote`` and ``models rollback``."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from jobs.options import AsJson, answer, workspace
from warehouse.errors import NotReady, ParcFermeError
from warehouse.vocab import Stage, Target

app = typer.Typer(
    help="Stored models: list and show them, put one into production, go back to the one before.\n\n"
    "Example: python -m jobs models list --stage pre_race",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)

Version = Annotated[
    str, typer.Argument(help="A version, as `models list` has it, or a beginning that is unique.")
]
SureOption = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


class UnknownVersion(ParcFermeError):
    """No stored model has the name that was typed, or several begin with it."""

    exit_code = 2


@app.command("list")
def list_models(
    target: Annotated[Target | None, typer.Option("--target", help="Only of this target.")] = None,
    stage: Annotated[Stage | None, typer.Option("--stage", help="Only of this stage.")] = None,
    model: Annotated[str | None, typer.Option("--model", help="Only this model, e.g. joint or grid.")] = None,
    as_json: AsJson = False,
) -> None:
    """List every stored version, the newest first, and which of them are in production.

    Example: python -m jobs models list --target race --stage pre_race
    """
    from rich.table import Table

    from jobs.tables import render

    registry = workspace().registry
    in_production = set(registry.production().values())
    rows = [
        _line(manifest, manifest.version in in_production)
        for manifest in reversed(registry.list())
        if (target is None or manifest.target == target)
        and (stage is None or stage.value in manifest.stages)
        and model in (None, manifest.model)
    ]
    table = Table(title="Stored models, the newest first", title_justify="left")
    for heading in ("target", "stage", "model", "knows before", "trained (UTC)", "in production", "version"):
        table.add_column(heading, no_wrap=heading == "version")
    for row in rows:
        table.add_row(
            row["target"],
            ", ".join(row["stages"]),
            row["model"],
            row["cutoff"][:16].replace("T", " "),
            row["created_at"][:16].replace("T", " "),
            "yes" if row["is_in_production"] else "",
            row["version"],
        )
    answer(rows, as_json, render(table) if rows else "No model is stored. Run `python -m jobs train`.")


@app.command()
def show(version: Version, as_json: AsJson = False) -> None:
    """Show all that is known of a version: cut-off, features, data, seeds, metrics, revision, files, history.

    `metrics` are the walk-forward scores of its recipe when it was trained, null where not measured; `walk_forward` are
    those that are known of its recipe by now.

    Example: python -m jobs models show race-pre_race-joint
    """
    from f1core.training import recipe_of
    from f1core.walk_forward import WalkForward

    work = workspace()
    manifest = work.registry.manifest(_resolved(version))
    target, stages = Target(manifest.target), [Stage(name) for name in manifest.stages]
    production = work.registry.production()
    recipe, forward = recipe_of(manifest), WalkForward(work)
    scores = {stage: forward.scores(recipe, stage, target) for stage in stages}
    is_ours = bool(manifest.feature_names)
    data: dict[str, Any] = {
        **manifest.to_json(),
        "recipe": recipe,
        "in_production": sorted(key for key, name in production.items() if name == manifest.version),
        "history": [
            {"place": f"{target.value}/{stage.value}", **step}
            for stage in stages
            for step in work.registry.history(target.value, stage.value)
            if step["version"] == manifest.version
        ],
        "walk_forward": {
            stage.value: {"count_races": found.height, **found.drop("event_id", "kind").mean().to_dicts()[0]}
            for stage, found in scores.items()
            if is_ours and found.height
        },
    }
    answer(data, as_json, _text(data))


@app.command()
def promote(version: Version, yes: SureOption = False, as_json: AsJson = False) -> None:
    """Put a version into production by hand, whatever a challenge would say; the history says that it was chosen.

    It stays until facts or recipe change: the version that was there before does not come back by itself.

    Example: python -m jobs models promote race-pre_race-joint-20260628-0a1b2c3d4e --yes
    """
    from f1core.model_registry import promote_by_hand

    work = workspace()
    chosen = _resolved(version)
    manifest = work.registry.manifest(chosen)
    _confirm(f"Put {chosen} into production for {', '.join(manifest.keys)}?", yes=yes)
    before = promote_by_hand(work, chosen)
    lines = [
        f"{key}: {chosen} is in production{f', in place of {old}' if old and old != chosen else ''}."
        for key, old in before.items()
    ]
    data = {"version": chosen, "places": [{"place": key, "before": old} for key, old in before.items()]}
    answer(data, as_json, "\n".join([*lines, FOLLOW]))


@app.command()
def rollback(
    target: Annotated[Target, typer.Option("--target", help="race or qualifying.")],
    stage: Annotated[Stage, typer.Option("--stage", help="The stage.")],
    yes: SureOption = False,
    as_json: AsJson = False,
) -> None:
    """Put the version before the present one back into production; repeated, it goes back further.

    Example: python -m jobs models rollback --target race --stage pre_race
    """
    from f1core.model_registry import roll_back
    from models.registry import production_key

    work = workspace()
    _require_place(target, stage)
    present = work.registry.production().get(production_key(target.value, stage.value))
    work.registry.before(target.value, stage.value)
    _confirm(f"Take {present} out of production for {target.value}/{stage.value}?", yes=yes)
    version = roll_back(work, target, stage)
    data = {"target": target.value, "stage": stage.value, "version": version, "before": present}
    answer(
        data,
        as_json,
        f"{target.value}/{stage.value}: {version} is in production again, in place of {present}.\n{FOLLOW}",
    )


FOLLOW = "Forecasts of coming events follow with the next `python -m jobs predict` or run of the scheduler."


def _resolved(version: str) -> str:
    """The full name of a version; a beginning will do when only one version has it."""
    names = [manifest.version for manifest in workspace().registry.list()]
    if version in names:
        return version
    found = [name for name in names if name.startswith(version)]
    if len(found) == 1:
        return found[0]
    if found:
        raise UnknownVersion(
            f"{version} is the beginning of {len(found)} versions.",
            hint=f"Which one? {', '.join(found[:5])}{' …' if len(found) > 5 else ''}",
        )
    # A damaged version is in no list, yet what is wrong with it should be said.
    registry = workspace().registry
    if (registry.root / "versions" / version).is_dir():
        registry.load(version)
    raise UnknownVersion(
        f"There is no model version {version}.", hint="`python -m jobs models list` has them all."
    )


def _require_place(target: Target, stage: Stage) -> None:
    from f1core.targets import rules_of

    rules = rules_of(target)
    if rules.learns_from is not target:
        raise NotReady(
            f"There are no models of {target.value}: it is forecast by those of the {rules.learns_from.value}.",
            hint=f"Use --target {rules.learns_from.value}.",
        )
    if stage not in rules.stages:
        raise NotReady(
            f"There are no {target.value} models at stage {stage.value}.",
            hint=f"Stages: {', '.join(one.value for one in rules.stages)}.",
        )


def _confirm(question: str, *, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise ParcFermeError("Nothing was changed: nobody is there to ask.", hint="Add --yes.")
    typer.confirm(question, abort=True, err=True)


def _line(manifest: Any, is_in_production: bool) -> dict[str, Any]:
    content = manifest.to_json()
    names = ("version", "target", "stages", "model", "cutoff", "created_at", "data_version", "git_revision")
    return {
        **{name: content[name] for name in names},
        "count_features": len(manifest.feature_names),
        "is_in_production": is_in_production,
    }


def _text(data: dict[str, Any]) -> str:
    seeds = ", ".join(f"{name} {value}" for name, value in data["seeds"].items()) or "none"
    lines = [
        data["version"],
        f"  model          {data['model']}, {data['target']} at {', '.join(data['stages'])}",
        f"  in production  {', '.join(data['in_production']) or 'no'}",
        f"  cut-off        {data['cutoff']}",
        f"  trained        {data['created_at']}, revision {data['git_revision'] or 'unknown'}",
        f"  data version   {data['data_version'] or 'unknown'}",
        f"  seeds          {seeds}",
        f"  features       {len(data['feature_names'])}: {', '.join(data['feature_names']) or 'none, a baseline'}",
        "  files",
        *(f"    {digest}  {name}" for name, digest in sorted(data["files"].items())),
        "  walk-forward scores of its recipe when it was trained",
        *(
            f"    {name:22s} {_number(value)}"
            for name, value in data["metrics"].items() or {"none": None}.items()
        ),
    ]
    for stage, found in data["walk_forward"].items():
        lines.append(f"  walk-forward scores of its recipe by now, {stage}")
        lines += [f"    {name:22s} {_number(value)}" for name, value in found.items()]
    if data["history"]:
        lines.append("  history")
        lines += [f"    {step['at']}  {step['place']}  {step['action']}" for step in data["history"]]
    return "\n".join(lines)


def _number(value: float | None) -> str:
    if value is None:
        return "not measured"
    return f"{value:.0f}" if float(value).is_integer() and abs(value) > 1 else f"{value:.4f}"

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ganbench.errors import BadInput, StoreError
from ganbench.files import write_json
from ganbench.results import Results, load
from ganbench.store import Outcome, Store

HEADLINE = "fd[n=50,all]"


class Shelf:
    """A store filled by hand."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.store = Store(path, create=True)

    def add(
        self,
        key: str,
        scores: list[float | None] = (),
        outcome: str = "completed",
        cell: str = "cell",
        direction: str = "lower",
        labels: dict[str, str] | None = None,
        seed: int = 0,
        machine: str = "m1",
        noise: float | None = None,
        more: dict[str, float] | None = None,
        alike: bool = False,
        **details: Any,
    ) -> None:
        """Plan a run; where there are scores or an outcome, note them, 100 images apart."""
        texts = {
            "objective": "nonsat", "schedule": "k-step", "dataset": "ring", "architecture": "mlp",
            "protocol": "quick", **(labels or {}),
        }  # fmt: skip
        parts = {n: {"name": t, "short": t, "fields": {}} for n, t in texts.items()}
        recipe = {**parts, "objective": texts["objective"]}
        recipe["dataset"]["fingerprint"] = "f" * 64
        run = self.store.run(key)
        run.plan({**recipe, "seed": seed, "cell": cell, "key": key})
        if not scores and not outcome:
            return
        run.begin_attempt()
        run.append_event(
            {
                "event": "started",
                "columns": [
                    {"name": HEADLINE, "direction": direction},
                    *({"name": name, "direction": "higher"} for name in more or {}),
                ],
            }
        )
        for number, score in enumerate(scores):
            clock = {"generator_steps": number, "images": 100 * number}
            scored = {"metrics": {HEADLINE: score, **(more or {})}, "noise": {HEADLINE: noise}}
            run.append_event({"event": "evaluated", **clock, **scored, "alike": alike})
        run.save_environment({"machine": machine})
        if outcome:
            run.finish(Outcome(outcome), **details)


@pytest.fixture
def shelf(tmp_path) -> Shelf:
    return Shelf(tmp_path / "store")


def only(results: Results, **of: object) -> dict[str, Any]:
    (row,) = results.table().to_dict("records")
    return row


def test_a_cell_is_the_mean_over_its_seeds_with_a_t_interval(shelf):
    """Finals 1, 2, 3: 2 +- 4.302653 / sqrt(3). Bests 1, 1.5, 0.5: 1 +- 4.302653 / 2 / sqrt(3)."""
    shelf.add("a", [9.0, 5.0, 1.0], seed=0, seconds=10.0)
    shelf.add("b", [9.0, 1.5, 2.0], seed=1, seconds=20.0)
    shelf.add("c", [9.0, 0.5, 3.0], seed=2, seconds=60.0)
    row = only(Results(shelf.path))
    assert row["final"] == 2.0
    assert row["final_interval"] == pytest.approx(4.302652730 / math.sqrt(3))
    assert row["best"] == 1.0
    assert row["best_interval"] == pytest.approx(4.302652730 / 2 / math.sqrt(3))
    assert (row["finished"], row["planned"]) == (3, 3)
    assert row["seconds"] == 30.0
    assert row["metric"] == HEADLINE
    assert row["notes"] == ""


@pytest.mark.parametrize(("direction", "best"), [("lower", 1.0), ("higher", 9.0)])
def test_the_best_is_so_by_the_metrics_direction(shelf, direction, best):
    shelf.add("a", [4.0, 1.0, 9.0, 3.0], direction=direction)
    row = only(Results(shelf.path))
    assert (row["final"], row["best"]) == (3.0, best)


def test_below_three_seeds_there_is_no_interval(shelf):
    shelf.add("a", [1.0], seed=0)
    shelf.add("b", [3.0], seed=1)
    row = only(Results(shelf.path))
    assert row["final"] == 2.0
    assert math.isnan(row["final_interval"])


def test_runs_that_did_not_complete_are_counted_noted_and_not_averaged(shelf):
    shelf.add("a", [1.0, 2.0], seed=0)
    shelf.add("b", [1.0, 400.0], "diverged", seed=1, step=812)
    shelf.add("c", [1.0, 500.0], "diverged", seed=2, step=90)
    shelf.add("d", [1.0], "plugin_error", seed=3, error="ValueError: boom")
    shelf.add("e", [], "out_of_memory", seed=4)
    shelf.add("f", [], "", seed=5)
    row = only(Results(shelf.path))
    assert (row["finished"], row["planned"]) == (1, 6)
    assert row["final"] == 2.0
    assert row["notes"] == (
        "2 diverged (step 812, 90); 1 not started; 1 out of memory; 1 plugin error"
    )


def test_a_cell_without_any_result_is_a_row(shelf):
    shelf.add("a", [], "")
    row = only(Results(shelf.path))
    assert (row["finished"], row["planned"], row["metric"]) == (0, 1, "")
    assert math.isnan(row["final"])
    assert math.isnan(row["best"])
    assert math.isnan(row["seconds"])
    assert row["notes"] == "1 not started"


def test_a_row_per_planned_run(shelf):
    shelf.add("a", [4.0, 1.0, 2.0], seed=0, generator_steps=7, images=700, seconds=1.5)
    shelf.add("b", [4.0, 1.0], "diverged", seed=1, step=12, error="D is not finite")
    shelf.add("c", [4.0], "", seed=2)
    rows = Results(shelf.path).runs().set_index("run")
    assert list(rows.index) == ["a", "b", "c"]
    assert list(rows["outcome"]) == ["completed", "diverged", "interrupted"]
    assert rows.loc["a", ["untrained", "final", "best"]].tolist() == [4.0, 2.0, 1.0]
    assert rows.loc["a", ["generator_steps", "images", "seconds"]].tolist() == [7, 700, 1.5]
    assert rows["untrained"].tolist() == [4.0, 4.0, 4.0]
    assert rows.loc[["b", "c"], ["final", "best"]].isna().all(axis=None)
    assert rows.loc["b", ["diverged_at", "error"]].tolist() == [12, "D is not finite"]
    assert list(rows["seed"]) == [0, 1, 2]


def test_a_final_score_that_is_no_number_is_not_replaced_by_an_earlier_one(shelf):
    shelf.add("a", [4.0, 1.0, None])
    row = Results(shelf.path).runs().iloc[0]
    assert math.isnan(row["final"])
    assert row["best"] == 1.0
    assert row["untrained"] == 4.0


def test_an_untrained_score_that_is_no_number_is_not_replaced_by_a_later_one(shelf):
    shelf.add("a", [None, 1.0, 2.0])
    row = Results(shelf.path).runs().iloc[0]
    assert math.isnan(row["untrained"])
    assert row["final"] == 2.0


def test_unequal_cells_are_never_pooled(shelf):
    """Same labels, unequal recipes, such as another version of the maths."""
    shelf.add("a", [1.0], cell="old")
    shelf.add("b", [3.0], cell="new")
    table = Results(shelf.path).table()
    assert sorted(table["final"]) == [1.0, 3.0]
    assert list(table["planned"]) == [1, 1]


def test_a_cell_has_its_own_speed_and_no_others(shelf):
    shelf.add("a", [1.0], cell="timed", labels={"objective": "minimax"})
    shelf.add("b", [1.0], cell="untimed")
    rates = {
        "images_per_second": 1500.0, "generator_steps_per_second": 23.5, "flops_per_second": 2e9,
        "peak_share": 0.25, "peak_memory_bytes": 2**28,
    }  # fmt: skip
    for machine, measured in (("m1", rates), ("m2", {"peak_share": 0.5})):
        record = {"cell": "timed", "environment": {"machine": machine}, **measured}
        write_json(shelf.store.throughput_path("timed", machine), record)
    timed, untimed = Results(shelf.path).table().to_dict("records")
    assert {name: timed[name] for name in rates} == rates
    assert all(math.isnan(untimed[name]) for name in rates)


def test_speeds_of_two_machines_are_not_pooled(shelf):
    for machine in ("m1", "m2"):
        shelf.add(machine, [1.0], machine=machine, seed=int(machine[1]))
        record = {"cell": "cell", "environment": {"machine": machine}, "peak_share": 0.5}
        write_json(shelf.store.throughput_path("cell", machine), record)
    row = only(Results(shelf.path))
    assert math.isnan(row["peak_share"])
    assert row["notes"] == "run on 2 machines or settings, whose speeds are not pooled"


def test_rows_that_are_named_alike_are_told_apart_by_their_recipes(shelf):
    shelf.add("a", [1.0], cell="0123456789")
    shelf.add("b", [2.0], cell="abcdefghij")
    assert sorted(Results(shelf.path).table()["notes"]) == ["recipe 01234567", "recipe abcdefgh"]


def test_the_untrained_generator_is_not_the_best(shelf):
    shelf.add("a", [0.5, 3.0, 2.0])
    row = only(Results(shelf.path))
    assert (row["final"], row["best"]) == (2.0, 2.0)


def grid(shelf: Shelf) -> None:
    for number, (loss, dataset, k) in enumerate(
        [("nonsat", "ring", 5), ("minimax", "ring", 1), ("nonsat", "digits", 1)]
    ):
        labels = {"objective": loss, "dataset": dataset, "schedule": f"k-step:k={k}"}
        shelf.add(str(number), [1.0], cell=str(number), labels=labels)


@pytest.mark.parametrize(
    ("by", "columns", "rows"),
    [
        (
            (),
            ["loss", "schedule", "dataset", "architecture", "protocol"],
            [("nonsat", "digits"), ("minimax", "ring"), ("nonsat", "ring")],
        ),
        (
            ("loss",),
            ["loss", "schedule", "dataset", "architecture", "protocol"],
            [("minimax", "ring"), ("nonsat", "digits"), ("nonsat", "ring")],
        ),
        (
            ("schedule", "dataset"),
            ["schedule", "dataset", "loss", "architecture", "protocol"],
            [("nonsat", "digits"), ("minimax", "ring"), ("nonsat", "ring")],
        ),
    ],
)
def test_by_sorts_and_puts_first(shelf, by, columns, rows):
    grid(shelf)
    table = Results(shelf.path).table(by)
    assert list(table.columns[:5]) == columns
    assert list(zip(table["loss"], table["dataset"], strict=True)) == rows
    assert list(table.index) == [0, 1, 2]


def test_sorting_by_what_is_no_label_is_refused(shelf):
    with pytest.raises(
        BadInput, match=r"no column to sort by is called 'los'. Did you mean 'loss'"
    ):
        Results(shelf.path).table(["los"])


def test_some_runs_of_a_store(shelf):
    grid(shelf)
    assert list(Results(shelf.path, ["0", "2"]).runs()["run"]) == ["0", "2"]
    assert len(Results(shelf.path, []).table()) == 0
    assert len(load(shelf.path).table()) == 3


def test_the_frame_has_a_row_per_run_step_and_metric(shelf):
    shelf.add("a", [4.0, None], "")
    run = shelf.store.run("a")
    losses = {"discriminator_loss": 1.25, "generator_loss": 0.5, "value": -1.386}
    clock = {"generator_steps": 2, "discriminator_steps": 4, "images": 256, "seconds": 0.5}
    run.append_event({"event": "progress", "share": 0.5, **clock, **losses})
    run.append_event({"event": "progress", **clock, "generator_loss": 0.25})
    frame = Results(shelf.path).frame()
    assert list(zip(frame["metric"], frame["generator_steps"], strict=True)) == [
        (HEADLINE, 0), (HEADLINE, 1), ("discriminator_loss", 2), ("generator_loss", 2),
        ("value", 2), ("generator_loss", 2),
    ]  # fmt: skip
    assert frame["value"].dtype == float
    assert frame["value"].fillna(-99).tolist() == [4.0, -99, 1.25, 0.5, -1.386, 0.25]
    assert set(frame["run"]) == {"a"}
    assert set(frame["loss"]) == {"nonsat"}
    assert frame.loc[2, ["images", "seconds", "discriminator_steps"]].tolist() == [256, 0.5, 4]


def test_the_noise_of_one_evaluation_is_apart_from_the_spread_over_seeds(shelf):
    """Finals 1, 2, 3 with noise 0.3, 0.4, 1.2: root mean square sqrt(1.69 / 3)."""
    for seed, noise in enumerate((0.3, 0.4, 1.2)):
        shelf.add(f"{seed}", [9.0, 1.0 + seed], seed=seed, noise=noise)
    results = Results(shelf.path)
    row = only(results)
    assert row["noise"] == pytest.approx(math.sqrt(1.69 / 3))
    assert row["final_interval"] == pytest.approx(4.302652730 / math.sqrt(3))
    assert results.runs()["noise"].tolist() == [0.3, 0.4, 1.2]
    assert results.frame()["noise"].tolist() == [0.3, 0.3, 0.4, 0.4, 1.2, 1.2]


def test_without_noise_there_is_none(shelf):
    shelf.add("a", [9.0, 1.0])
    assert math.isnan(only(Results(shelf.path))["noise"])
    shelf.add("b", [9.0, 2.0], "diverged", noise=0.5, seed=1)
    assert math.isnan(only(Results(shelf.path))["noise"])


def test_any_metric_can_have_the_table(shelf):
    shelf.add("a", [9.0, 1.0], noise=0.5, more={"kid[n=50,all]": 0.25, "kids[n=50,all]": 1.0})
    results = Results(shelf.path)
    (row,) = results.table(metric="kid").to_dict("records")
    assert (row["metric"], row["final"], row["best"]) == ("kid[n=50,all]", 0.25, 0.25)
    assert math.isnan(row["noise"])
    assert only(results)["metric"] == HEADLINE


def test_a_name_of_several_columns_of_a_run_has_to_be_given_whole(shelf):
    shelf.add("a", [9.0, 1.0], more={"kid[n=50,all,raw]": 0.25, "kid[n=50,all,eyes]": 0.75})
    results = Results(shelf.path)
    with pytest.raises(BadInput) as refused:
        results.table(metric="kid")
    assert str(refused.value) == (
        "'kid' is several columns, so give the whole name of one:\n"
        "  'kid[n=50,all,raw]'\n"
        "  'kid[n=50,all,eyes]'"
    )
    (row,) = results.table(metric="kid[n=50,all,eyes]").to_dict("records")
    assert (row["metric"], row["final"]) == ("kid[n=50,all,eyes]", 0.75)


def test_a_name_of_one_column_in_each_run_is_a_table_for_each(shelf):
    shelf.add("a", [9.0, 1.0], more={"kid[n=50,all]": 0.25})
    shelf.add("b", [9.0, 1.0], cell="other", more={"kid[n=99,all]": 0.75})
    rows = Results(shelf.path).table(metric="kid").to_dict("records")
    assert [(row["metric"], row["final"]) for row in rows] == [
        ("kid[n=50,all]", 0.25), ("kid[n=99,all]", 0.75),
    ]  # fmt: skip


def test_a_run_without_the_metric_is_a_row_without_a_value(shelf):
    shelf.add("a", [9.0, 1.0], more={"kid[n=50,all]": 0.25})
    shelf.add("b", [9.0, 1.0], cell="other", labels={"dataset": "grid"})
    rows = Results(shelf.path).table(metric="kid").to_dict("records")
    assert [(row["dataset"], row["metric"]) for row in rows] == [
        ("grid", ""), ("ring", "kid[n=50,all]"),
    ]  # fmt: skip
    assert math.isnan(rows[0]["final"])


def test_a_metric_that_no_run_has_is_refused(shelf):
    shelf.add("a", [9.0, 1.0], more={"kid[n=50,all]": 0.25})
    with pytest.raises(BadInput, match=r"no metric of these runs is called 'kidd'.*'kid'"):
        Results(shelf.path).table(metric="kidd")


def test_a_generator_of_one_sample_is_noted(shelf):
    shelf.add("a", [9.0, 1.0], alike=True)
    shelf.add("b", [9.0, 2.0], seed=1)
    assert only(Results(shelf.path))["notes"] == "1 generated one sample over and over"


def test_a_torn_event_does_not_stop_a_table(shelf):
    shelf.add("a", [4.0, 2.0])
    with (shelf.store.run("a").path / "events.jsonl").open("ab") as file:
        file.write(b'{"event": "evalua')
    assert only(Results(shelf.path))["final"] == 2.0


STATUSES = {
    "begun": (lambda run: run.begin_attempt(), "interrupted"),
    "held": (lambda run: (run.begin_attempt(), run.lease().acquire()), "running"),
    "planned": (lambda run: None, "not started"),
}


@pytest.mark.parametrize("case", STATUSES)
def test_a_run_without_an_outcome_says_where_it_stands(shelf, case):
    prepare, status = STATUSES[case]
    shelf.add("a", outcome="")
    held = prepare(shelf.store.run("a"))
    results = Results(shelf.path)
    assert list(results.runs()["outcome"]) == [status]
    assert only(results)["notes"] == f"1 {status}"
    del held


DAMAGES = {
    "outcome.json": b"{",
    "events.jsonl": b"{\n",
    "environment.json": b"[]",
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_run_with_a_damaged_file_is_a_row_that_names_it(shelf, name):
    shelf.add("a", [9.0, 1.0])
    shelf.add("b", [9.0, 2.0], seed=1)
    path = shelf.store.run("b").path / name
    path.write_bytes(DAMAGES[name])
    results = Results(shelf.path)
    with pytest.warns(UserWarning, match=rf"^unreadable: '{path}' can't be read: .*repair"):
        row = results.runs().set_index("run").loc["b"]
    assert row["outcome"] == "unreadable"
    assert row["error"].startswith(f"'{path}' can't be read: ")
    assert math.isnan(row["final"])
    assert row["seed"] == 1
    with pytest.warns(UserWarning, match="unreadable"):
        row = only(results)
    assert (row["finished"], row["planned"], row["final"]) == (1, 2, 1.0)
    assert row["notes"] == "1 unreadable"
    with pytest.warns(UserWarning, match="unreadable"):
        assert set(results.frame()["run"]) == {"a"}


def test_runs_whose_recipes_are_damaged_are_one_warning_and_the_others_are_rows(shelf):
    for seed, key in enumerate("abcdef"):
        shelf.add(key, [9.0, 1.0], seed=seed)
    for key in "bcdef":
        (shelf.store.run(key).path / "recipe.json").write_bytes(b"{" * 9)
    results = Results(shelf.path)
    with pytest.warns(UserWarning, match="left out") as warned:
        assert list(results.runs()["run"]) == ["a"]
    (told,) = [str(warning.message) for warning in warned]
    first = shelf.store.run("b").path / "recipe.json"
    assert told.startswith(f"left out: '{first}' can't be read: ")
    assert told.endswith(f"; and 2 more. Mend the store with `ganbench store repair {shelf.path}`.")
    assert "\n" not in told


@pytest.mark.parametrize("lost", ["seed", "cell", "objective", "dataset"])
def test_a_recipe_that_lacks_what_a_row_needs_is_left_out(shelf, lost):
    shelf.add("a", [9.0, 1.0])
    path = shelf.store.run("a").path / "recipe.json"
    recipe = json.loads(path.read_bytes())
    del recipe[lost]
    write_json(path, recipe)
    with pytest.warns(UserWarning, match=f"it has no '{lost}'"):
        assert len(Results(shelf.path).runs()) == 0


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"images_per_second": "fast"}'])
def test_a_damaged_speed_is_left_out(shelf, content):
    shelf.add("a", [9.0, 1.0])
    path = shelf.store.throughput_path("cell", "m1")
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.warns(UserWarning, match=rf"^left out of the speeds: '{path}' can't be read"):
        row = only(Results(shelf.path))
    assert row["final"] == 1.0
    assert math.isnan(row["images_per_second"])


def test_no_speed_is_read_from_outside_the_store(shelf):
    write_json(shelf.path / "speed-m1.json", {"images_per_second": 5.0})
    write_json(shelf.store.throughput_path("cell", "m1"), {"images_per_second": 6.0})
    shelf.add("a", [9.0, 1.0], cell="../speed")
    assert math.isnan(only(Results(shelf.path))["images_per_second"])


def test_a_store_that_changes_is_read_anew(shelf):
    shelf.add("a", [9.0, 1.0], outcome="")
    results = Results(shelf.path)
    assert list(results.runs()["outcome"]) == ["interrupted"]
    shelf.store.run("a").finish(Outcome.COMPLETED)
    assert list(results.runs()["final"]) == [1.0]


def test_an_empty_store_has_empty_tables(shelf):
    results = load(shelf.path)
    assert len(results.runs()) == len(results.frame()) == len(results.table()) == 0
    assert "final" in results.table().columns


def test_what_is_no_store_is_refused(tmp_path):
    with pytest.raises(StoreError, match="is no ganbench store"):
        load(tmp_path)


@pytest.mark.parametrize("module", ["results", "rows", "tables", "statistics", "store"])
def test_tables_need_no_torch(module):
    code = f"import sys, ganbench.{module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

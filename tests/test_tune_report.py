"""What a search prints, writes and draws."""

import pytest
from test_tune_space import PAPERS_VALUES
from tiny_searches import build, search

from minicnn import tune
from minicnn.errors import ArgumentError
from minicnn.tune import figures
from minicnn.tune.report import trial_text
from minicnn.tune.results import Result

pytest.importorskip("optuna")
pytestmark = pytest.mark.usefixtures("no_fsync")

# The report in the paper, without the values that its network did not use.
PAPERS_REPORT = """\
Trial complete
Trial summary
|-Trial ID: 282b8091b5c30dc133ebf76117964e36
|-Score: 0.8085758090019226
|-Best step: 0
Hyperparameters:
|-conv_input_units: 96
|-conv_input_units_0: 96
|-conv_input_units_1: 224
|-dense_input_units: 320
|-num_conv_layers_1+: 2
"""


def papers_trial():
    return Result(
        0, "282b8091b5c30dc133ebf76117964e36", "complete", 0.8085758090019226, 0, 1.0,
        PAPERS_VALUES, {}, None,
    )  # fmt: skip


def test_the_report_is_the_papers():
    assert trial_text(papers_trial()) == PAPERS_REPORT
    names = [*PAPERS_VALUES, "conv_input_units_2"]
    assert trial_text(papers_trial(), names) == PAPERS_REPORT + "|-conv_input_units_2: (not used)\n"


def test_the_summary_shows_the_best_trials(tmp_path, capsys):
    tuner = search(tmp_path, max_trials=5)
    tuner.results_summary(2)
    text = capsys.readouterr().out
    assert f"|-Results in {tmp_path / 's'}\n|-Showing 2 best trials\n" in text
    assert text.count("Trial summary") == 2
    first, second = tuner.results()[:2]
    assert text.index(first.id) < text.index(second.id)
    assert "not used" not in text
    tuner.results_summary(10, all=True)
    assert "|-filters_1: (not used)" in capsys.readouterr().out


def test_the_lines_of_a_trial(tmp_path, capsys):
    search(tmp_path, max_trials=2, verbose=1)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Trial 1/2: layers=")
    assert lines[1] == "Trial 1/2 complete [00h 00m 00s]"
    assert lines[2].startswith("val_accuracy: 0.")
    assert lines[4].startswith("Best val_accuracy so far: 0.")
    assert lines[5:7] == ["Total elapsed time: 00h 00m 00s", "Estimated time left: 00h 00m 00s"]


def test_the_space_can_be_shown(tmp_path, capsys):
    tune.RandomSearch(build, directory=tmp_path).search_space_summary()
    assert capsys.readouterr().out.splitlines()[:7] == [
        "Search space summary",
        "|-Default search space size: 2",
        "layers (Int)",
        "|-default: 1",
        "|-min_value: 1",
        "|-max_value: 2",
        "|-step: 1",
    ]


def test_the_table_has_one_row_per_trial(tmp_path):
    tuner = search(tmp_path, max_trials=4)
    tuner.to_csv(tmp_path / "trials.csv")
    head, *rows = (tmp_path / "trials.csv").read_text().splitlines()
    assert head == "number,id,state,score,best_step,seconds,layers,filters_0,filters_1"
    assert len(rows) == 4
    for row, one in zip(rows, tuner.results_table(), strict=True):
        assert row.split(",")[1] == one["id"]
        assert row.endswith(f",{one.get('filters_1', '')}")


def test_the_figures_show_every_trial(tmp_path):
    pytest.importorskip("matplotlib")
    tuner = search(tmp_path, max_trials=5)
    figures = tuner.plot()
    assert set(figures) == {"progress", "values", "curves"}
    (points,) = figures["progress"].axes[0].collections
    assert len(points.get_offsets()) == 5
    assert len(figures["curves"].axes[0].lines) == 5
    assert [axes.get_xlabel() for axes in figures["values"].axes] == [
        "layers", "filters_0", "filters_1",
    ]  # fmt: skip
    with pytest.raises(ArgumentError, match="no trial of this search has a score yet"):
        tune.RandomSearch(build, directory=tmp_path, project_name="none").plot()


def test_a_search_without_hyperparameters_has_figures_too(tmp_path):
    pytest.importorskip("matplotlib")
    one = Result(0, "0" * 32, "complete", 0.5, 0, 1.0, {}, {0: 0.5}, None)
    (panel,) = figures.values_figure([one], "val_accuracy").axes
    assert not panel.axison


def test_panels_fit_integers_names_and_rates_of_several_magnitudes():
    pytest.importorskip("matplotlib")
    results = [
        Result(i, str(i), "complete", 0.5, 0, 1.0, values, {0: 0.5}, None)
        for i, values in enumerate(
            [{"layers": 1, "kind": "relu", "rate": 1e-4}, {"layers": 3, "kind": None, "rate": 0.1}]
        )
    ]
    figure = figures.values_figure(results, "val_accuracy")
    figure.draw_without_rendering()
    layers, kind, rate = figure.axes
    assert rate.get_xscale() == "log" and layers.get_xscale() == "linear"
    assert all(tick == int(tick) for tick in layers.get_xticks())
    assert [label.get_text() for label in kind.get_xticklabels()] == ["relu", "None"]

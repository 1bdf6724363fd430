"""Trainings from images on disk to a run folder with model, figures and report.

`experiment` is one run from its `settings` to its report, `cross_validation` a run for each fold.

Images: `load_images` reads `image_splits`, from the files that `split_files` finds or `fold_images`
divides, or from a data set in its `published` form. `batches` feeds them to `training`.

Networks: `networks` builds a new one, `transfer` trains a classifier on one of the `bases`, and
`continual` trains the network of an `earlier_run` further, with `rehearsal` of what it knows.

Results: `predictions` and their scores; `report`, `report_json` and `report_html` write them into
the run's `folder`, `before_after` and `robustness` add to them, and the modules `folds_...` do it
for a cross-validation.
"""

"""A network drawn as stacks of feature maps: see `draw_architecture`.

`nodes` are the calls of layers, `blocks` those that are drawn as one arrow. `series_parallel` finds
the branches, `elements` what repeats. `steps`, `frames` and `lanes` place them, `page` puts them
into rows. The result are `marks`, which `svg` and `figure` write.
"""

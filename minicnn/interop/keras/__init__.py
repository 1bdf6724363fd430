"""Keras's files: `.keras` archives, HDF5 files of Keras 2 and 3, and files of weights alone.

`archive` and `hdf5` are the two formats. What they have in common:

    reading_objects, reading_layers, reading_networks    configs become layers and networks
    writing_objects, writing_networks, operations        and back
    layer_order, weight_paths, layer_weights             where each weight is in a file
    training, optimizer_state                            what `compile` was given, and the slots
    hdf5_reading, hdf5_writing, zip_reading              the containers
"""

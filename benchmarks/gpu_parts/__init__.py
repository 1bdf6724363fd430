"""The parts of `gpu.py`: each a module with `items(options)`, run in a process of its own."""

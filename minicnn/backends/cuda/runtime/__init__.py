"""How programs run on the GPU: memory, launches, graphs and many steps per call."""

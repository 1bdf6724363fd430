"""Programs on the GPU: memory, launches, CUDA graphs, and several training steps per call."""

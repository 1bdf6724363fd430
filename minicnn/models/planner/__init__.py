"""From a graph of layers to a program: tracing, fusion, backpropagation and memory."""

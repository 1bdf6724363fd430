"""What `compare.py` needs in every engine's own process: networks, engines, the protocol.

Nothing here imports minicnn, TensorFlow or PyTorch, except the one module of each engine.
"""

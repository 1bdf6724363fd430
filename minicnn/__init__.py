"""minicnn: convolutional networks from scratch, to read and to run fast."""

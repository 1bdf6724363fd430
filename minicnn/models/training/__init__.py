"""Training and evaluation: epochs of steps, callbacks, interruptions and checks of the data."""

"""The pages of the explorer: see how a network computes, and how it learns."""

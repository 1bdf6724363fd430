"""The tools of `minicnn data` for image folders: check, stats, split, rename, fetch, preview."""

"""What `minicnn data` does with folders of images: check, split, rename, fetch and preview."""

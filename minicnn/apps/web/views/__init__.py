"""What the pages show; each function answers requests for one address."""

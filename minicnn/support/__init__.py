"""What every package uses and what knows nothing of networks: files, texts, tables, progress."""

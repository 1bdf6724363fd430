"""The `minicnn` command: one file a verb, imported when the verb is typed."""

"""`python -m minicnn` is `minicnn`."""

from minicnn.apps.cli.main import main

if __name__ == "__main__":
    main()

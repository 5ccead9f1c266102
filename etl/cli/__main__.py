"""``python -m etl.cli``: the ``etl`` command where it is not on PATH."""

from etl.cli.main import main

if __name__ == "__main__":
    main()

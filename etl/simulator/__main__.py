"""``python -m etl.simulator``: the command `etl simulator` by itself."""

import typer

from etl.cli.simulator import simulator

if __name__ == "__main__":
    typer.run(simulator)

"""Run every benchmark, each in a process of its own: ``python -m bench [NAME ...]``."""

import subprocess
import sys
from pathlib import Path

NAMES = sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))


def main() -> int:
    """The benchmarks named on the command line, else all; the number of those that failed."""
    wanted = sys.argv[1:] or NAMES
    unknown = set(wanted) - set(NAMES)
    if unknown:
        sys.stderr.write(
            f"no benchmark {', '.join(sorted(unknown))}: there are {', '.join(NAMES)}\n"
        )
        return 2
    failed = 0
    for name in wanted:
        sys.stdout.write(f"\n== {name}\n")
        sys.stdout.flush()
        failed += bool(subprocess.call([sys.executable, "-m", f"bench.{name}"]))
    return failed


if __name__ == "__main__":
    raise SystemExit(main())

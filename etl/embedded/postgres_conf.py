"""What the embedded PostgreSQL is told: sizes for a laptop, nothing that listens beyond it."""

from pathlib import Path

import psutil

CONF = """\
# Written anew at each start.
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''
max_connections = 100

timezone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'

shared_buffers = '{buffers}MB'
effective_cache_size = '1GB'
maintenance_work_mem = '128MB'
work_mem = '16MB'
max_wal_size = '2GB'
random_page_cost = 1.1
# Plans over many partitions are estimated high: compiling one takes longer than to answer by it.
jit = off

logging_collector = on
log_directory = '{log}'
log_filename = 'postgres-%a.log'
log_rotation_age = '1d'
log_rotation_size = 0
log_truncate_on_rotation = on
log_line_prefix = '%m [%p] %q%u@%d '
"""

THROWAWAY = """
# ETL_POSTGRES_FSYNC is off: a crash of the machine may damage the data, one of the server does not.
fsync = off
full_page_writes = off
"""

TIMESCALE = """
shared_preload_libraries = 'timescaledb'
timescaledb.license = '{license}'
timescaledb.telemetry_level = off
max_worker_processes = 24
max_locks_per_transaction = 256
"""

ENVIRONMENT = dict.fromkeys(
    ("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_"), str(16 * 1024 * 1024)
)
"""For the GNU C library: a backend keeps the memory of a batch for the next.

To give it back and have it cleared again was a fifth of reading documents for Elasticsearch, 2 MB a batch.
"""


def conf(*, port: int, log: Path, fsync: bool, libraries: Path) -> str:
    """The settings file, which loads TimescaleDB where ``libraries`` has it."""
    text = CONF.format(port=port, log=str(log).replace("'", "''"), buffers=buffers())
    if not fsync:
        text += THROWAWAY
    if (libraries / "timescaledb.so").exists():
        community = any(libraries.glob("timescaledb-tsl-*.so"))
        text += TIMESCALE.format(license="timescale" if community else "apache")
    return text


def buffers() -> int:
    """MB that its processes share: a sixteenth of the machine's memory, 256 to 1,024.

    Taken as it is used. What a landing touches again and again is then not written out between.
    """
    return max(256, min(1024, psutil.virtual_memory().total // 2**24))

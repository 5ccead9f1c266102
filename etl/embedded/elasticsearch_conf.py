"""What the embedded Elasticsearch is told: one node for a laptop, nothing beyond it."""

import json
from dataclasses import dataclass
from pathlib import Path

from etl.embedded.home import write

# Watermarks are absolute: as shares of a large, well filled disk they make every index read-only
# with 50 GB left.
CONF = {
    "cluster.name": "headrace",
    "node.name": "embedded",
    "discovery.type": "single-node",
    "network.host": "127.0.0.1",
    "xpack.security.enabled": False,
    "action.auto_create_index": False,
    "cluster.routing.allocation.disk.watermark.low": "2gb",
    "cluster.routing.allocation.disk.watermark.high": "1gb",
    "cluster.routing.allocation.disk.watermark.flood_stage": "500mb",
}

JVM = """
-XX:-HeapDumpOnOutOfMemoryError
-XX:ErrorFile={log}/jvm-error.log
-Xlog:all=warning:stderr:utctime,level,tags
"""

LOG = """\
status = error
appender.file.type = RollingFile
appender.file.name = file
appender.file.fileName = ${sys:es.logs.base_path}${sys:file.separator}elasticsearch.log
appender.file.filePattern = ${sys:es.logs.base_path}${sys:file.separator}elasticsearch-%i.log.old
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d{ISO8601} %-5p [%c{1.}] %marker%m%n
appender.file.policies.type = Policies
appender.file.policies.size.type = SizeBasedTriggeringPolicy
appender.file.policies.size.size = 20MB
appender.file.strategy.type = DefaultRolloverStrategy
appender.file.strategy.max = 3
rootLogger.level = info
rootLogger.appenderRef.file.ref = file
"""


@dataclass(frozen=True)
class Conf:
    """What differs from home to home."""

    data: Path
    log: Path
    port: int
    java: tuple[str, ...]

    def write(self, folder: Path, dist: Path) -> None:
        """Write everything that ES_PATH_CONF needs into ``folder``, readable for the server."""
        conf = CONF | {
            "path.data": str(self.data),
            "path.logs": str(self.log),
            "http.port": self.port,
        }
        # A JSON value is a YAML value: paths with quotes or colons come through.
        yaml = "".join(f"{name}: {json.dumps(value)}\n" for name, value in conf.items())
        write(folder / "elasticsearch.yml", yaml, mode=0o644)
        write(folder / "log4j2.properties", LOG, mode=0o644)
        write(folder / "jvm.options", self._jvm(dist), mode=0o644)

    def _jvm(self, dist: Path) -> str:
        """The distribution's own options without its logs of every collection, and ours."""
        lines = (dist / "config" / "jvm.options").read_text().splitlines(keepends=True)
        theirs = "".join(line for line in lines if not line.startswith("-Xlog"))
        return theirs + JVM.format(log=self.log) + "".join(f"{option}\n" for option in self.java)

"""What the embedded Elasticsearch is told: one node for a laptop, nothing that listens beyond it."""

import json
import shutil
from pathlib import Path

# Watermarks are absolute: shares of a large, well filled disk would make every index read-only with 50 GB left.
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

JVM = """\
-Xms{heap}
-Xmx{heap}
-XX:-HeapDumpOnOutOfMemoryError
-XX:ErrorFile={log}/jvm-error.log
-Xlog:disable
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


def write_conf(folder: Path, *, dist: Path, data: Path, log: Path, port: int, heap: str) -> None:
    """Write everything ES_PATH_CONF needs into ``folder``, readable for the server."""
    conf = CONF | {"path.data": str(data), "path.logs": str(log), "http.port": port}
    (folder / "elasticsearch.yml").write_text(
        # A JSON value is a YAML value: paths with quotes or colons come through.
        "".join(f"{name}: {json.dumps(value)}\n" for name, value in conf.items())
    )
    (folder / "log4j2.properties").write_text(LOG)
    shutil.copyfile(dist / "config" / "jvm.options", folder / "jvm.options")
    extra = folder / "jvm.options.d"
    extra.mkdir(exist_ok=True)
    (extra / "headrace.options").write_text(JVM.format(heap=heap, log=log))
    for path in (extra, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)

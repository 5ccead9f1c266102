"""Roles plan as suits many partitions, with what each foundation knows of that."""

from etl.engine import roles
from tests.timescale.conftest import Ground


async def test_roles_log_in_with_what_the_server_knows(crowd: Ground) -> None:
    rows = await crowd.db.fetch(
        "select r.rolname, s.setconfig from pg_db_role_setting as s"
        " inner join pg_database as d on d.oid = s.setdatabase"
        " inner join pg_roles as r on r.oid = s.setrole"
        " where d.datname = current_database()"
    )
    found = {row["rolname"]: set(row["setconfig"]) for row in rows}
    assert set(found) == set(roles.NAMES)
    for role, limits in roles.LIMITS.items():
        wanted = {
            f"{name}={value}"
            for name, value in limits.items()
            if crowd.name != "plain" or not name.startswith("timescaledb.")
        }
        assert found[role] == wanted

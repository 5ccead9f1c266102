"""The questions of docs/cookbook.md, and what an analyst puts in for their variables."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from psycopg import sql

from etl.engine.database import Connection

COOKBOOK = Path(__file__).parents[2] / "docs" / "cookbook.md"
SETTING = re.compile(r"^```sql setup\n(.+?)^```", re.MULTILINE | re.DOTALL)
QUESTION = re.compile(
    r"^## (\d+)\. (.+?)\n(?:(?!^## ).)*?^```sql\n(.+?)^```", re.MULTILINE | re.DOTALL
)
VARIABLE = re.compile(r":'(\w+)'")


@dataclass(frozen=True)
class Question:
    """A question, and its answer as psql takes it: ``:'name'`` stands for a text."""

    number: int
    title: str
    text: str

    def query(self, values: dict[str, str]) -> bytes:
        """The answer with texts put in for its variables, as psql does it."""
        return VARIABLE.sub(lambda found: sql.quote(values[found[1]]), self.text).encode()


@cache
def questions() -> list[Question]:
    """All of them, in order."""
    found = QUESTION.findall(COOKBOOK.read_text())
    return [Question(int(number), title, text) for number, title, text in found]


async def values(conn: Connection) -> dict[str, str]:
    """What the cookbook's own queries choose for the variables."""
    chosen: dict[str, str] = {}
    for text in SETTING.findall(COOKBOOK.read_text()):
        for query in text.split("\\gset")[:-1]:
            cursor = await conn.execute(Question(0, query, query).query(chosen))
            row = await cursor.fetchone()
            if row is None:
                raise LookupError(f"nothing to ask about: no row for {query}")
            chosen |= {name: str(value) for name, value in row.items()}
    return chosen

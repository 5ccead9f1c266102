"""An upstream with a throttle that is hardly felt, and what its failures must keep to themselves."""

from contextlib import AbstractAsyncContextManager

import pytest

from etl.engine.database import Database
from etl.engine.errors import Transient
from etl.engine.http import Service, Upstream, open_upstream
from etl.settings import Settings

BUCKET = "test.http"
SECRET = "s3cr3t-that-nobody-may-see"


def upstream(
    db: Database, settings: Settings, url: str, **options: object
) -> AbstractAsyncContextManager[Upstream]:
    quick = settings.model_copy(update={"http_timeout": 2.0} | options)
    return open_upstream(db, quick, Service(url, BUCKET, 1000, patience=0.5))


async def transient(one: Upstream, path: str = "/x") -> Transient:
    with pytest.raises(Transient) as raised:
        await one.get(path, params={"token": SECRET})
    assert SECRET not in str(raised.value)
    assert SECRET not in raised.value.reason
    return raised.value

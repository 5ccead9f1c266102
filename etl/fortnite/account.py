"""Who we are to the services that want a token, and what is off without one."""

from collections.abc import Sequence

from pydantic import SecretStr

from etl.engine.oauth import Credentials, Device
from etl.errors import PlainError
from etl.settings import Settings

CLIENT = ("fortnite_client_id", "fortnite_client_secret")
DEVICE = ("fortnite_account_id", "fortnite_device_id", "fortnite_device_secret")

OFF = (
    "Details, CCU, creators and discovery are off: their services want a token. "
    "Set ETL_FORTNITE_CLIENT_ID and ETL_FORTNITE_CLIENT_SECRET, and for an account "
    "ETL_FORTNITE_ACCOUNT_ID, ETL_FORTNITE_DEVICE_ID and ETL_FORTNITE_DEVICE_SECRET."
)


def credentials(settings: Settings) -> Credentials | None:
    """The credentials in the settings; None where there are none.

    Raises:
        PlainError: some are there and some are missing; the message names the missing.
    """
    client = _all_or_none(settings, CLIENT)
    device = None
    if settings.fortnite_device_id or settings.fortnite_device_secret:
        device = Device(*_all_or_none(settings, DEVICE))
    if not client:
        return None
    return Credentials(
        name="fortnite",
        base_url=str(settings.fortnite_account_url),
        path="/account/api/oauth/token",
        client_id=client[0],
        client_secret=client[1],
        device=device,
    )


def _all_or_none(settings: Settings, names: Sequence[str]) -> list[SecretStr]:
    values = {name: getattr(settings, name) for name in names}
    missing = [f"ETL_{name.upper()}" for name, value in values.items() if value is None]
    if missing and len(missing) < len(names):
        there = [f"ETL_{name.upper()}" for name, value in values.items() if value is not None]
        raise PlainError(f"{' and '.join(there)} also need {' and '.join(missing)}: set them")
    return [value for value in values.values() if value is not None]

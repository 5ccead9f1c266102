"""Which sources of the pipeline are read, and why the others are off."""

from collections.abc import Mapping

from etl.fortnite.account import credentials
from etl.settings import FortniteSource, Settings

TOKEN: Mapping[FortniteSource, bool] = {
    "catalogue": False,
    "metrics": False,
    "links": True,
    "ccu": True,
    "discovery": True,
    "creators": True,
}
"""Every source, and whether it wants a token."""

WITHOUT = (
    "it wants a token and there are no credentials (ETL_FORTNITE_CLIENT_ID, "
    "ETL_FORTNITE_CLIENT_SECRET)"
)


def why_off(settings: Settings, source: FortniteSource) -> str | None:
    """Why a source is not read; None where it is.

    Raises:
        PlainError: credentials are incomplete.
    """
    if source not in settings.fortnite_sources:
        return "ETL_FORTNITE_SOURCES leaves it out"
    if TOKEN[source] and credentials(settings) is None:
        return WITHOUT
    return None


def sources(settings: Settings) -> dict[str, str | None]:
    """Every source with why it is off. Raises as :func:`why_off`."""
    return {source: why_off(settings, source) for source in TOKEN}

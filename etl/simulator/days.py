"""What the Data API tells of one bucket of an island."""

import msgspec


class Day(msgspec.Struct, rename="camel", gc=False, kw_only=True):
    """The metrics of one bucket; None where fewer than five played, or where one is not told."""

    peak_ccu: int | float | None = msgspec.field(default=None, name="peakCCU")
    plays: int | float | None = None
    unique_players: int | float | None = None
    average_minutes_per_player: int | float | None = None
    minutes_played: int | float | None = None
    favorites: int | float | None = None
    recommendations: int | float | None = None
    retention_d1: int | float | None = msgspec.field(default=None, name="retentionD1")
    retention_d7: int | float | None = msgspec.field(default=None, name="retentionD7")

"""What can go wrong with an upstream, told apart by what to do about it."""

from datetime import datetime


class Transient(Exception):
    """The whole request failed for a reason that passes: throttled, 5xx, timed out, cut.

    No entity is to blame: what was claimed is given back. ``retry_at`` (UTC) is when the
    upstream said it may be asked again; None where it did not say.
    """

    def __init__(self, reason: str, retry_at: datetime | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_at = retry_at


class Refused(Exception):
    """The upstream understood the request and refuses it (4xx that waiting does not mend).

    ``code``: the error code it gave; None where it gave none, and something before it may have answered.
    """

    def __init__(self, status: int, reason: str, code: str | None = None) -> None:
        super().__init__(f"{status}: {reason}")
        self.status = status
        self.reason = reason
        self.code = code


class Unauthorized(Refused):
    """The upstream takes no token of ours, or gives none for our credentials."""

    def __init__(self, reason: str) -> None:
        super().__init__(401, reason)

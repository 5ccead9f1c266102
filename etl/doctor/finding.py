"""What one check found."""

from dataclasses import dataclass
from typing import Literal

Outcome = Literal["ok", "warning", "failed"]


@dataclass(frozen=True)
class Finding:
    """A thing that was looked at, how it is, and what to do where it is not well."""

    check: str
    outcome: Outcome
    says: str
    advice: str = ""

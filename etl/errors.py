"""Errors whose message is all that their reader needs."""


class PlainError(Exception):
    """Something the user can mend. The message names the thing, its value and what to do about it.

    The command line prints the message alone, without a traceback, and ends with ``exit_code``.
    """

    exit_code = 1

"""Whether the page can listen where it is to."""

import errno
import socket

from etl.errors import PlainError


class PortTaken(PlainError):
    """The page could not listen where it is to."""


def need_port(host: str, port: int) -> None:
    """See that the page will be able to listen, before work of minutes is done for it.

    Raises:
        PortTaken: it will not.
    """
    try:
        for family, kind, _, _, where in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            with socket.socket(family, kind) as probe:
                # As the page does: a port whose last connections have not quite ended is free.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(where)
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        reason = "is in use" if taken else f"cannot be listened on ({error.strerror})"
        advice = "end what listens there, or set" if taken else "set"
        raise PortTaken(
            f"port {port} of {host} {reason}: {advice} ETL_WEB_PORT to another port"
            + ("" if taken else " or ETL_WEB_HOST to an address of this machine")
        ) from None

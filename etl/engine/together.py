"""Several things at once, of which the first failure is the failure of all."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, TypeVar

T = TypeVar("T")


async def together(*parts: Coroutine[Any, Any, None]) -> None:
    """Run all to their end. When one fails the others are cancelled, and its error is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            for part in parts:
                group.create_task(part)
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None


async def in_lanes(things: Iterable[T], work: Callable[[T], Awaitable[None]], lanes: int) -> None:
    """Do ``work`` on each thing, so many at a time, in order of arrival; fails as together does."""
    left = iter(things)

    async def lane() -> None:
        for thing in left:
            await work(thing)

    await together(*(lane() for _ in range(lanes)))

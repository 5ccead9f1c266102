"""The declaration of a resource and the loop that keeps its entities fresh."""

from etl.engine.items import Bad, Claim, Fetch, Found, Item, Missing, Numbers, Resource

__all__ = ["Bad", "Claim", "Fetch", "Found", "Item", "Missing", "Numbers", "Resource"]

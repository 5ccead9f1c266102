"""What a body must look like to be landed: the fields we read, their types and bounds.

Fields that are not named here may be anything. A field that is absent or null is unknown.
"""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

Code = Annotated[str, Meta(min_length=1, max_length=200)]
Name = Annotated[str, Meta(max_length=500)]
Text = Annotated[str, Meta(max_length=20_000)]
Url = Annotated[str, Meta(max_length=4_000)]
Names = Annotated[list[Name], Meta(max_length=500)]
Number = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]
Followers = Annotated[int, Meta(ge=0, le=2**31 - 1)]


class Matchmaking(msgspec.Struct, rename="camel"):
    """``metadata.matchmakingV2`` of a link."""

    min_players: Number | None = None
    max_players: Number | None = None
    max_team_size: Number | None = None
    max_team_count: Number | None = None
    max_social_party_size: Number | None = None
    allow_join_in_progress: bool | None = None
    allow_squad_fill_option: bool | None = None
    use_skill_based_matchmaking: bool | None = None
    island_queue_privacy: Name | None = None


class DynamicXp(msgspec.Struct, rename="camel"):
    """``metadata.dynamicXp`` of a link."""

    calibration_phase: Name | None = None


class Image(msgspec.Struct):
    """An image in one of its sizes."""

    url: Url | None = None


class Metadata(msgspec.Struct):
    """``metadata`` of a link."""

    title: Text | None = None
    tagline: Text | None = None
    introduction: Text | None = None
    locale: Name | None = None
    support_code: Name | None = msgspec.field(default=None, name="supportCode")
    category_labels: Names | None = None
    genre_labels: Names | None = None
    image_url: Url | None = None
    image_urls: dict[str, object] | None = None
    square_image_urls: Image | None = None
    lobby_background_image_urls: Image | None = None
    activated_public_date: datetime | None = None
    matchmaking: Matchmaking | None = msgspec.field(default=None, name="matchmakingV2")
    dynamic_xp: DynamicXp | None = msgspec.field(default=None, name="dynamicXp")
    project_id: Name | None = msgspec.field(default=None, name="projectId")


class Link(msgspec.Struct, rename="camel"):
    """A link of the Links service: resource ``fortnite.island``."""

    mnemonic: Code
    link_type: Name | None = None
    account_id: Name | None = None
    creator_name: Name | None = None
    metadata: Metadata | None = None
    version: Number | None = None
    active: bool | None = None
    disabled: bool | None = None
    created: datetime | None = None
    published: datetime | None = None
    updated: datetime | None = None
    last_activated_date: datetime | None = None
    description_tags: Names | None = None
    moderation_status: Name | None = None
    discovery_intent: Name | None = None
    link_category: Name | None = None
    link_state: Name | None = None


class Images(msgspec.Struct):
    """``images`` of a creator."""

    avatar: Url | None = None
    banner: Url | None = None


class Summary(msgspec.Struct, rename="camel"):
    """A creator in the bulk route of the pops service: resource ``fortnite.creator``."""

    player_id: Code
    display_name: Name | None
    images: Images | None = None


class Social(msgspec.Struct, rename="camel"):
    """``social`` of a player page: what the creator typed or pasted."""

    discord: Text | None = None
    instagram: Text | None = None
    tik_tok: Text | None = None
    twitch: Text | None = None
    twitter: Text | None = None
    youtube: Text | None = None


class PlayerPage(msgspec.Struct, rename="camel"):
    """A player page of the pops service: resource ``fortnite.player_page``."""

    display_name: Name | None
    bio: Text | None = None
    follower_count: Followers | None = None
    images: Images | None = None
    social: Social | None = None
    surface_name: Name | None = None


class Listed(msgspec.Struct, rename="camel"):
    """An island in the Data API's list: resource ``fortnite.catalogue``."""

    code: Code
    title: Text | None = None
    display_name: Name | None = None
    creator_code: Name | None = None
    created_in: Name | None = None
    category: Name | None = None
    tags: Names | None = None

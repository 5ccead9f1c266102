"""How a creator looks in the pops service: all drawn from the seed and the creator's number."""

from etl.simulator import words
from etl.simulator.bodies import Body
from etl.simulator.digits import mix, unit
from etl.simulator.world import DAY, World

_CDN = "https://cdn-0001.qstv.on.epicgames.com"
_DEFAULTS = "https://cdn2.unrealengine.com/t-ui-creatorprofile"
# What Epic shows where a creator has no image of their own; which one changes from day to day.
_AVATARS = (
    f"{_DEFAULTS}-default-256x256-8d5feae6bc8e.png",
    f"{_DEFAULTS}-default-256x256-2f0d.png",
)
_BANNERS = (
    f"{_DEFAULTS}-banner-fallbackerror-1920x1080-3f830cc95018.png",
    f"{_DEFAULTS}-banner-fallbackerror-1920x1080-77ab.png",
)
# Shares of the fifty largest creators that were recorded: without an image of their own, without a bio.
_DEFAULT_AVATAR, _DEFAULT_BANNER, _NO_BIO = 0.04, 0.38, 0.3
_NO_PAGE = 0.03
_HANDLES = 0.4
_NETWORKS = ("youtube", "tikTok", "twitter", "discord", "instagram")
# How handles are typed and pasted.
_LEFTOVERS = (
    "{}",
    "{}",
    "@{}",
    " {} ",
    "{}?igsh=MzRlODBiNWFlZA%3D%3D&utm_source=qr",
    "{}?lang=en",
    "{}/",
    "https://www.{site}/{}",
    "https://{site}/@{}?si=x1",
)
_SITES = {
    "youtube": "youtube.com",
    "tikTok": "tiktok.com",
    "twitter": "x.com",
    "discord": "discord.gg",
    "instagram": "instagram.com",
}
# A name, a bio, an image of a creator's own changes about every so many days; one creator's pace is another's half.
_NAME_DAYS, _BIO_DAYS, _IMAGE_DAYS = 300.0, 60.0, 90.0
_SALT = 0x506F


def page(world: World, owner: int, now: float) -> Body | None:
    """The player page of a creator at an instant; None for the few who have none."""
    salt = world.digits.salt ^ _SALT
    if unit(salt, owner) < _NO_PAGE:
        return None
    code, name = world.creator(owner)
    draw = mix(salt, owner)
    turn = _turns(draw, now, _NAME_DAYS)
    return {
        "isFollowed": False,
        "isSubscribed": False,
        "subscriptions": [],
        "displayName": name if turn % 4 else words.retitled(name, turn, draw >> 8),
        "surfaceName": "CreativeDiscoverySurface_CreatorPage",
        "bio": _bio(draw, _turns(draw >> 3, now, _BIO_DAYS)),
        "followerCount": _followers(draw, now),
        "images": {
            "avatar": _image(draw, now, _DEFAULT_AVATAR, _AVATARS),
            "banner": _image(draw >> 5, now, _DEFAULT_BANNER, _BANNERS),
        },
        "social": _social(code, draw),
    }


def summary(account: str, page: Body) -> Body:
    """The same creator in the bulk route, which tells no banner."""
    return {
        "playerId": account,
        "displayName": page["displayName"],
        "isFollowed": page["isFollowed"],
        "images": {"avatar": page["images"]["avatar"], "banner": None},
    }


def _turns(draw: int, now: float, days: float) -> int:
    """How often something has changed that changes every so many days."""
    pace = days * DAY * (0.75 + 0.75 * (draw & 0xFFFF) / 0x10000)
    return int(now / pace + (draw >> 16 & 0xFF) / 256)


def _bio(draw: int, turn: int) -> str | None:
    if (draw >> 24 & 0xFFFF) / 0x10000 < _NO_BIO:
        return None
    text = words.tagline((draw >> 20) + 8 * turn)
    return f"{text} " if draw & 1 else f"Back again 😋\n{text}"


def _followers(draw: int, now: float) -> int:
    """Some have a dozen, a few have millions; all gain from hour to hour."""
    size = 10 ** (1 + 5.5 * ((draw >> 32 & 0xFFFF) / 0x10000) ** 3)
    return int(size * (1 + now / (3000 * DAY)))


def _image(draw: int, now: float, default: float, defaults: tuple[str, str]) -> str:
    if (draw >> 40 & 0xFFFF) / 0x10000 < default:
        return defaults[(int(now / DAY) + draw) % 2]
    name = f"{mix(draw, _turns(draw, now, _IMAGE_DAYS)):016x}"
    return f"{_CDN}/06{name}/image.jpg"


def _social(code: str, draw: int) -> dict[str, str]:
    handles = {}
    for nth, network in enumerate(_NETWORKS):
        bits = mix(draw, nth)
        if (bits & 0xFFFF) / 0x10000 < _HANDLES:
            form = _LEFTOVERS[(bits >> 16) % len(_LEFTOVERS)]
            handles[network] = form.format(code, site=_SITES[network])
    return handles

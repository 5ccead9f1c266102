"""What islands are about: one theme is what creators call it, its tags, its category and genre."""

from typing import NamedTuple

_TEXT = """
ZONE WARS; Zone Wars; TILTED ZONE WARS; Desert Zone Wars
    zonewars; pvp; free for all; practice; competitive
    Battle Royale; Zone Wars
BOX FIGHT; Box Fights; CLIX BOX PVP; 1v1 Box Fight
    boxfight; pvp; practice; 1v1; competitive
    Combat; Box Fight
1V1 BUILD FIGHT; 1v1 Build Fights; BUILD FIGHT ARENA; Freebuild
    1v1; building; practice; competitive; arena
    Combat; 1v1
RED VS BLUE; Red vs Blue; SUPER RED VS BLUE; CRAZY RED VS BLUE
    team deathmatch; pvp; just for fun; casual; shooter
    Combat; Team Deathmatch
DEATHRUN; Default Deathrun; 100 LEVEL DEATHRUN; Rainbow Deathrun
    deathrun; parkour; difficulty: easy; just for fun; adventure
    Platformer; Deathrun
PARKOUR; Only Up; TRICKSHOT PARKOUR; OBBY TOWER
    parkour; just for fun; difficulty: medium; platformer; adventure
    Platformer; Parkour
TYCOON; Superhero Tycoon; MALL TYCOON; WAR TYCOON
    tycoon; simulator; casual; pvp; co-op
    Simulation; Tycoon
PROP HUNT; Prop Hunt; MANSION PROP HUNT; Backyard Prop Hunt
    prop hunt; just for fun; party game; minigame; casual
    Party; Prop Hunt
GUN GAME; Gun Game FFA; EVERY WEAPON GUN GAME; One Shot Gun Game
    gun game; free for all; pvp; shooter; gun fight
    Combat; Gun Game
CITY DRIVING RP; Open City Roleplay; DRIVE & CHILL; SUPERCAR CITY
    driver simulator; open world; role playing; just for fun; casual
    Driving; Open World
HORROR ESCAPE; The Backrooms; HAUNTED HOTEL; Asylum Escape
    horror; survival horror; escape; co-op; atmospheric
    Survival; Horror
PIT FFA; The Pit; CRAZY PIT; All Weapons Pit
    free for all; pvp; just for fun; respawn; action
    Combat; Free For All
SNIPER ONE SHOT; Snipers Only; SNIPER VS RUNNERS; Quickscope Arena
    sniper; one shot; free for all; pvp; shooter
    Combat; Sniper
PILLARS; Random Item Pillars; LAVA PILLARS; SKY PILLARS
    minigame; party game; just for fun; free for all; survival
    Party; Minigame
ZOMBIE SURVIVAL; Zombies Co-op; UNDEAD BUNKER; Wave Defense
    survival; pve; co-op; action; creatures
    Survival; Zombies
EDIT COURSE; Aim Trainer; EDIT & AIM WARMUP; Mechanics Training
    practice; edit course; aim course; training; solo
    Combat; Practice
BATTLE ROYALE RELOAD; Mini Royale; ISLAND ROYALE; One Life Royale
    battle royale; battle; pvp; competitive; squad
    Battle Royale; Battle Royale
FASHION SHOW; Style Runway; MUSIC PARTY CLUB; Dance Party
    fashion; party world; music; role playing; friendly
    Rhythm & Party; Music
GUESS THE LOGO; Trivia Night; QUIZ SHOW; Guess Who
    quiz; trivia; party game; educational; minigame
    Party; Quiz
RACE; Downhill Race; MEGA RAMP RACE; Kart Grand Prix
    race; driver simulator; just for fun; casual; arcade
    Driving; Racing
"""


class Theme(NamedTuple):
    """Names creators give it, tags in order of use, and the labels that the service gives."""

    names: tuple[str, ...]
    tags: tuple[str, ...]
    category: str
    genre: str


def _read(text: str) -> tuple[Theme, ...]:
    lines = [tuple(line.strip().split("; ")) for line in text.strip().splitlines()]
    return tuple(
        Theme(names, tags, *labels)
        for names, tags, labels in zip(lines[::3], lines[1::3], lines[2::3], strict=True)
    )


THEMES = _read(_TEXT)

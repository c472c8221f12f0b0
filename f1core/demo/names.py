"""The invented cast: whoever reads one of these names can see that it is none of the real sport's.

Order matters: drivers enter in the order of the list, rookies take the next free names. A three-letter code is the
beginning of the last name.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Person:
    """A driver of the demo.

    Attributes:
        first: First name.
        last: Last name.
        number: Permanent car number, 2 to 99.
        country: Index of the home country.
        age: Age in the first season.
    """

    first: str
    last: str
    number: int
    country: int
    age: int

    @property
    def driver_id(self) -> str:
        """Identity, e.g. ``ottilie-quillfeather``."""
        return f"{self.first}-{self.last}".lower()

    @property
    def code(self) -> str:
        """Three-letter code."""
        return self.last[:3].upper()


@dataclass(frozen=True)
class Team:
    """A constructor of the demo: identity, name, maker of its engine, home country (index)."""

    constructor_id: str
    name: str
    engine: str
    country: int


@dataclass(frozen=True)
class Circuit:
    """A grand prix of the demo and the circuit it is always held on.

    Attributes:
        grand_prix_id: The grand prix.
        name: Its name.
        circuit_id: The circuit.
        circuit_name: Its name.
        place: Town.
        country: Index of the country.
        kind: ``RACE`` or ``STREET``.
        is_clockwise: Direction of travel.
        length_km: Length of a lap.
        turns: Corners.
        laps: Laps of the race.
        base_s: Lap of the average entry in the race: fresh medium tyres, no fuel to carry [s].
        passing_s: Advantage in lap time at which an attack succeeds with 63 % [s]; large where overtaking is hard.
        pit_loss_s: What a stop costs against driving past the pits, with a green track [s].
        start: Start of the race (UTC), ``HH:MM``.
    """

    grand_prix_id: str
    name: str
    circuit_id: str
    circuit_name: str
    place: str
    country: int
    kind: str
    is_clockwise: bool
    length_km: float
    turns: int
    laps: int
    base_s: float
    passing_s: float
    pit_loss_s: float
    start: str

    @property
    def full_name(self) -> str:
        """Full name of the grand prix, as the lap feed calls the event."""
        return f"{self.name} Grand Prix"


COUNTRIES = (
    ("arvenia", "Arvenia", "AVN"),
    ("belloria", "Belloria", "BLO"),
    ("cordane", "Cordane", "CDN"),
    ("drumlinia", "Drumlinia", "DLN"),
    ("estmarch", "Estmarch", "EMH"),
    ("feyland", "Feyland", "FYL"),
    ("gorsia", "Gorsia", "GSA"),
    ("hollin-isles", "Hollin Isles", "HLI"),
)
"""Identity, name and code of the invented countries."""

TEAMS = (
    Team("copperkettle", "Copperkettle", "wickworth", 0),
    Team("velvet-otter", "Velvet Otter", "pondwater", 1),
    Team("paper-lantern", "Paper Lantern", "wickworth", 2),
    Team("gilded-snail", "Gilded Snail", "gilded-snail", 3),
    Team("marmalade-works", "Marmalade Works", "pondwater", 4),
    Team("tin-whistle", "Tin Whistle", "halcyon-gear", 5),
    Team("moonraker", "Moonraker", "moonraker", 6),
    Team("salt-and-ember", "Salt & Ember", "halcyon-gear", 7),
    Team("nine-magpies", "Nine Magpies", "wickworth", 1),
    Team("slow-tide", "Slow Tide", "pondwater", 3),
)
FORMER_TEAM = ("rusty-bell", "Rusty Bell", "tin-whistle")
"""A team of the years before the demo, and who it is now."""

CIRCUITS = (
    Circuit("lanternport", "Lanternport", "lantern-quays", "Lantern Quays", "Lanternport", 0, "STREET", True,
            4.95, 19, 46, 87.6, 1.7, 20.5, "15:00"),
    Circuit("mossmere", "Mossmere", "mossmere-park", "Mossmere Park", "Upper Moss", 1, "RACE", True,
            5.31, 16, 45, 89.3, 1.0, 21.5, "13:00"),
    Circuit("thornhollow", "Thornhollow", "hollow-ring", "Hollow Ring", "Thornhollow", 2, "RACE", False,
            4.72, 14, 48, 83.1, 1.2, 19.0, "13:00"),
    Circuit("saltspire", "Saltspire", "spire-sands", "Spire Sands", "Saltspire", 3, "RACE", True,
            5.64, 17, 42, 94.8, 0.8, 22.5, "16:00"),
    Circuit("brindlewood", "Brindlewood", "brindle-loop", "Brindle Loop", "Brindle", 4, "RACE", True,
            5.08, 15, 46, 86.2, 0.9, 18.5, "13:00"),
    Circuit("emberfall", "Emberfall", "emberfall-heights", "Emberfall Heights", "Emberfall", 5, "RACE", False,
            5.47, 18, 43, 92.4, 1.1, 23.0, "19:00"),
    Circuit("quarrygate", "Quarrygate", "old-quarry", "Old Quarry", "Quarrygate", 6, "RACE", True,
            4.61, 12, 50, 80.9, 1.0, 19.5, "14:00"),
    Circuit("windlass-bay", "Windlass Bay", "windlass-bay", "Windlass Bay", "Windlass", 7, "STREET", True,
            4.88, 21, 44, 90.5, 1.8, 21.0, "12:00"),
    Circuit("cindermoor", "Cindermoor", "cinder-plain", "Cinder Plain", "Cindermoor", 0, "RACE", True,
            5.72, 13, 42, 93.0, 0.7, 24.0, "13:00"),
    Circuit("goldenfen", "Goldenfen", "fen-causeway", "Fen Causeway", "Goldenfen", 2, "RACE", False,
            5.19, 16, 45, 88.1, 1.2, 20.0, "05:00"),
    Circuit("ravensquay", "Ravensquay", "ravensquay-docks", "Ravensquay Docks", "Ravensquay", 4, "STREET", False,
            4.80, 20, 45, 89.0, 1.6, 22.0, "17:00"),
    Circuit("starling-hill", "Starling Hill", "starling-hill", "Starling Hill", "Starling", 6, "RACE", True,
            5.25, 15, 45, 87.0, 1.0, 20.5, "14:00"),
)  # fmt: skip
"""Grands prix in the order of the season."""

_PEOPLE = """
Ottilie Quillfeather, Barnaby Snapdragon, Fennimore Glimmerby, Isolde Thunderpot, Cosmo Wobblestone, Juniper Marzipan,
Leopold Pumpernickel, Saskia Foxtrotter, Ignatius Dandelyon, Winifred Beetlewood, Rufus Kettledrum, Marigold Larkspurr,
Thaddeus Nettlebrook, Clementine Oakapple, Ambrose Rumbletop, Philippa Teacozy, Linus Umberleaf, Beatrix Vellumine,
Caspian Yarrowby, Odette Zephyrine, Humphrey Acornhead, Tabitha Cloudberry, Lysander Driftwick, Rosalind Elderflute,
Percival Fiddlehead, Henrietta Gooseberry, Augustin Honeybun, Delphine Inkhorn, Bartleby Jackstraw, Persis Knapweed,
Crispin Lilywhistle, Araminta Mothwing, Ferdinand Nutmegger, Cordelia Owlsworth, Montague Pepperpot, Seraphina Quaverly,
Benedict Ramblerose, Eudora Spindlemoss, Horatio Thimblerig, Lavender Vinegarden, Octavian Wagonmere, Briony Bramblewick,
Evander Candlewyck, Posy Dewdropper, Sylvester Emberlain, Hyacinth Figtreeby, Rupert Gherkinson, Verity Hazelnock
"""

DRIVERS = tuple(
    Person(first, last, number=2 + at * 37 % 97, country=at * 3 % len(COUNTRIES), age=19 + at * 7 % 17)
    for at, (first, last) in enumerate(name.split() for name in _PEOPLE.split(","))
)
"""Everyone who may drive: the first twenty in the first season, the others as rookies later."""

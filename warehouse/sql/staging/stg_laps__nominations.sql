select
    Season as season,
    RoundNumber as round,
    Hard as hard,
    Medium as medium,
    Soft as soft
from laps__nominations

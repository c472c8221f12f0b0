"""What the clocks beside the track say: the time zone of each circuit.

No source has it, so the table is kept by hand: IANA zone by F1DB circuit id, for every circuit raced on since 2010.
"""

from __future__ import annotations

from zoneinfo import ZoneInfo

CIRCUIT_ZONES: dict[str, str] = {
    "austin": "America/Chicago",
    "bahrain": "Asia/Bahrain",
    "baku": "Asia/Baku",
    "buddh": "Asia/Kolkata",
    "catalunya": "Europe/Madrid",
    "hockenheimring": "Europe/Berlin",
    "hungaroring": "Europe/Budapest",
    "imola": "Europe/Rome",
    "interlagos": "America/Sao_Paulo",
    "istanbul": "Europe/Istanbul",
    "jeddah": "Asia/Riyadh",
    "las-vegas": "America/Los_Angeles",
    "lusail": "Asia/Qatar",
    "madring": "Europe/Madrid",
    "marina-bay": "Asia/Singapore",
    "melbourne": "Australia/Melbourne",
    "mexico-city": "America/Mexico_City",
    "miami": "America/New_York",
    "monaco": "Europe/Monaco",
    "montreal": "America/Toronto",
    "monza": "Europe/Rome",
    "mugello": "Europe/Rome",
    "nurburgring": "Europe/Berlin",
    "paul-ricard": "Europe/Paris",
    "portimao": "Europe/Lisbon",
    "sepang": "Asia/Kuala_Lumpur",
    "shanghai": "Asia/Shanghai",
    "silverstone": "Europe/London",
    "sochi": "Europe/Moscow",
    "spa-francorchamps": "Europe/Brussels",
    "spielberg": "Europe/Vienna",
    "suzuka": "Asia/Tokyo",
    "valencia": "Europe/Madrid",
    "yas-marina": "Asia/Dubai",
    "yeongam": "Asia/Seoul",
    "zandvoort": "Europe/Amsterdam",
}


def circuit_zone(circuit_id: str) -> ZoneInfo | None:
    """The time zone of a circuit; None where the table does not have it (circuits last used before 2010)."""
    name = CIRCUIT_ZONES.get(circuit_id)
    return None if name is None else ZoneInfo(name)

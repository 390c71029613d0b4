"""The hours in which people sleep, in their own time zone."""

import re
from dataclasses import dataclass
from datetime import datetime, time, tzinfo
from typing import Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

WRITTEN = re.compile(r"(\d\d:\d\d)-(\d\d:\d\d)(?: (\S+))?")


@dataclass(frozen=True)
class QuietHours:
    """From one time of the day to another, over midnight when the second is the earlier one."""

    begin: time
    end: time
    zone: tzinfo

    @classmethod
    def read(cls, written: str) -> Self | None:
        """`22:00-07:00 Europe/Berlin`; UTC without a zone, none when empty; `ValueError` for anything else."""
        if not written:
            return None
        found = WRITTEN.fullmatch(written)
        try:
            if found is None:
                raise ValueError
            begin, end = time.fromisoformat(found[1]), time.fromisoformat(found[2])
            zone = ZoneInfo(found[3] or "UTC")
        except (ValueError, ZoneInfoNotFoundError, OSError):
            raise ValueError("quiet hours are written like 22:00-07:00 Europe/Berlin") from None
        if begin == end:
            raise ValueError("quiet hours must end at another time than they begin")
        return cls(begin, end, zone)

    def cover(self, moment: datetime) -> bool:
        """Whether people sleep at that moment."""
        local = moment.astimezone(self.zone).time()
        if self.begin < self.end:
            return self.begin <= local < self.end
        return local >= self.begin or local < self.end

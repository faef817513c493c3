"""How a log line is written: where an error happened, never what it said.

Owns the formatter of every handler (``LOGGING`` in settings.py).  An exception's text may quote
personal data (a constraint names the row's values), and an address may carry a card's, an
event's or a voucher's code: both stay out of the log.  trust.md, "Logs … hold no personal data".
"""

from __future__ import annotations

import logging
import re
import traceback
from typing import Any

_CODES = re.compile(r"/(?P<folder>[CcEeVv])/[^\s/?\"']+")


class PlaceOnly(logging.Formatter):
    """A line with the error's kind and its frames (file, line, function), without any value."""

    def format(self, record: logging.LogRecord) -> str:
        record.exc_text = None  # another handler's rendering may hold the values
        return _CODES.sub(r"/\g<folder>/…", super().format(record))

    def formatException(self, ei: Any) -> str:
        """The kinds and frames of an error and of what led to it."""
        lines: list[str] = []
        error: BaseException | None = ei[1]
        seen: set[int] = set()
        while error is not None and id(error) not in seen:
            seen.add(id(error))
            lines.append(f"{type(error).__module__}.{type(error).__qualname__}")
            lines += [f"  {frame.filename}:{frame.lineno} {frame.name}"
                      for frame in traceback.extract_tb(error.__traceback__)]
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        return "\n".join(lines)

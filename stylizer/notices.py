"""What a user who waits for an answer should hear, though it is no warning.

Where a snapshot went, that a recording has begun, why the first start takes long: whoever writes
such a line logs it here, and `stylizer.apps.console.terminal` shows what comes here. Nobody lists
the modules that do, so that none is forgotten when it moves.
"""

from __future__ import annotations

import logging

__all__ = ["notice"]

notice = logging.getLogger("stylizer.notice")
"""Log to it with ``notice.info``."""

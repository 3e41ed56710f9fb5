"""
How the server speaks in its terminal or journal: one line for each thing, with its ids.
"""

from __future__ import annotations

import logging
import sys

import structlog
import structlog.tracebacks

from windlass.cli.output import colourful
from windlass.settings.table import LogFormat, Settings

# Without the values of local variables, for there are secrets among them.
PLAIN = structlog.dev.plain_traceback
TOLD = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)


def set_up(settings: Settings) -> None:
    """Set the level and the form of what the server says of itself, on stderr."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    as_text = settings.log_format is LogFormat.TEXT or (
        settings.log_format is LogFormat.AUTO and sys.stderr.isatty()
    )
    last: list[structlog.typing.Processor] = (
        [structlog.dev.ConsoleRenderer(colors=colourful(sys.stderr), exception_formatter=PLAIN)]
        if as_text
        else [structlog.processors.ExceptionRenderer(TOLD), structlog.processors.JSONRenderer()]
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *last,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )

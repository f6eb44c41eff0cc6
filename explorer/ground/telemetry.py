"""What the services tell of themselves: structured logs without secrets, and the id of the request at hand."""

import logging
import re
import sys
from collections.abc import Iterable
from typing import Any, Final, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

_COVER: Final = "***"
_SECRET_ANYWHERE: Final = frozenset({"password", "passwd", "secret", "secrets", "authorization", "cookie", "cookies"})
_SECRET_AT_THE_END: Final = frozenset({"key", "keys", "token", "tokens", "signature", "signatures"})
_WORD_BREAK: Final = re.compile(r"[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])")
_URL_PASSWORD: Final = re.compile(r"(?P<before>[a-z][a-z0-9+.-]*://[^\s/:@]*:)[^\s/@]+(?=@)", re.IGNORECASE)
_BEARER: Final = re.compile(r"(?P<before>\bBearer\s+)[^\s,;\"']+", re.IGNORECASE)
_KEY: Final = re.compile(r"(?P<before>fpk_[0-9A-Za-z]{8})[0-9A-Za-z]+|(?P<label>whsec_)[0-9A-Za-z+/=_-]+")
"""A cluster's key, whose beginning is public, and a webhook's secret."""
_DEEPEST: Final = 8


class Redactor:
    """A structlog processor that covers secrets: by the name of the key, by value, by shape (URL, Bearer, keys)."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = sorted(filter(None, set(secrets)), key=len, reverse=True)

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        return {key: self._covered(key, value, 0) for key, value in event.items()}

    def text(self, text: str) -> str:
        """The text with every known or visible secret in it covered."""
        for secret in self._secrets:
            text = text.replace(secret, _COVER)
        text = _KEY.sub(lambda found: (found["before"] or found["label"]) + _COVER, text)
        return _BEARER.sub(rf"\g<before>{_COVER}", _URL_PASSWORD.sub(rf"\g<before>{_COVER}", text))

    def _covered(self, key: object, value: Any, depth: int) -> Any:
        if value is not None and not isinstance(value, bool) and is_secret_name(str(key)):
            return _COVER
        if isinstance(value, dict) and depth < _DEEPEST:
            return {name: self._covered(name, item, depth + 1) for name, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset) and depth < _DEEPEST:
            return [self._covered("", item, depth + 1) for item in value]
        return value if value is None or isinstance(value, bool | int | float) else self.text(str(value))


def is_secret_name(name: str) -> bool:
    """Whether a key of that name holds a secret: `api_key`, `chainToken`, `secret_path`; but not `key_id`."""
    words = [word.lower() for word in _WORD_BREAK.split(name) if word]
    return bool(words) and (words[-1] in _SECRET_AT_THE_END or not _SECRET_ANYWHERE.isdisjoint(words))


def configure_logging(
    *, level: str = "INFO", secrets: Iterable[str] = (), stream: TextIO | None = None, as_json: bool | None = None
) -> None:
    """Sends structlog's and the standard library's records to one stream (stderr), in one form, redacted.

    JSON lines where the stream is no terminal, else text for people; `as_json` decides otherwise. `secrets`: texts
    that must never appear, see `Settings.secrets`. Call again once the settings are known.
    """
    stream = stream or sys.stderr
    as_json = not stream.isatty() if as_json is None else as_json
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_formatter(Redactor(secrets), as_json=as_json))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)


_SHARED: Final[tuple[Processor, ...]] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
)


def _formatter(redactor: Redactor, *, as_json: bool) -> structlog.stdlib.ProcessorFormatter:
    """Renders a record; redaction comes after the traceback has become text and before anything is written."""
    people = structlog.dev.ConsoleRenderer(
        exception_formatter=structlog.dev.plain_traceback, timestamp_key="time", colors=not as_json
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*_SHARED, structlog.stdlib.ExtraAdder()],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,
            redactor,
            structlog.processors.JSONRenderer(ensure_ascii=False) if as_json else people,
        ],
    )

"""Pages from templates: the environment, what every page is told, and the page of a problem."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from explorer.ground.letters import foreign_characters, mixed_letters
from explorer.web import evidence, formats
from explorer.web.assets import Assets
from explorer.web.config import WebConfig
from explorer.web.formats import EpochClock
from explorer.web.ports import Document
from explorer.web.present import Present

STATE_TONES = {"open": "wait", "approved": "good", "rejected": "bad"}
"""The colour of the label of a review's state; the others are grey. The word itself stands in the label."""
_USUAL_LAG = timedelta(days=2)
_EXPLORERS = {"mainnet": "https://filfox.info/en", "calibration": "https://calibration.filfox.info/en"}


def _environment() -> Environment:
    """Templates with autoescape on and no undefined names."""
    return Environment(
        loader=PackageLoader("explorer.web"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


class Renderer:
    """Makes pages of documents, and of what is known of the present."""

    def __init__(self, config: WebConfig, assets: Assets, present: Present) -> None:
        self._config = config
        self._present = present
        self._environment = _environment()
        self._environment.filters.update(
            tib=formats.tib,
            count=formats.count,
            plural=formats.plural,
            shorten=formats.shorten,
            visible=formats.visible_name,
            blank_words=formats.blank_words,
            plain=formats.plain,
            ticks=formats.ticks,
            sentence=formats.sentence,
            mixed_letters=mixed_letters,
            foreign_characters=foreign_characters,
            segment=lambda text: quote(str(text), safe=""),
        )
        self._environment.globals.update(
            asset=assets.url,
            network=config.network,
            simulated=config.simulated,
            version=config.version,
            public_url=config.public_url,
            chain_explorer=_EXPLORERS.get(config.network),
            tone_of=lambda status: evidence.STATUS_TONES.get(status, "past"),
            status_word=lambda status: evidence.STATUS_WORDS.get(status, status),
            state_tone=lambda state: STATE_TONES.get(state, "past"),
        )

    def page(self, template: str, *, clock: EpochClock | None = None, **context: Any) -> str:
        """The page. `clock` turns its epochs into times."""
        present = {"present_programme": self._present.programme, "stands_at": self._long_ago()}
        usual = {**present, "q": "", "live": None, "actor": None}
        told = {**usual, **context, "moment": _Moments(self._config, clock)}
        return self._environment.get_template(template).render(told)

    def _long_ago(self) -> EpochClock | None:
        """The head, where its time is days away from ours, as that of a simulated chain may be; None where it isn't."""
        head = self._present.head
        return head if head is not None and abs(self._config.now() - head.time) > _USUAL_LAG else None


class _Moments:
    """Times and epochs for templates, against one present moment and one clock."""

    def __init__(self, config: WebConfig, clock: EpochClock | None) -> None:
        self._now = config.now()
        self._clock = clock

    def of_time(self, text: str) -> Document:
        """How a moment of our own documents is written, with its epoch where the page has a clock."""
        moment = datetime.fromisoformat(text).astimezone(UTC)
        epoch = None if self._clock is None else self._clock.epoch_of(moment)
        return {
            "iso": formats.rfc3339(moment),
            "exact": formats.exact(moment) + ("" if epoch is None else f", epoch {epoch}"),
            "ago": formats.ago(moment, self._now),
            "left_s": (moment - self._now).total_seconds(),
        }

    def of_epoch(self, epoch: int) -> Document | None:
        """How an epoch's time is written; None without a clock or beyond the calendar."""
        moment = self._clock.time_of(epoch) if self._clock else None
        if moment is None:
            return None
        return {
            "iso": formats.rfc3339(moment),
            "exact": formats.exact(moment),
            "day": formats.short_day(moment),
            "ago": formats.ago(moment, self._now),
        }

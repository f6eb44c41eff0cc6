"""Settings: read once at the start from options, the environment and a TOML file, in that order of precedence."""

import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Final

from explorer.errors import SettingsError
from explorer.ground import setting_values as values
from node.network import NETWORKS, Network, network_named, parse_epoch

PREFIX: Final = "FILPLUS_"

_CONTRACT_NAMES_OF_LATER_FEATURES: Final = frozenset({
    "config", "grant_route", "signer_socket", "pipeline_url", "executor",
})  # fmt: skip
_NO_SETTINGS: Final = frozenset({"notary_passphrase", "key"})
"""What only the environment may name."""


ROOTS_DATA_DIR: Final = Path("/var/lib/filplus")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value came from: `option`, `environment`, `file` (then with its path) or `default`."""

    kind: str
    path: Path | None = None

    def __str__(self) -> str:
        return f"{self.kind} {self.path}" if self.path else self.kind


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One line of the table of `filplus check`; `value` is fit to be shown: secrets are covered, unset is empty."""

    name: str
    value: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class Settings:
    """What this process was told. The representation shows neither the database's password nor the node's token."""

    data_dir: Path
    network: Network = NETWORKS["mainnet"]
    listen: values.Listen = values.DEFAULT_LISTEN
    chain_urls: tuple[str, ...] = ()
    public_url: str | None = None
    retires_at_epoch: int | None = None
    url: str | None = None
    database_url: str | None = field(default=None, repr=False)
    chain_token: str | None = field(default=None, repr=False)
    webhook_allow: tuple[values.AddressRange, ...] = ()
    quorum_bytes: int = values.DEFAULT_QUORUM_BYTES
    notify_urls: tuple[str, ...] = field(default=(), repr=False)
    config_file: Path | None = None
    unknown_names: tuple[str, ...] = ()
    origins: Mapping[str, Origin] = field(default_factory=lambda: MappingProxyType({}), repr=False)

    def rows(self) -> list[SettingRow]:
        """Every setting in the order of the table below, with where it came from; secrets are covered."""
        return [self._row(setting) for setting in _TABLE]

    def secrets(self) -> frozenset[str]:
        """The texts that must appear in no log and on no page: tokens, the database's password, addresses of chats."""
        passwords = values.database_passwords(self.database_url) if self.database_url else frozenset()
        tokens = {token for token in (self.chain_token or "").split(",") if token}
        return passwords | tokens | frozenset(self.notify_urls)

    def _row(self, setting: "_Setting") -> SettingRow:
        value = getattr(self, setting.attribute)
        text = "" if value in (None, ()) else setting.show(value)
        return SettingRow(PREFIX + setting.key.upper(), text, self.origins.get(setting.key, Origin("default")))


@dataclass(frozen=True, slots=True)
class _Setting:
    key: str
    attribute: str
    parse: Callable[[str], object]
    show: Callable[[object], str] = str


def _joined(addresses: object) -> str:
    return ", ".join(map(str, addresses)) if isinstance(addresses, tuple) else str(addresses)


_TABLE: Final = (
    _Setting("database_url", "database_url", values.parse_database_url, lambda url: values.covered_url(str(url))),
    _Setting("data_dir", "data_dir", values.parse_folder),
    _Setting("network", "network", network_named, lambda network: getattr(network, "name", "")),
    _Setting("chain_url", "chain_urls", values.parse_chain_urls, _joined),
    _Setting("chain_token", "chain_token", values.parse_token, lambda _: "set"),
    _Setting("listen", "listen", values.parse_listen),
    _Setting("public_url", "public_url", values.parse_http_url),
    _Setting("retires_at_epoch", "retires_at_epoch", parse_epoch),
    _Setting("url", "url", values.parse_http_url),
    _Setting("webhook_allow", "webhook_allow", values.parse_ranges, _joined),
    _Setting("quorum_bytes", "quorum_bytes", values.parse_amount),
    _Setting("notify_urls", "notify_urls", values.parse_notify_urls, lambda _: "set"),
)
_BY_KEY: Final = {setting.key: setting for setting in _TABLE}
_SECRET_KEYS: Final = frozenset({"database_url", "chain_token", "notify_urls"})
_KNOWN_KEYS: Final = _CONTRACT_NAMES_OF_LATER_FEATURES | _BY_KEY.keys()


@dataclass(frozen=True, slots=True)
class _Given:
    """One value as it was written, and the name by which its author knows it."""

    text: str
    name: str
    origin: Origin


def load_settings(
    environ: Mapping[str, str], *, config_file: Path | None = None, options: Mapping[str, str | None] | None = None
) -> Settings:
    """Returns the settings: `options` (command line, by key) win over `environ`, then the file, then the defaults.

    The file is TOML: `config_file`, else FILPLUS_CONFIG, else the platform's default place where one exists.
    An empty value in the environment counts as unset. SettingsError names the setting, its origin, value and remedy.
    """
    path = _config_path(environ, config_file)
    given = _from_file(path) | _from_environment(environ) | _from_options(options or {})
    parsed = {_BY_KEY[key].attribute: _parse(key, value) for key, value in given.items() if key in _BY_KEY}
    parsed.setdefault("data_dir", default_data_dir(environ))
    return Settings(
        **parsed,  # type: ignore[arg-type]
        config_file=path,
        unknown_names=_unknown_names(environ),
        origins=MappingProxyType({key: value.origin for key, value in given.items() if key in _BY_KEY}),
    )


def default_data_dir(environ: Mapping[str, str]) -> Path:
    """The data directory when none is named: /var/lib/filplus for root, else the user's own (XDG_DATA_HOME)."""
    if os.geteuid() == 0:
        return ROOTS_DATA_DIR
    return _xdg_folder(environ, "XDG_DATA_HOME", ".local/share") / "filplus"


def default_config_file(environ: Mapping[str, str]) -> Path:
    """The configuration file when none is named: /etc/filplus/filplus.toml for root, else the user's own."""
    if os.geteuid() == 0:
        return Path("/etc/filplus/filplus.toml")
    return _xdg_folder(environ, "XDG_CONFIG_HOME", ".config") / "filplus" / "filplus.toml"


def _xdg_folder(environ: Mapping[str, str], name: str, fallback: str) -> Path:
    named = Path(environ.get(name, ""))
    return named if named.is_absolute() else Path(environ.get("HOME") or Path.home()) / fallback


def _config_path(environ: Mapping[str, str], config_file: Path | None) -> Path | None:
    named = config_file or (Path(environ["FILPLUS_CONFIG"]).expanduser() if environ.get("FILPLUS_CONFIG") else None)
    if named is None:
        default = default_config_file(environ)
        return default if default.is_file() else None
    if not named.is_file():
        raise SettingsError(f"configuration file {named} is not there: name an existing one, or unset FILPLUS_CONFIG")
    return named


def _from_file(path: Path | None) -> dict[str, _Given]:
    if path is None:
        return {}
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"configuration file {path} cannot be read: {error}") from error
    for key in document:
        if key not in _KNOWN_KEYS:
            raise SettingsError(f"{path}: unknown key {key!r}{_nearest(key)}")
    origin = Origin("file", path)
    return {key: _Given(_text_of(value, key, path), key, origin) for key, value in document.items()}


def _text_of(value: object, key: str, path: Path) -> str:
    """The text that the environment would hold for a TOML value. A relative data_dir is relative to the file."""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ",".join(value)
    if isinstance(value, bool) or not isinstance(value, str | int):
        shown = "***" if key in _SECRET_KEYS else repr(value)
        raise SettingsError(f"{path}: {key} is {shown}: write a string, a whole number or a list of strings")
    if key == "data_dir" and not str(value).startswith("~"):
        return str(path.parent.absolute() / str(value))
    return str(value)


def _from_environment(environ: Mapping[str, str]) -> dict[str, _Given]:
    origin = Origin("environment")
    named = {key: PREFIX + key.upper() for key in _BY_KEY}
    return {key: _Given(environ[name], name, origin) for key, name in named.items() if environ.get(name)}


def _from_options(options: Mapping[str, str | None]) -> dict[str, _Given]:
    origin = Origin("option")
    flags = {key: "--" + key.replace("_", "-") for key in options}
    return {key: _Given(text, flags[key], origin) for key, text in options.items() if text is not None}


def _parse(key: str, given: _Given) -> object:
    try:
        return _BY_KEY[key].parse(given.text.strip())
    except ValueError as error:
        raise SettingsError(f"{given.name} (from {given.origin}): {error}") from error


def _unknown_names(environ: Mapping[str, str]) -> tuple[str, ...]:
    ours = (name for name in environ if name.startswith(PREFIX))
    return tuple(sorted(name for name in ours if name.removeprefix(PREFIX).lower() not in _KNOWN_KEYS | _NO_SETTINGS))


def _nearest(key: str) -> str:
    close = get_close_matches(key, _KNOWN_KEYS, n=1)
    return f": did you mean {close[0]!r}?" if close else f": known are {', '.join(sorted(_KNOWN_KEYS))}"

"""Settings: what is taken, from where, and what every bad value is answered with."""

import os
from pathlib import Path

import pytest

from explorer.errors import SettingsError
from explorer.ground.setting_values import Listen, covered_url
from explorer.ground.settings import load_settings

SECRET_URL = "postgresql://ana:p%40ss@db.example/filplus?sslmode=require&password=other"


@pytest.fixture(autouse=True)
def _plain_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path)}


def write_file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "given.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_defaults_need_nothing(environ: dict[str, str], tmp_path: Path) -> None:
    settings = load_settings(environ)
    assert settings.data_dir == tmp_path / ".local/share/filplus"
    assert settings.network.name == "mainnet"
    assert settings.listen == Listen("127.0.0.1", 8080)
    assert settings.database_url is None
    assert settings.chain_urls == ()
    assert {str(row.origin) for row in settings.rows()} == {"default"}


def test_root_keeps_its_data_in_var_lib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert load_settings({"HOME": "/root"}).data_dir == Path("/var/lib/filplus")


def test_xdg_folder_is_followed(environ: dict[str, str]) -> None:
    assert load_settings({**environ, "XDG_DATA_HOME": "/data/ana"}).data_dir == Path("/data/ana/filplus")


def test_every_value_is_read(environ: dict[str, str]) -> None:
    settings = load_settings({
        **environ,
        "FILPLUS_DATABASE_URL": SECRET_URL,
        "FILPLUS_DATA_DIR": "~/filplus-data",
        "FILPLUS_NETWORK": "calibration",
        "FILPLUS_CHAIN_URL": "http://one:1234/rpc/v1, wss://two/rpc/v1",
        "FILPLUS_CHAIN_TOKEN": "eyJhbGciOi.J9",
        "FILPLUS_LISTEN": "[::1]:0",
        "FILPLUS_PUBLIC_URL": "https://filplus.example/",
        "FILPLUS_RETIRES_AT_EPOCH": "5000000",
        "FILPLUS_URL": "http://127.0.0.1:8080",
        "FILPLUS_WEBHOOK_ALLOW": "10.1.0.0/16, ::1",
        "FILPLUS_NOTIFY_URLS": "slack://a/b/c",
        "FILPLUS_QUORUM_BYTES": "2 PiB",
    })  # fmt: skip
    assert [str(one) for one in settings.webhook_allow] == ["10.1.0.0/16", "::1/128"]
    assert "slack://a/b/c" in settings.secrets()
    assert settings.network.name == "calibration"
    assert settings.chain_urls == ("http://one:1234/rpc/v1", "wss://two/rpc/v1")
    assert settings.listen == Listen("::1", 0)
    assert str(settings.listen) == "[::1]:0"
    assert settings.public_url == "https://filplus.example"
    assert settings.retires_at_epoch == 5_000_000
    assert settings.quorum_bytes == 2 << 50
    assert {str(row.origin) for row in settings.rows()} == {"environment"}


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("QUORUM_BYTES", "0", "amount of bytes"),
        ("QUORUM_BYTES", "1 PB", "write for example 1125899906842624 or 1 PiB"),
        ("DATABASE_URL", "mysql://db/x", "postgresql://"),
        ("DATABASE_URL", "postgresql://ana:pw@db:notaport/x", "'postgresql://***' is no"),
        ("NETWORK", "mainet", "mainnet"),
        ("CHAIN_URL", "localhost:1234", "http://host:1234/rpc/v1"),
        ("CHAIN_URL", "http://ok:1/rpc/v1,ftp://no", "ftp://no"),
        ("CHAIN_URL", "https://user:pw@node/rpc/v1", "FILPLUS_CHAIN_TOKEN"),
        ("CHAIN_TOKEN", "two words", "paste it"),
        ("LISTEN", "8080", "HOST:PORT"),
        ("LISTEN", ":8080", "HOST:PORT"),
        ("LISTEN", "::1:8080", "[::1]:8080"),
        ("LISTEN", "127.0.0.1:65536", "65536"),
        ("PUBLIC_URL", "filplus.example", "https://host"),
        ("PUBLIC_URL", "https://filplus.example/?a=b", "https://host"),
        ("URL", "unix:/run/x", "unix:/run/x"),
        ("RETIRES_AT_EPOCH", "-1", "-1"),
        ("RETIRES_AT_EPOCH", "9223372036854775808", "9223372036854775808"),
        ("RETIRES_AT_EPOCH", "٣", "digits"),
        ("DATA_DIR", "a\0b", "NUL"),
    ],
)
def test_bad_value_is_named_with_its_remedy(environ: dict[str, str], name: str, value: str, said: str) -> None:
    with pytest.raises(SettingsError) as raised:
        load_settings({**environ, f"FILPLUS_{name}": value})
    assert str(raised.value).startswith(f"FILPLUS_{name} (from environment): ")
    assert said in str(raised.value)
    assert "pw" not in str(raised.value)


@pytest.mark.parametrize(
    "url",
    [
        "host=127.0.0.1 password=s3cr3tpw",
        "host=127.0.0.1 password = 's3cr3tpw'",
        "password=s3cr3tpw@x host=db",
        "postgresql:host=db password=s3cr3tpw:",
        "mysql://ana:s3cr3tpw@db/x",
        "mysql://ana:s3cr3tpw",
        "ana:s3cr3tpw@db/x",
        "postgresql://ana:s3cr3tpw",
        "postgresql://ana:s3cr3tpw@db:port/x",
        "postgresql%3A%2F%2Fana%3As3cr3tpw%40db%2Fx",
        "s3cr3tpw",
    ],
)
def test_what_is_no_database_url_is_not_repeated(environ: dict[str, str], url: str) -> None:
    with pytest.raises(SettingsError, match="write postgresql://user:password@host") as raised:
        load_settings({**environ, "FILPLUS_DATABASE_URL": url})
    assert "s3cr3t" not in str(raised.value)
    assert "s3cr3t" not in covered_url(url)


@pytest.mark.parametrize("name", ["CHAIN_URL", "URL", "PUBLIC_URL"])
@pytest.mark.parametrize("address", ["ana:s3cr3t@node:1", "node?token=s3cr3t", "host=x password='a s3cr3t'"])
def test_credential_in_a_bad_address_is_not_repeated(environ: dict[str, str], name: str, address: str) -> None:
    with pytest.raises(SettingsError) as raised:
        load_settings({**environ, f"FILPLUS_{name}": address})
    assert "s3cr3t" not in str(raised.value)


def test_secret_written_as_a_table_is_not_repeated(environ: dict[str, str], tmp_path: Path) -> None:
    path = write_file(tmp_path, '[database_url]\npassword = "s3cr3t"\n')
    with pytest.raises(SettingsError, match=r"database_url is \*\*\*: write a string") as raised:
        load_settings(environ, config_file=path)
    assert "s3cr3t" not in str(raised.value)


def test_bad_token_is_not_repeated(environ: dict[str, str]) -> None:
    with pytest.raises(SettingsError) as raised:
        load_settings({**environ, "FILPLUS_CHAIN_TOKEN": "nearly right"})
    assert "nearly" not in str(raised.value)


def test_empty_value_counts_as_unset(environ: dict[str, str]) -> None:
    assert load_settings({**environ, "FILPLUS_DATABASE_URL": "", "FILPLUS_LISTEN": ""}).database_url is None


def test_option_wins_over_environment_over_file(environ: dict[str, str], tmp_path: Path) -> None:
    path = write_file(tmp_path, 'listen = "127.0.0.1:1"\nnetwork = "devnet"\nurl = "http://file"\n')
    environ |= {"FILPLUS_CONFIG": str(path), "FILPLUS_LISTEN": "127.0.0.1:2", "FILPLUS_NETWORK": "simulated"}
    settings = load_settings(environ, options={"listen": "127.0.0.1:3", "network": None})
    origins = {row.name: str(row.origin) for row in settings.rows()}
    assert (settings.listen.port, settings.network.name, settings.url) == (3, "simulated", "http://file")
    assert origins["FILPLUS_LISTEN"] == "option"
    assert origins["FILPLUS_NETWORK"] == "environment"
    assert origins["FILPLUS_URL"] == f"file {path}"
    assert settings.config_file == path


def test_bad_option_is_named_as_it_was_typed(environ: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match=r"^--public-url "):
        load_settings(environ, options={"public_url": "x"})


def test_file_takes_lists_and_numbers(environ: dict[str, str], tmp_path: Path) -> None:
    path = write_file(tmp_path, 'chain_url = ["http://a/1", "http://b/2"]\nretires_at_epoch = 7\ndata_dir = "here"\n')
    settings = load_settings(environ, config_file=path)
    assert settings.chain_urls == ("http://a/1", "http://b/2")
    assert settings.retires_at_epoch == 7
    assert settings.data_dir == tmp_path / "here"


def test_default_file_is_read_where_it_exists(environ: dict[str, str], tmp_path: Path) -> None:
    folder = tmp_path / ".config/filplus"
    folder.mkdir(parents=True)
    (folder / "filplus.toml").write_text('network = "devnet"\n', encoding="utf-8")
    assert load_settings(environ).network.name == "devnet"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('lisen = "127.0.0.1:1"', "did you mean 'listen'?"),
        ('zzz = "1"', "known are chain_token"),
        ("listen = true", "listen is True"),
        ("[listen]\na = 1", "listen is"),
        ("chain_url = [1]", "list of strings"),
        ("not toml", "cannot be read"),
        ('listen = "x"', "listen (from file"),
    ],
)
def test_bad_file_is_named(environ: dict[str, str], tmp_path: Path, text: str, said: str) -> None:
    path = write_file(tmp_path, text)
    with pytest.raises(SettingsError) as raised:
        load_settings(environ, config_file=path)
    assert str(path) in str(raised.value)
    assert said in str(raised.value)


def test_named_file_must_exist(environ: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match=r"/nowhere/x\.toml is not there"):
        load_settings({**environ, "FILPLUS_CONFIG": "/nowhere/x.toml"})


def test_unknown_names_are_collected_but_those_of_later_features_pass(environ: dict[str, str], tmp_path: Path) -> None:
    path = write_file(tmp_path, 'grant_route = "none"\n')
    settings = load_settings({**environ, "FILPLUS_LISTN": "x", "FILPLUS_GRANT_ROUTE": "none"}, config_file=path)
    assert settings.unknown_names == ("FILPLUS_LISTN",)


def test_secrets_are_neither_in_the_representation_nor_in_the_rows(environ: dict[str, str]) -> None:
    settings = load_settings({**environ, "FILPLUS_DATABASE_URL": SECRET_URL, "FILPLUS_CHAIN_TOKEN": "tok3n"})
    assert settings.secrets() == {"p%40ss", "p@ss", "other", "tok3n"}
    shown = repr(settings) + repr(settings.rows())
    assert not [secret for secret in settings.secrets() if secret in shown]
    assert "postgresql://ana:***@db.example/filplus?sslmode=require&password=***" in shown


@pytest.mark.parametrize(
    ("url", "covered"),
    [
        ("postgresql:///filplus?host=/run", "postgresql:///filplus?host=/run"),
        ("postgresql:///x?user=ana&password=pw", "postgresql:///x?user=ana&password=***"),
        ("postgresql://ana@db/x", "postgresql://ana@db/x"),
        ("postgresql://ana:1#b@db/x", "postgresql://***"),
        ("postgresql://ana:a/b@db/x", "***"),
        ("postgresql://ana:1/b@db/x", "postgresql://***"),
        ("postgresql://ana:1?b@db/x", "postgresql://***"),
        ("postgresql:///x?password=a@b", "postgresql://***"),
        ("postgresql:///x?password=a#b", "postgresql://***"),
        ("postgresql:///x?password=a&b&user=c", "postgresql:///x?password=***&***&user=c"),
        ("postgresql:///x?p%61ssword=pw", "postgresql:///x?p%61ssword=***"),
        ("postgresql:///x?PassWord=pw", "postgresql:///x?PassWord=***"),
        ("postgresql://ana%3Apw@db/x", "postgresql://ana%3A***@db/x"),
        ("postgresql://ana:pw", "***"),
        ("host=db password=pw", "***"),
        ("postgresql://ana:a@b@db/x", "postgresql://ana:***@db/x"),
    ],
)
def test_password_is_covered_wherever_it_stands(url: str, covered: str) -> None:
    assert covered_url(url) == covered

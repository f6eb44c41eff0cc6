"""A real explorer for benchmarks: its own data directory, a generated index, the server as a process of its own."""

import base64
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from explorer.ground.service_file import running_service

PROGRAM = Path(sys.executable).with_name("filplus")
AT_EPOCH = 4_900_000


@dataclass(frozen=True, slots=True)
class Explorer:
    """A running explorer, its data directory, and the piece CIDs that it holds claims of."""

    url: str
    data_dir: Path
    pieces: list[str]


def piece_text(number: int) -> str:
    """The CID of the `number`-th invented piece."""
    commitment = bytearray(hashlib.sha256(str(number).encode()).digest())
    commitment[31] &= 0x3F
    head = bytes.fromhex("0181e203922020")
    return "b" + base64.b32encode(head + bytes(commitment)).decode().lower().rstrip("=")


def write_claims(path: Path, count: int, *, clients: int = 500) -> list[str]:
    """Writes `count` claims in the shape of StateGetAllClaims, three of each piece, shared evenly by the clients;
    returns the pieces."""
    pieces = [piece_text(number) for number in range(count // 3 + 1)]
    with path.open("w") as file:
        file.write("{")
        for number in range(count):
            claim = {
                "Provider": 1000 + number % 3000,
                "Client": 5000 + number % clients,
                "Data": {"/": pieces[number // 3]},
                "Size": 34359738368,
                "TermMin": 518400,
                "TermMax": 1555200,
                "TermStart": 4_000_000 + number // 40,
                "Sector": number,
            }
            file.write(f'{"," if number else ""}"{number + 1}":{json.dumps(claim)}')
        file.write("}")
    return pieces


def filplus(data_dir: Path, *arguments: str) -> str:
    """Runs the program to its end and returns its standard output."""
    environment = {**os.environ, "FILPLUS_DATA_DIR": str(data_dir), "FILPLUS_LISTEN": "127.0.0.1:0"}
    done = subprocess.run([PROGRAM, *arguments], env=environment, capture_output=True, text=True, check=True)
    return done.stdout


@contextmanager
def running_explorer(claims: int, *, clients: int = 500) -> Iterator[Explorer]:
    """An explorer over so many generated claims of so many clients."""
    with tempfile.TemporaryDirectory(prefix="filplus-bench-") as top:
        data_dir, dump = Path(top) / "data", Path(top) / "claims.json"
        pieces = write_claims(dump, claims, clients=clients)
        filplus(data_dir, "index", "import", str(dump), "--at-epoch", str(AT_EPOCH))
        environment = {**os.environ, "FILPLUS_DATA_DIR": str(data_dir), "FILPLUS_LISTEN": "127.0.0.1:0"}
        server = subprocess.Popen([PROGRAM, "serve"], env=environment, stderr=subprocess.DEVNULL)
        try:
            yield Explorer(_address(data_dir, server), data_dir, pieces)
        finally:
            server.terminate()
            server.wait(30)


def _address(data_dir: Path, server: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and server.poll() is None:
        if url := running_service(data_dir):
            return url
        time.sleep(0.05)
    raise RuntimeError(f"filplus serve did not come up (exit {server.poll()})")

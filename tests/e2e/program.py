"""The program `filplus` as a process, for tests from outside."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile

from explorer.demo.story import dump_path
from explorer.ground.service_file import running_service
from tests.clusters import open_folder
from tests.patience import PATIENCE_S

PROGRAM = Path(sys.executable).with_name("filplus")


class Filplus:
    """Runs the program on one data directory."""

    def __init__(self, data_dir: Path, **environment: str) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("FILPLUS_")}
        self.data_dir = data_dir
        self.environment = {
            **kept,
            "FILPLUS_DATA_DIR": str(data_dir),
            "FILPLUS_LISTEN": "127.0.0.1:0",
            **environment,
        }

    def __call__(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [PROGRAM, *arguments],
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    @contextmanager
    def database(self) -> Iterator[None]:
        """Keeps the embedded database running, so that commands needn't start and stop it each time."""
        code = "import asyncio, sys; from pathlib import Path; from explorer.ground.embedded import embedded_server\n"
        code += "async def hold():\n    async with embedded_server(Path(sys.argv[1])):\n        sys.stdin.read()\n"
        command = [sys.executable, "-c", code + "asyncio.run(hold())", str(self.data_dir)]
        holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        try:
            yield
        finally:
            holder.communicate(timeout=PATIENCE_S)

    @contextmanager
    def serving(self) -> Iterator[str]:
        """A server on the data directory, ended by SIGTERM; gives its address."""
        with TemporaryFile() as log:
            server = subprocess.Popen([PROGRAM, "serve"], env=self.environment, stderr=log)
            try:
                yield self.address(server)
            finally:
                server.send_signal(signal.SIGTERM)
                server.wait(30)
            log.seek(0)
            assert server.returncode == 0, log.read().decode()[-5000:]

    @contextmanager
    def chain(self, *arguments: str) -> Iterator[str]:
        """A simulated chain on a free port, ended by SIGTERM; gives its JSON-RPC address."""
        command = [PROGRAM, "--json", "chain", "serve", "--listen", "127.0.0.1:0", *arguments]
        with TemporaryFile() as log:
            server = subprocess.Popen(command, env=self.environment, stdout=subprocess.PIPE, stderr=log, text=True)
            try:
                assert server.stdout is not None
                yield json.loads(server.stdout.readline())["url"]
            finally:
                server.send_signal(signal.SIGTERM)
                server.communicate(timeout=PATIENCE_S)
            log.seek(0)
            assert server.returncode == 0, log.read().decode()[-5000:]

    def address(self, server: subprocess.Popen[bytes]) -> str:
        """Where a server that was just started answers, once it does."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            if url := running_service(self.data_dir):
                return url
            assert server.poll() is None, "filplus serve ended"
            time.sleep(0.05)
        raise AssertionError("no service.json")


@contextmanager
def program_with_demo_records() -> Iterator[Filplus]:
    """The program on a data directory of its own, with the demo's records; its database runs meanwhile."""
    with open_folder() as folder:
        program = Filplus(folder / "data")
        done = program("index", "import", dump_path("claims.json"), dump_path("deals.json"))
        assert done.returncode == 0, done.stderr
        with program.database():
            yield program

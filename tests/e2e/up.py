"""`windlass up` as a process, and the command line that speaks to it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from windlass.testing.servers.serving import lasting_port

WINDLASS = (sys.executable, "-m", "windlass")
# A pull request is checked, and merged it reaches production with the build that was tested.
DELIVERY = """\
listeners:
  pull-request: {on: pull_request, base: [main], do: [{pipeline: ci}]}
  release: {on: {pull_request: [merged]}, base: [main], do: [{pipeline: cd}]}
pipelines:
  ci:
    jobs:
      test: {steps: [{name: look, run: "! grep -n broken app.txt"}]}
      build: {needs: [test], build: app}
  cd:
    jobs:
      build: {build: app}
      production: {needs: [build], deploy: app, environment: production}
services:
  app: {build: {steps: [{run: "mkdir out && cp app.txt out/"}], artifacts: [out/]}}
environments:
  production: {PROTECTIONtarget: {directory: {path: "PLACE"}}}
"""


def delivering(place, protection=""):
    """That configuration, for a production in the folder `place`."""
    return DELIVERY.replace("PLACE", str(place)).replace("PROTECTION", protection)


class Up:
    """`windlass up` as a process, on a data folder that stays when it is killed."""

    def __init__(self, folder, host):
        self.data = folder / "data"
        self.host = host
        self.env = {**os.environ, "WINDLASS_DATA": str(self.data)}
        self.log = (folder / "server.log").open("ab")
        self.process = None
        self.port = lasting_port()

    def start(self):
        """Start it, on the address that it had before, and wait until it is ready."""
        self.process = subprocess.Popen(
            [
                *(*WINDLASS, "up", "--address", f"127.0.0.1:{self.port}"),
                *("--private-hosts", self.host, "--missed-every", "2s"),
            ],
            env=self.env,
            stdout=subprocess.DEVNULL,
            stderr=self.log,
        )
        note = self.data / "server.json"
        self.until(lambda: note.exists() and self._alive(note))

    def _alive(self, note):
        return json.loads(note.read_text() or "{}").get("pid") == self.process.pid

    @property
    def said(self):
        """What it has said so far."""
        return Path(self.log.name).read_text()

    def kill(self):
        """SIGKILL, as a power cut would."""
        self.process.kill()
        self.process.wait()

    def end(self):
        """Stop it as a person would."""
        self.process.terminate()
        self.process.wait(20)
        self.log.close()

    def windlass(self, *words, said=""):
        """What a command prints; fails when it does."""
        done = subprocess.run(
            [*WINDLASS, *words], env=self.env, input=said, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    def events(self):
        """Every event, oldest first."""
        said = json.loads(self.windlass("events", "list", "--limit", "500", "--json"))
        return list(reversed(said["items"]))

    def until(self, look, seconds=60):
        """Wait for it."""
        end = time.monotonic() + seconds
        while not (found := look()):
            assert time.monotonic() < end, "it did not come"
            time.sleep(0.05)
        return found

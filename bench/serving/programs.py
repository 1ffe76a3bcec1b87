"""Programs that are measured: started when they are first needed, and stopped between their turns."""
import json
import os
import pathlib
import re
import select
import signal
import subprocess
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Stop(Exception):
    """Tells in one sentence why something cannot be measured."""


class Program:
    """A server or loop; `with` gives it its turn."""

    def __init__(self, machine, command, environment=None, ready=60):
        self.machine, self.command, self.ready = machine, [str(part) for part in command], ready
        self.environment = {**os.environ, "GOMP_SPINCOUNT": "0", "OMP_WAIT_POLICY": "passive", **(environment or {})}
        self.process, self.failure = None, None

    def start(self):
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(self.command, env=self.environment, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=self.log, text=True, bufsize=1,
                                        start_new_session=True, cwd=ROOT)
        self.machine.sessions.add(self.process.pid)
        self.told = self.wait_ready()

    def wait_ready(self):
        return json.loads(self.line(self.ready))

    def line(self, seconds):
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if not select.select([self.process.stdout], [], [], left)[0]:
                break
            line = self.process.stdout.readline()
            if line.startswith("{"):
                return line
            if not line:
                break
        raise Stop(f"{self.name()} does not start or answer: {self.last_words()}")

    def name(self):
        return next((pathlib.Path(part).name for part in self.command[1:2] if part.endswith(".py")),
                    pathlib.Path(self.command[0]).name)

    def log_text(self):
        self.log.seek(0)
        return self.log.read()

    def last_words(self):
        lines = [line.strip() for line in self.log_text().splitlines() if line.strip()]
        telling = [line for line in lines if re.search(r"error|cannot|not found|No module", line, re.I)]
        return (telling or lines or ["it says nothing"])[-1][-300:]

    def __enter__(self):
        if self.failure:
            raise self.failure
        if self.process is None:
            try:
                self.start()
            except Stop as failure:
                self.end()
                self.failure = failure
                raise
        elif self.process.poll() is None:
            self.signal(signal.SIGCONT)
        else:
            raise Stop(f"{self.name()} has ended: {self.last_words()}")
        return self

    def __exit__(self, *_):
        if self.process is not None:
            self.signal(signal.SIGSTOP)

    def signal(self, number):
        for pid, stat in list(self.machine.members()):
            if int(stat[3]) == self.process.pid:
                try:
                    os.kill(pid, number)
                except ProcessLookupError:
                    pass

    def end(self):
        if self.process is not None:
            self.signal(signal.SIGKILL)
            self.process.wait()
            self.machine.sessions.discard(self.process.pid)
            self.process = None


class Server(Program):
    """Ours: its log tells the ports, or why it does not serve the model."""

    def wait_ready(self):
        end = time.monotonic() + self.ready
        while time.monotonic() < end and self.process.poll() is None:
            time.sleep(0.05)
            events = [json.loads(line) for line in self.log_text().splitlines(True)
                      if line.startswith("{") and line.endswith("}\n")]
            for event in events:
                if event.get("event") == "version failed" and not event["retried"]:
                    raise Stop(f"not served: {event['reason']}")
            told = next((event for event in events if event.get("event") == "listening"), None)
            try:
                if told and self.get(told, "/readyz"):
                    return told
            except OSError:
                pass
        raise Stop(f"genoserve-server does not start: {self.last_words()}")

    @staticmethod
    def get(told, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{told['http_port']}{path}", timeout=5) as answer:
            return answer.read().decode()

    def live(self):
        """What exists in the server: {name of a metric with its labels: value}."""
        names = ("genoserve_live_objects{", "genoserve_buffered_bytes ", "genoserve_in_flight_streams ",
                 "genoserve_queued_samples{")
        lines = [line for line in self.get(self.told, "/metrics").splitlines() if line.startswith(names)]
        return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}


class Trainer(Program):
    """The trainer as a neighbour; it is ready when it trains."""

    def wait_ready(self):
        end = time.monotonic() + self.ready
        while time.monotonic() < end and self.process.poll() is None:
            time.sleep(0.2)
            if "training acgan" in self.log_text():
                return {}
        raise Stop(f"genoserve-trainer does not train: {self.last_words()}")

"""A real server with one model that is trained in seconds, for checks of what users run against it."""
import contextlib
import json
import os
import pathlib
import subprocess
import time

import tiny_panel

MODEL = "tiny"
PATIENCE = 120  # seconds, of a machine that does something else


def run(*command, **options):
    """What a command prints; it must succeed."""
    done = subprocess.run([str(part) for part in command], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=PATIENCE, **options)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command[:4]))} ended with {done.returncode}:\n"
                         f"{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def wait_for(what, look, process):
    """The first answer of `look` that is not None, while the process runs."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        answer = look()
        if answer is not None:
            return answer
        time.sleep(0.02)
    raise SystemExit(f"{what} did not come about")


def training(programs, folder, *more, seed=1):
    """The command that trains MODEL on the folder's tiny panel into the folder's store, with these more arguments."""
    return [programs / "genoserve-trainer", "train", "--arch", "acgan", "--vcf", folder / "real.vcf", "--panel",
            folder / "panel.tsv", "--label-column", "pop", "--steps", "20", "--validations", "1", "--seed", str(seed),
            "--device", "cpu", "--store", folder / "store", "--create-store", "--model", MODEL, "--publish-anyway",
            *more]


class Server:
    """A server of the folder's store that can be killed, and comes back at the same port. `popen` starts programs
    where it shall run, `host` is its address there."""

    def __init__(self, programs, folder, *more, name="server", host="127.0.0.1", popen=subprocess.Popen):
        self.log = folder / f"{name}.log"
        self.command = [programs / "genoserve-server", "--store", folder / "store", "--host", host, "--http-port", "0",
                        "--device", "cpu", "--threads", "1", *more]
        self.host, self.port, self.popen = host, 0, popen
        self.start()

    def start(self):
        with self.log.open("w") as sink:
            self.process = self.popen([*self.command, "--port", str(self.port)], stdout=sink, stderr=sink)

        def port():
            for line in self.log.read_text().splitlines():
                if '"event":"listening"' in line:
                    return json.loads(line)["port"]
            return None

        try:
            self.port = wait_for("the server", port, self.process)
        except SystemExit as error:
            self.kill()
            raise SystemExit(f"{error}: {self.log.read_text()[-500:]}") from None

    def kill(self):
        self.process.kill()
        self.process.wait()

    @property
    def address(self):
        return f"{self.host}:{self.port}"


@contextlib.contextmanager
def serve(programs, folder, *more):
    """Trains MODEL with these more arguments of genoserve-trainer, serves it, and gives the environment in which
    genoserve finds the server. Whatever it makes is in the folder."""
    programs, folder = pathlib.Path(programs).resolve(), pathlib.Path(folder)
    tiny_panel.write(folder)
    run(*training(programs, folder, *more))
    server = Server(programs, folder, "--drain-delay", "0")
    try:
        environment = {**os.environ, "GENOSERVE_SERVER": server.address}

        def serving():
            listed = json.loads(run(programs / "genoserve", "models", "list", "--json", env=environment))
            return any(model["isDefault"] for model in listed.get("models", [])) or None

        wait_for("the model", serving, server.process)
        yield environment
    finally:
        server.process.terminate()
        server.process.wait(PATIENCE)

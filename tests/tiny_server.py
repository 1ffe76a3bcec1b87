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


@contextlib.contextmanager
def serve(programs, folder, *training):
    """Trains MODEL on the tiny panel, with these more arguments of genoserve-trainer, serves it, and gives the
    environment in which genoserve finds the server. Whatever it makes is in the folder."""
    programs, folder = pathlib.Path(programs).resolve(), pathlib.Path(folder)
    tiny_panel.write(folder)
    run(programs / "genoserve-trainer", "train", "--arch", "acgan", "--vcf", folder / "real.vcf", "--panel",
        folder / "panel.tsv", "--label-column", "pop", "--steps", "20", "--validations", "1", "--seed", "1", "--device",
        "cpu", "--store", folder / "store", "--create-store", "--model", MODEL, "--publish-anyway", *training)
    log = folder / "server.log"
    with log.open("w") as sink:
        server = subprocess.Popen([programs / "genoserve-server", "--store", folder / "store", "--port", "0",
                                   "--http-port", "0", "--device", "cpu", "--threads", "1", "--drain-delay", "0"],
                                  stdout=sink, stderr=sink)
    try:
        def port():
            for line in log.read_text().splitlines():
                if '"event":"listening"' in line:
                    return json.loads(line)["port"]
            return None

        environment = {**os.environ, "GENOSERVE_SERVER": f"127.0.0.1:{wait_for('the server', port, server)}"}

        def serving():
            listed = json.loads(run(programs / "genoserve", "models", "list", "--json", env=environment))
            return any(model["isDefault"] for model in listed.get("models", [])) or None

        wait_for("the model", serving, server)
        yield environment
    finally:
        server.terminate()
        server.wait(PATIENCE)

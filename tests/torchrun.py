#!/usr/bin/env python3
"""Trains by two processes that the real torchrun starts, kills one of them, and checks that both go on from the last
checkpoint once torchrun has started them again, and that one version is published.

Usage: torchrun.py BIN, with the folder of the programs. Needs PyTorch's Python part; scripts/deps/python_torch.py brings it.
"""
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

import tiny_panel

TRAINER = pathlib.Path(sys.argv[1]).resolve() / "genoserve-trainer"
PATIENCE = 120  # seconds, of a machine that does something else


def write_data(folder):
    tiny_panel.write(folder)
    (folder / "mild.gate").write_text("limits { figure: 'af.pearson' minimum: 0.5 }")
    (folder / "run.txtpb").write_text(f"""
        arch: 'acgan'
        input {{ vcf: 'real.vcf' panel: 'panel.tsv' label_column: 'pop' }}
        recipe {{ batch_size: 32 }}
        schedule {{ steps: 200 device: 'cpu' checkpoint: 'run.ckpt' checkpoint_seconds: 0 validations: 1 }}
        output {{ store: 'store' create_store: true model: 'tiny' gate: 'mild.gate' }}""")


def process_of_rank(rank, among):
    """The trainer of this rank among the descendants of a process."""
    parents = {}
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue  # it has ended
    for process in parents:
        above = process
        while above in parents and above != among:
            above = parents[above]
        try:
            if above == among and f"RANK={rank}".encode() in pathlib.Path(f"/proc/{process}/environ").read_bytes().split(b"\0"):
                return process
        except OSError:
            continue
    sys.exit(f"there is no process of rank {rank}")


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        write_data(folder)
        command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "--max-restarts", "1",
                   "--no-python", TRAINER, "train", "--config", "run.txtpb", "--resume"]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "GENOSERVE_PEER_TIMEOUT": str(PATIENCE)}
        with open(folder / "log", "wb") as log:
            launcher = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
        deadline = time.monotonic() + PATIENCE
        while not (folder / "run.ckpt").exists() and launcher.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        if (folder / "run.ckpt").exists():
            os.kill(process_of_rank(1, launcher.pid), signal.SIGKILL)
        try:
            launcher.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            launcher.terminate()
            launcher.wait()
        log = (folder / "log").read_text()
        problems = [f"the log has no \"{text}\"" for text in ("going on from run.ckpt after step", "published tiny version 1")
                    if text not in log]
        if launcher.returncode != 0:
            problems.append(f"torchrun ended with {launcher.returncode}")
        if (versions := sorted(path.name for path in (folder / "store" / "tiny").glob("*"))) != ["1"]:
            problems.append(f"the store has the versions {versions}")
        if problems:
            print(log, *problems, sep="\n")
        return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

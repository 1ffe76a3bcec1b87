"""What all measurements share: the machine, the programs as they were built, the models, and when a figure counts."""
import collections
import json
import math
import pathlib
import shutil
import subprocess
import sys

from .machine import Machine
from .programs import ROOT, Program, Server, Stop, Trainer

PEERS = ROOT / "bench" / "peers"
PYTHON = ROOT / "scripts" / "deps" / "python_torch.py"

Model = collections.namedtuple("Model", "name title variants states stretch")
# `stretch`: times the seconds of a cell, for models that deliver few batches a second.
MODELS = [Model("acgan-805", "AC-GAN 805", 805, 1, 1), Model("wgan-10k", "WGAN 10k", 10346, 3, 1),
          Model("acgan-10k", "AC-GAN 10k", 10000, 1, 3), Model("wgan-50k", "WGAN 50k", 50161, 3, 2)]
VARIANT_SPACING = 100  # base pairs, as serving_models lays them out
TILE = 256             # rows of a full one


def batch_bytes(model):
    """Of 256 rows, as the peers send them, at least 4 KiB and at most our server's own 256 KiB."""
    row = (model.variants * (1 if model.states == 1 else 2) + 7) // 8
    return min(max(TILE * row, 4096), 262144)


def tile_ms(rows_per_second):
    """A full tile on one of the two processors, at this rate of both."""
    return TILE * 2 / rows_per_second * 1000


def say(text):
    print(text, file=sys.stderr, flush=True)


def run(command):
    subprocess.run([str(part) for part in command], check=True, stdout=sys.stderr, cwd=ROOT)


class Setting:

    def __init__(self, options, cache):
        """`cache` is where wheels are unpacked."""
        self.options = options
        self.machine = Machine()
        self.build = pathlib.Path(options.build_dir).resolve()
        self.folder = self.build / "bench" / "serving-models"
        self.precision = "bf16"  # of ours, where a cell names no other
        self.packages = cache / "bench-peers"
        self.triton_packages = cache / "bench-peers-triton" / "lib" / "python3.11" / "site-packages"
        self.patience = 40  # cells that may be measured again, in all

    def models(self):
        return [model for model in MODELS if not self.options.models or model.name in self.options.models.split(",")]

    def tool(self, name):
        return self.build / "bench" / name

    def binary(self, name):
        return self.build / "bin" / name

    # -- preparation

    def prepare(self):
        run([ROOT / "scripts" / "setup"])
        if not (self.build / "build.ninja").exists():
            run(["bash", "-c", "source scripts/deps/env.sh; cmake --preset release -B \"$0\"", self.build])
        run(["cmake", "--build", self.build, "--target", "genoserve-server", "genoserve-trainer", "genoserve",
             "serving_load", "serving_models", "overload_bench", "reload_bench"])

    def store_of(self, model):
        """A store with the model in it."""
        store = self.folder / model.name
        store.mkdir(parents=True, exist_ok=True)
        run([self.tool("serving_models"), store, model.name])
        return store

    def install(self, requirements, place):
        """Wheels with pinned sums, unpacked once."""
        pins = PEERS / requirements
        if (place / ".pins").exists() and (place / ".pins").read_bytes() == pins.read_bytes():
            return
        shutil.rmtree(place, ignore_errors=True)
        run([sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps",
             "--require-hashes", "--only-binary=:all:", "--root-user-action=ignore", "--target", place, "-r", pins])
        shutil.copy(pins, place / ".pins")

    def install_triton(self):
        """Triton's own processes have Debian's Python inside and look into a virtual environment of it."""
        if not self.triton_packages.exists():
            run(["/usr/bin/python3.11", "-m", "venv", "--without-pip", self.triton_packages.parents[2]])
        self.install("requirements-triton.txt", self.triton_packages)

    # -- programs

    def server(self, store, precision, *more):
        command = [self.binary("genoserve-server"), "--store", store, "--port", 0, "--http-port", 0, "--device", "cpu",
                   "--threads", len(self.machine.cpus), "--precision", precision, *more]
        return Server(self.machine, command)

    def trainer_command(self, arch, vcf, panel, label, store, model, *more):
        return [self.binary("genoserve-trainer"), "train", "--arch", arch, "--vcf", vcf, "--panel", panel,
                "--label-column", label, "--store", store, "--create-store", "--model", model, "--publish-anyway",
                *more]

    def example(self):
        """Data and label column of the example panel."""
        panel = ROOT / "examples" / "five-populations"
        return panel / "panel.vcf.gz", panel / "panel.tsv", "pop"

    def program(self, name, model, store):
        """One of those that cells measure, by its name."""

        def python(file, precision, *more, packages=self.packages):
            self.install("requirements.txt", self.packages)
            return Program(self.machine, [PYTHON, PEERS / file, store, model.name, "--precision", precision, *more],
                           {"PYTHONPATH": str(packages), "PYTRITON_HOME": str(self.folder / "triton")})

        ours = {"ours": self.precision, "exact": "fp32", "int8": "int8"}
        if name in ours:
            # The load asks for cohorts without end; admission is measured for itself.
            return self.server(store, ours[name], "--max-streams", 400, "--max-queued-samples", 2_000_000_000)
        if name == "trainer":
            return Trainer(self.machine, self.trainer_command(
                "acgan", *self.example(), store.parent / "neighbour", "neighbour", "--steps", 1_000_000,
                "--max-seconds", 3600, "--validations", 1))
        if name.startswith("python"):
            more = ["--cumulated"] if name.endswith("cumulated") else []
            return python("serving_grpc.py", "fp32" if "32" in name else "bf16", *more)
        if name == "triton":
            self.install_triton()
            return python("serving_triton.py", "bf16", packages=self.triton_packages)
        return python(f"serving_{name}.py", self.precision if name == "offline" else "bf16")

    # -- measurements

    def json_of(self, command, environment=None, patience=600):
        """The line of JSON that a command ends with."""
        done = subprocess.run([str(part) for part in command], text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, env=environment, timeout=patience)
        if done.returncode:
            raise Stop((done.stderr.strip().splitlines() or ["it failed"])[-1][-300:])
        return json.loads(done.stdout.strip().splitlines()[-1])

    def measure(self, work):
        """A figure that was not disturbed; else the least disturbed one, which is busy."""
        best, least = None, math.inf
        for _ in range(self.options.retries + 1):
            measured = self.machine.watch(work)
            if measured.foreign < least:
                best, least = measured, measured.foreign
            if not best.busy or self.patience <= 0:
                break
            self.patience -= 1
        return best

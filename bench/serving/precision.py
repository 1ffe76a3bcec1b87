"""P12: the same cohort of trained generators in fp32 and in each other precision.

It compares bytes and takes no times, so that other jobs cannot disturb it.
"""
import os
import pathlib
import subprocess
import tempfile

from .programs import Stop
from .setting import say
from .table import met

PEOPLE = 2048  # hence 4,096 rows, which the goal calls samples
STEPS = 600    # of the published recipe, as the goal was set


def generators(setting):
    """(title, how to train it) of each."""
    found = [("acgan --quick, drawn", ["acgan", *setting.example()], ["--quick"])]
    if os.environ.get("GENOSERVE_REAL_DATA"):
        real = pathlib.Path(os.environ["GENOSERVE_REAL_DATA"]).resolve() / "1000g-805"
        found.append((f"acgan-paper, {STEPS} steps, 805 real variants, thresholded",
                      ["acgan-paper", real / "train.vcf.gz", real / "train.panel.tsv", "pop"],
                      ["--steps", STEPS, "--validations", 1]))
    return found


def alleles(path):
    """Of each variant the phased genotypes as bytes: their 0s and 1s differ in one bit."""
    with open(path, "rb") as file:
        for line in file:
            if not line.startswith(b"#"):
                yield line.split(b"\t", 9)[9]


def compare(exact, rounded):
    """Shares of haplotype calls and of people's genotypes that differ, and the largest shift of a frequency."""
    variants = calls = genotypes = shift = 0
    for before, after in zip(alleles(exact), alleles(rounded), strict=True):
        variants += 1
        shift = max(shift, abs(before.count(b"1") - after.count(b"1")))
        if before != after:
            calls += (int.from_bytes(before, "big") ^ int.from_bytes(after, "big")).bit_count()
            genotypes += sum(one.count(b"1") != other.count(b"1")
                             for one, other in zip(before.split(b"\t"), after.split(b"\t"), strict=True))
    return calls / (variants * 2 * PEOPLE), genotypes / (variants * PEOPLE), shift / (2 * PEOPLE)


def effects(setting):
    """Lines of the table of goals."""
    lines = []
    for title, recipe, schedule in generators(setting):
        say(f"P12: {title}")
        store = setting.folder / ("trained-" + recipe[0])
        with tempfile.TemporaryDirectory() as folder:
            try:
                if not (store / "trained" / "1" / "manifest.json").exists():
                    train(setting, recipe, store, schedule)
                exact = fetch(setting, store, "fp32", folder)
            except Stop as failure:
                lines.append(["P12", title, str(failure), *[""] * 5])
                continue
            for precision in ("bf16", "int8"):
                lines += compared(setting, store, title, precision, exact, folder)
    return lines


def train(setting, recipe, store, schedule):
    command = setting.trainer_command(*recipe, store, "trained", *schedule)
    done = subprocess.run([str(part) for part in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise Stop((done.stderr.strip().splitlines() or ["the training failed"])[-1])


def fetch(setting, store, precision, folder):
    path = f"{folder}/{precision}.vcf"
    server = setting.server(store, precision)
    try:
        with server:
            subprocess.run([str(part) for part in [
                setting.binary("genoserve"), "fetch", "trained", "-n", PEOPLE, "--seed", 1, "-q", "--force", "-o", path,
                "--server", f"127.0.0.1:{server.told['port']}"]], check=True)
    finally:
        server.end()
    return path


def compared(setting, store, title, precision, exact, folder):
    def line(text, figure="", goal="", holds=""):
        return ["P12", title, f"{precision} against fp32: {text}", figure, "", "", goal, holds]

    try:
        calls, genotypes, shift = compare(exact, fetch(setting, store, precision, folder))
    except Stop as failure:
        return [line(str(failure))]
    # A precision that changes nothing was not used.
    return [line("haplotype calls that differ", f"{calls:.4%}", "≤ 0.015 %", met(0 < calls <= 0.00015)),
            line("genotypes of people that differ", f"{genotypes:.4%}"),
            line(f"largest shift of an allele frequency, {2 * PEOPLE:,} haplotypes", f"{shift:.4f}", "≤ 0.02",
                 met(0 < shift <= 0.02))]

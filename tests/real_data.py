#!/usr/bin/env python3
"""Trains both architectures on real data, briefly, and checks what a user of the worked examples relies on.

Usage: real_data.py DATA BIN, with the folders of the data (1000g-805, mice-10k) and of the programs.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

DATA, BIN = map(pathlib.Path, sys.argv[1:])
PANEL = DATA / "1000g-805"
MICE = DATA / "mice-10k"
RUNS = {
    "acgan": ["--vcf", PANEL / "train.vcf.gz", "--panel", PANEL / "train.panel.tsv", "--label-column", "super_pop"],
    "wgan-gp": ["--bfile", MICE / "train", "--pheno", MICE / "train.pheno.tsv",
                "--pheno-name", "coat_colour,sex,body_weight", "--categorical", "sex"],
}
# With fewer samples than these a group's frequencies are mostly chance.
SMALLEST_GROUP = 100


def figures_of(arch, store):
    subprocess.run([BIN / "genoserve-trainer", "train", "--arch", arch, "--steps", "20", "--seed", "1", "--store", store,
                    "--create-store", "--model", arch, *RUNS[arch]], check=True, stdout=subprocess.DEVNULL)
    return json.loads((pathlib.Path(store) / arch / "1" / "manifest.json").read_text())["figures"]


def problems_of(figures):
    whole = {f["name"]: f.get("value", 0) for f in figures if not f.get("label")}
    if whole["af.pearson"] < 0.98:
        yield f"allele frequencies correlate by {whole['af.pearson']}, expected 0.98"
    for f in figures:
        if f["name"] == "af.pearson" and f.get("label") and int(f["n"]) >= SMALLEST_GROUP and f["value"] < 0.95:
            yield f"allele frequencies of {f['label']} correlate by {f['value']}, expected 0.95"
    real, synthetic = whole["ld.neighbour_r2.real"], whole["ld.neighbour_r2.synthetic"]
    if not 0.8 < synthetic / real < 1.2:
        yield f"mean r2 of neighbours is {synthetic}, of the real ones {real}"
    for name in ("rows.found_in_training", "rows.repeated"):
        if whole[name] != 0:
            yield f"{name} is {whole[name]}, expected 0"


def main():
    failed = False
    with tempfile.TemporaryDirectory() as store:
        for arch in RUNS:
            for problem in problems_of(figures_of(arch, store)):
                print(f"{arch}: {problem}")
                failed = True
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

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


def quality_of(arch, store):
    subprocess.run([BIN / "genoserve-trainer", "train", "--arch", arch, "--steps", "20", "--seed", "1", "--store", store,
                    "--create-store", "--model", arch, "--publish-anyway", *RUNS[arch]], check=True, stdout=subprocess.DEVNULL)
    return json.loads((pathlib.Path(store) / arch / "1" / "quality.json").read_text())


def problems_of(quality):
    whole = {f["name"]: f for f in quality["figures"] if not f.get("label")}
    off = whole["af.pearson"]["floor"]["value"] - whole["af.pearson"]["value"]
    if off > 0.01:
        yield f"allele frequencies correlate less than those of real people by {off}"
    linked = whole["ld.neighbour_r2"]
    if not 0.8 < linked["value"] / linked["floor"]["value"] < 1.2:
        yield f"mean r2 of neighbours is {linked['value']}, of real people {linked['floor']['value']}"
    for name in ("privacy.identical_training", "privacy.repeated"):
        if whole[name]["value"] != 0:
            yield f"{name} is {whole[name]['value']}, expected 0"
    for breach in quality["gate"].get("breaches", []):
        if breach.get("hard"):
            yield breach["message"]


def main():
    failed = False
    with tempfile.TemporaryDirectory() as store:
        for arch in RUNS:
            for problem in problems_of(quality_of(arch, store)):
                print(f"{arch}: {problem}")
                failed = True
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

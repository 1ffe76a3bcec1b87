#!/usr/bin/env python3
"""Runs examples/ci-gwas as a CI job would, against a real server, and checks that it fails where the truth is another.

Usage: ci_gwas.py BIN, with the folder of the programs.
"""
import os
import pathlib
import subprocess
import sys
import tempfile

import tiny_server

EXAMPLE = pathlib.Path(__file__).resolve().parents[1] / "examples" / "ci-gwas"


def check(condition, message):
    if not condition:
        sys.exit(f"ci_gwas: {message}")


def genotypes(folder, *command):
    """Of all variants and samples, by bcftools, from a VCF that the command makes."""
    tiny_server.run(*command, cwd=folder)
    query = "%CHROM %POS %ID %REF %ALT[ %GT]\\n"
    return tiny_server.run("bcftools", "query", "-f", query, folder / "exported.vcf")


def main():
    programs = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        with tiny_server.serve(programs, folder) as environment:
            environment["PATH"] = f"{programs}{os.pathsep}{environment['PATH']}"
            told = tiny_server.run(EXAMPLE / "run.sh", tiny_server.MODEL, folder / "one", env=environment)
            tiny_server.run(EXAMPLE / "run.sh", tiny_server.MODEL, folder / "two", env=environment)
        print(told, end="")
        one, two = folder / "one", folder / "two"
        fixture = sorted(path.name for path in one.glob("gwas.*") if ".glm." not in path.name and path.suffix != ".log")
        expected = ("bed bim fam pgen pvar psam vcf.gz vcf.gz.csi pheno.tsv covar.tsv panel.tsv truth.tsv "
                    "manifest.json").split()
        check(fixture == sorted(f"gwas.{suffix}" for suffix in expected), f"the fixture has {fixture}")
        for file in fixture:
            check((one / file).read_bytes() == (two / file).read_bytes(), f"{file} differs from one fetch to the next")
        # The three forms hold the same genotypes, PGEN and VCF the same phase, too.
        export = ["--export", "vcf", "--out", "exported", "--silent"]
        phased = genotypes(one, "plink2", "--pfile", "gwas", *export)
        check("|" in phased and genotypes(one, "plink2", "--vcf", "gwas.vcf.gz", *export) == phased, "VCF and PGEN differ")
        unphased = genotypes(one, "plink2", "--bfile", "gwas", "--real-ref-alleles", *export)
        check(unphased == phased.replace("1|0", "0/1").replace("|", "/"), "BED and PGEN differ")
        # A pipeline that takes the wrong allele for the effect allele is found out.
        truth = (one / "gwas.truth.tsv").read_text().splitlines()
        for position, line in enumerate(truth[1:], 1):
            cells = line.split("\t")
            cells[5] = str(-float(cells[5]))
            truth[position] = "\t".join(cells)
        (one / "wrong.tsv").write_text("\n".join(truth) + "\n")
        results = [one / "gwas.sim_trait.glm.linear", one / "conditioned.sim_trait.glm.linear"]
        wrong = subprocess.run([EXAMPLE / "compare.py", one / "wrong.tsv", *results], text=True, capture_output=True,
                               timeout=tiny_server.PATIENCE)
        check(wrong.returncode == 1 and "has the wrong direction" in wrong.stdout, f"a wrong truth passes: {wrong}")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Compares what a GWAS found with what is true of a simulated trait: exit code 0 where they agree, 1 where not.

Usage: compare.py TRUTH.tsv RESULTS CONDITIONED [MIN_SHARE]

TRUTH is what `genoserve fetch --simulate-pheno` writes, RESULTS what `plink2 --glm` does, and CONDITIONED what it does
with the causal variants as --condition-list. They agree where
- every causal variant that makes at least MIN_SHARE (0.03) of the trait's variance is found, with the right direction;
- beside the causal variants none is found: what is found in RESULTS is correlated with one of them.
"""
import math
import sys


def read_table(path):
    """The rows of a table by the names of its columns."""
    with open(path) as file:
        lines = [line.split() for line in file if line.strip()]
    names = [name.lstrip("#") for name in lines[0]]
    return [dict(zip(names, line)) for line in lines[1:]]


def effect(row):
    """Of the allele A1, from a linear or a logistic regression."""
    return float(row["BETA"]) if "BETA" in row else math.log(float(row["OR"]))


def found_in(path):
    """The results of a regression by variant."""
    return {row["ID"]: row for row in read_table(path) if row["TEST"] == "ADD" and row["P"] != "NA"}


def main():
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__)
    truth = {row["ID"]: row for row in read_table(sys.argv[1])}
    results = found_in(sys.argv[2])
    conditioned = {name: row for name, row in found_in(sys.argv[3]).items() if name not in truth}
    least_share = float(sys.argv[4]) if len(sys.argv) == 5 else 0.03
    threshold = 0.05 / len(results)  # Bonferroni
    problems = []
    due = 0
    for name, causal in truth.items():
        if float(causal["SHARE"]) < least_share:
            continue
        due += 1
        found = results.get(name)
        if found is None or float(found["P"]) >= threshold:
            problems.append(f"{name}, {float(causal['SHARE']):.1%} of the variance, is not found")
            continue
        sign = 1 if found["A1"] == causal["A1"] else -1
        if sign * effect(found) * float(causal["BETA"]) < 0:
            problems.append(f"{name} has the wrong direction")
    if due == 0:
        problems.append(f"no causal variant makes {least_share:.1%} of the variance: there is nothing to find")
    for name, row in conditioned.items():
        if float(row["P"]) < threshold:
            problems.append(f"{name} is found beside the causal variants")
    for problem in problems:
        print(problem)
    hits = sum(float(row["P"]) < threshold for row in results.values())
    print(f"{sys.argv[2]}: {hits} of {len(results)} variants at P < {threshold:.2g}, {due} causal ones to find, "
          f"{len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

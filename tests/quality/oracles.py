#!/usr/bin/env python3
"""Computes the figures of core/quality by other implementations and keeps them as what the C++ tests expect.

Usage: oracles.py [--check]   writes core/quality/testdata/*.json; with --check compares them instead.
"""
import importlib
import json
import math
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
DATA = HERE.parent.parent / "core" / "quality" / "testdata"


def same(a, b):
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, float) or isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-9)
    return a == b


def main():
    check = sys.argv[1:] == ["--check"]
    if sys.argv[1:] and not check:
        sys.exit(__doc__)
    failed = False
    for module in sorted(path.stem for path in HERE.glob("*.py") if path.stem not in ("cohorts", "oracles")):
        expected = json.loads(json.dumps(importlib.import_module(module).expected()))
        file = DATA / f"{module}.json"
        if not check:
            file.write_text(json.dumps(expected, indent=1, sort_keys=True) + "\n")
        elif not same(expected, json.loads(file.read_text())):
            print(f"{file.name} is not what tests/quality/{module}.py computes")
            failed = True
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

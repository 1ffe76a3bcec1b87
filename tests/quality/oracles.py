#!/usr/bin/env python3
"""Computes the figures of core/quality by other implementations and keeps them as what the C++ tests expect.

Usage: oracles.py [--check]   writes core/quality/testdata/*.json; with --check compares them instead.
"""
import importlib
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import oracle_files

NAMES = sorted(path.stem for path in HERE.glob("*.py") if path.stem not in ("cohorts", "oracles"))

if __name__ == "__main__":
    sys.exit(oracle_files.main(__doc__, HERE.parent.parent / "core" / "quality" / "testdata",
                               {name: importlib.import_module(name).expected for name in NAMES}, 1e-6, 1e-9, indent=1))

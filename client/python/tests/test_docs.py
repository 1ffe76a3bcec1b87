"""The examples of docs/python.md run as they stand there."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys

import pytest

PAGE = pathlib.Path(__file__).resolve().parents[3] / "docs" / "python.md"
EXAMPLES = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 3


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_example(number: int, genoserve_server: str, genoserve_store: pathlib.Path, tmp_path: pathlib.Path) -> None:
    example = EXAMPLES[number]
    file = tmp_path / "test_example.py"
    file.write_text(example)
    command = [sys.executable, str(file)]
    if "def test_" in example:
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(file)]
    environment = {**os.environ, "GENOSERVE_SERVER": genoserve_server, "GENOSERVE_STORE": str(genoserve_store)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout

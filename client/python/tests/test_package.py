"""The wheel, built as users build it and installed where nothing else of the project is."""

from __future__ import annotations

import os
import pathlib
import re
import site
import subprocess
import sys
import tarfile
import zipfile

import pytest

import genoserve
from genoserve import testing

PROJECT = pathlib.Path(__file__).resolve().parent.parent
ROOT = PROJECT.parent.parent


def run(*command: object, cwd: pathlib.Path) -> str:
    # Without the package under test, which must come from the wheel.
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """By way of a source distribution, as a package index would have it."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", folder, cwd=PROJECT)
    (source,) = folder.glob("*.tar.gz")
    with tarfile.open(source) as archive:
        names = archive.getnames()
    assert any(name.endswith("/proto/genoserve/v1/cohort.proto") for name in names)
    assert not any(name.endswith("_pb2.py") for name in names)
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--disable-pip-version-check",
        "wheel",
        "-q",
        "--no-deps",
        "--no-build-isolation",
    ]
    run(*pip, "-w", folder, source, cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_is_pure_and_typed(wheel: pathlib.Path) -> None:
    assert wheel.name.endswith("-py3-none-any.whl")
    names = zipfile.ZipFile(wheel).namelist()
    for name in ("py.typed", "v1/cohort_pb2.py", "v1/cohort_pb2.pyi", "v1/types_pb2.py", "testing.py"):
        assert f"genoserve/{name}" in names
    assert not [name for name in names if "server" in name or "config" in name]


def test_the_wheel_works_in_a_fresh_environment(
    wheel: pathlib.Path, tmp_path: pathlib.Path, genoserve_server: str
) -> None:
    run(sys.executable, "-m", "venv", tmp_path / "venv", cwd=tmp_path)
    python = tmp_path / "venv" / "bin" / "python"
    run(
        python,
        "-m",
        "pip",
        "--disable-pip-version-check",
        "install",
        "-q",
        "--no-deps",
        "--no-index",
        wheel,
        cwd=tmp_path,
    )
    # The dependencies are those of this environment, which come after the wheel.
    (packages,) = (tmp_path / "venv" / "lib").glob("python*/site-packages")
    (packages / "dependencies.pth").write_text("\n".join(site.getsitepackages()) + "\n")
    code = (
        "import genoserve, sys; print(genoserve.__file__); "
        "print(len(genoserve.Client(sys.argv[1]).fetch('tiny', 12)), genoserve.__version__)"
    )
    place, figures = run(python, "-W", "error", "-c", code, genoserve_server, cwd=tmp_path).splitlines()
    assert place.startswith(str(packages))
    assert figures == f"12 {genoserve.__version__}"


def test_the_version_is_the_project_s() -> None:
    (version,) = re.findall(r"project\(genoserve VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text())
    assert genoserve.__version__ == version
    program = testing.program("genoserve")
    if program is not None:
        assert version in run(program, "version", cwd=ROOT)

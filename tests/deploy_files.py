#!/usr/bin/env python3
"""Checks the dashboards and alerts of deploy/ and the table in docs/training-watch.md against what a trainer exposes.

    deploy_files.py METRICS   a file in the Prometheus text format, with every metric of a trainer
"""

import json
import pathlib
import re
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent
METRIC = re.compile(r"genoserve_trainer_[a-z_]+")
failures = []


def expect(condition, message):
    if not condition:
        failures.append(message)


# Families, and the series of the histograms among them.
families = {}
for line in pathlib.Path(sys.argv[1]).read_text().splitlines():
    if line.startswith("# TYPE "):
        _, _, name, kind = line.split()
        families[name] = kind
series = {name + end for name, kind in families.items()
          for end in (("_bucket", "_count", "_sum") if kind == "histogram" else ("",))}
expect(len(families) > 10, f"{sys.argv[1]} has only {len(families)} metrics")

shown = set()


def check_expression(place, expression):
    names = set(METRIC.findall(expression))
    expect(names or "kube_job_failed" in expression, f"{place}: no metric in {expression!r}")
    for name in names - series:
        expect(False, f"{place}: there is no {name}")
    for name in names:
        if re.search(rf"(rate|increase)\({name}\b", expression):
            kind = families.get(name, "histogram")
            expect(kind in ("counter", "histogram"), f"{place}: the rate of {name}, a {kind}")
    expect(expression.count("(") == expression.count(")"), f"{place}: brackets of {expression!r}")
    shown.update(names)


for path in sorted((ROOT / "deploy/grafana").glob("*.json")):
    board = json.loads(path.read_text())
    expect(board.get("uid") and board.get("title"), f"{path.name}: needs uid and title")
    panels = board["panels"]
    expect(len({panel["id"] for panel in panels}) == len(panels), f"{path.name}: panels share an id")
    taken = set()
    for panel in panels:
        place = f"{path.name}, {panel['title']}"
        box = panel["gridPos"]
        cells = {(x, y) for x in range(box["x"], box["x"] + box["w"]) for y in range(box["y"], box["y"] + box["h"])}
        expect(box["x"] + box["w"] <= 24 and not cells & taken, f"{place}: overlaps another panel")
        taken |= cells
        expect(panel["targets"], f"{place}: shows nothing")
        for target in panel["targets"]:
            check_expression(place, target["expr"])

alerts = set()
for path in sorted((ROOT / "deploy/prometheus").glob("*.yaml")):
    for group in yaml.safe_load(path.read_text())["groups"]:
        for rule in group["rules"]:
            place = f"{path.name}, {rule['alert']}"
            expect(rule["alert"] not in alerts, f"{place}: twice")
            alerts.add(rule["alert"])
            check_expression(place, rule["expr"])
            expect(rule["labels"].get("severity") in ("warning", "critical"), f"{place}: severity")
            expect({"summary", "description"} <= rule["annotations"].keys(), f"{place}: summary and description")

page = (ROOT / "docs/training-watch.md").read_text()
told = set(re.findall(r"^\| `(genoserve_trainer_[a-z_]+)", page, re.M))
expect(told == set(families), f"docs/training-watch.md: differs in {sorted(told ^ set(families))}")
for alert in alerts:
    expect(alert in page, f"docs/training-watch.md: does not tell of {alert}")
expect(shown, "no expression was checked")

print("\n".join(failures))
sys.exit(bool(failures))

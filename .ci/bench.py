"""Compares gungraun's counts, from stdin, with the committed ones; see `.ci/bench`."""

import json
import sys
from pathlib import Path

import performance

COMMITTED = Path("benches/instructions.txt")
TOLERANCE = 1.03

counts = {}
for line in sys.stdin:
    run = json.loads(line)
    name = f"{run['function_name']}.{run['id']}"
    counts[name] = run["profiles"][0]["data"]["total"]["metrics"]["Ir"]["values"]["new"]
if not counts:
    sys.exit("nothing was counted: did the benchmark build?")

if "--accept" in sys.argv:
    lines = [f"{name} {count}" for name, count in counts.items()]
    COMMITTED.write_text("".join(f"{line}\n" for line in lines))
    performance.write("counts", lines)
    sys.exit()

committed = dict(line.split() for line in COMMITTED.read_text().splitlines())
worse = [name for name in committed if name not in counts]
for name, count in counts.items():
    before = int(committed.get(name, 0))
    change = f"{count / before - 1:+.1%}" if before else "new"
    print(f"{name:36} {before:>12,} {count:>12,} {change:>8}")
    if count > before * TOLERANCE:
        worse.append(name)
if worse:
    sys.exit(f"more instructions than committed, or not counted: {', '.join(worse)}\n\n"
             "hint: if it is worth it, run `.ci/bench --accept` and commit the counts")

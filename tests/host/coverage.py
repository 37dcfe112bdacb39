#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Line coverage of files, from gcov's data of all objects: TOP OBJECTS LEAST FILE..."""
import json
import pathlib
import subprocess
import sys

top, objects, least = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2], float(sys.argv[3])
files = {(top / name).resolve(): name for name in sys.argv[4:]}
lines = {name: {} for name in files.values()}

for data in pathlib.Path(objects).rglob("*.gcda"):
    out = subprocess.run(["gcov", "--json-format", "--stdout", data.resolve()],
                         check=True, capture_output=True, text=True, cwd=objects).stdout
    for report in map(json.loads, out.splitlines()):
        for source in report["files"]:
            path = pathlib.Path(report["current_working_directory"], source["file"]).resolve()
            if path not in files:
                continue
            seen = lines[files[path]]
            for line in source["lines"]:
                number = line["line_number"]
                seen[number] = seen.get(number, 0) + line["count"]

passed = failed = 0
for name, seen in lines.items():
    missing = sorted(number for number, count in seen.items() if not count)
    percent = 100 * (len(seen) - len(missing)) / len(seen) if seen else 0
    good = percent >= least
    passed += good
    failed += not good
    print(f"{'ok' if good else 'fail'} coverage: {name}: {percent:.1f} % of {len(seen)} lines"
          + (f", not {', '.join(map(str, missing[:20]))}" if missing else ""))
print(f"{passed} passed, {failed} failed")
sys.exit(failed != 0)

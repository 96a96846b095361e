#!/usr/bin/env python3
"""Puts the figures of `make validate` (its output on stdin) into docs/method.md, between its two marks."""
import re
import sys
from pathlib import Path

document = Path(__file__).parent.parent / "docs/method.md"
rows = ["| gate | share | must be | repetitions |", "| --- | ---: | --- | ---: |"]
for line in sys.stdin:
    found = re.match(r"(\S.+?)\s+(\d+\.\d %)\s+((?:[≥≤] )?\d[\d.–]* %)\s+(\d+)(\s+MISSED)?$", line.rstrip())
    if found:
        what, share, must, of, missed = found.groups()
        rows.append(f"| {what.strip()} | {share}{' **missed**' if missed else ''} | {must} | {of} |")
text = document.read_text()
before, _, rest = text.partition("<!-- validate -->")
_, _, after = rest.rpartition("<!-- /validate -->")
document.write_text(f"{before}<!-- validate -->\n" + "\n".join(rows) + f"\n<!-- /validate -->{after or rest}")
print(f"{len(rows) - 2} gates")

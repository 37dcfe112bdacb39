# SPDX-License-Identifier: GPL-2.0
"""What the emulator's profile plugin has counted, by domain and function."""

import bisect
import collections
import json
import re
from pathlib import Path

XEN = range(0xffff820000000000, 0xffff830000000000)
USER = range(0, 1 << 47)


class Symbols:
    """Functions by address, as /proc/kallsyms and /proc/xen/xensyms list them."""

    def __init__(self, *files):
        found = {}
        for f in files:
            for line in f.read_text().splitlines():
                address, _, name, *module = line.split()
                # Xen names static functions FILE#NAME.
                name = re.sub(r"(\.(isra|constprop|part|cold)\b.*)", "", name.rpartition("#")[2])
                found[int(address, 16)] = " ".join([name, *module])
        self.addresses = sorted(found)
        self.names = [found[a] for a in self.addresses]

    def find(self, address):
        """(name, is this its first instruction?)"""
        i = bisect.bisect(self.addresses, address) - 1
        if i < 0:
            return hex(address), False
        return self.names[i], self.addresses[i] == address


class Profile:
    """Counts between two marks. Keys are (part, function); parts are "dom0", "dom0 user",
    "Xen for dom0", the same of each guest, and "Xen switching" between them."""

    def __init__(self, file):
        self.insns = collections.Counter()
        self.calls = collections.Counter()
        self.copied = collections.Counter()
        kind, pair, _ = file.name.split(".", 2)
        symbols = symbols_of(file.parent, kind, pair)
        names = {0: None}
        self.strays = 0
        for line in file.read_text().splitlines():
            word = line.split()
            if word[0] == "domain":
                names[int(word[1])] = word[2]
            elif word[0] == "strays":
                self.strays = int(word[1])
            else:
                address = int(word[0], 16)
                domain, insns, times, copied = map(int, word[1:])
                self._add(address, names[domain], symbols, insns * times, times, copied)

    def _add(self, address, domain, symbols, insns, times, copied):
        if address in XEN:
            part, table = f"Xen for {domain}" if domain else "Xen switching", "xen"
        elif address in USER:
            part, table = f"{domain} user", None
        else:
            part, table = domain or "unknown", domain
        name, entry = "(all)", False
        if table in symbols:
            name, entry = symbols[table].find(address)
        self.insns[part, name] += insns
        self.copied[part] += copied
        if entry:
            self.calls[part, name] += times

    def parts(self):
        """Instructions of each part."""
        sums = collections.Counter()
        for (part, _), n in self.insns.items():
            sums[part] += n
        return sums

    def called(self, where, *functions):
        """How often functions were entered in parts whose name matches."""
        return sum(n for (part, name), n in self.calls.items()
                   if name in functions and re.match(where, part))


CACHE = {}


def symbols_of(directory, kind, pair):
    """Tables of Xen, dom0 and each guest, of one pair: modules move."""
    key = directory, kind, pair
    if key not in CACHE:
        kernels = {"dom0": directory / "symbols.dom0"}
        guest = directory / "symbols.guest"
        tables = {"xen": Symbols(directory / "symbols.xen")}
        for modules in directory.glob(f"symbols.{kind}.{pair}.*"):
            domain = modules.suffix[1:]
            base = guest if domain != "dom0" and guest.exists() else kernels["dom0"]
            tables[domain] = Symbols(base, modules)
        CACHE[key] = tables
    return CACHE[key]


def rows_of(directory):
    """The objects of table.json, each with a method to find profiles."""
    return json.loads((Path(directory) / "table.json").read_text(encoding="utf-8"))


def profiles_of(directory, row):
    """(pair, profile, operations) of a row of table.json."""
    for pair, ops in row["ops"].items():
        file = Path(directory) / f"{row['guest']}.{pair}.{row['row']}.profile"
        if ops and file.exists():
            yield pair, Profile(file), ops

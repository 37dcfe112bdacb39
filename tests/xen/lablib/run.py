# SPDX-License-Identifier: GPL-2.0
"""One scenario in one QEMU: hand it over, follow it, judge it."""

import os
import re
import shlex
import shutil
import sys
import tarfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from . import cache, config, vm
from .cache import LabError

# What a kernel says when something is wrong with it.
TROUBLE = re.compile(
    r"BUG:|WARNING:|\bOops\b|Call Trace:|INFO: task|blocked for more than|general protection|"
    r"Unable to handle|kernel BUG|Kernel panic|soft lockup|hard LOCKUP|rcu_\w+ (self-)?detected|"
    r"stall detected|refcount_t|UBSAN|KASAN|KCSAN|lockdep|scheduling while atomic|"
    r"sleeping function called|list_(add|del) corruption|Bad page|page allocation failure|"
    r"double free|use-after-free|Freeing .*busy|bad unlock|possible .*deadlock")
# Said by the stock kernels of this lab, whatever drivers run.
HARMLESS = re.compile(
    r"RETBleed: WARNING: Spectre v2|Spectre V2 : WARNING: Unprivileged eBPF|"
    r"ENERGY_PERF_BIAS|x86/mm: Checked W\+X|lockdep_|lockdown")


# Warnings of the emulated machine, with the traces that follow them. With several physical
# CPUs a PVH guest's CPUID may answer from another CPU's XCR0.
HARMLESS_TRACE = re.compile(r"WARNING: .* fpu__init_system_xstate")
END_OF_TRACE = re.compile(r"---\[ end trace")


def trouble(lines, allowed):
    """The lines of a kernel log that should not be there. Allowing a warning allows the trace
    that belongs to it."""
    skipping, cut = False, -10
    for n, line in enumerate(lines):
        if skipping:
            skipping = not END_OF_TRACE.search(line)
        elif "[ cut here ]" in line:
            cut = n
        elif HARMLESS_TRACE.search(line) or any(a.search(line) for a in allowed):
            skipping = n - cut <= 3
        elif TROUBLE.search(line) and not HARMLESS.search(line):
            yield re.sub(r"^\[[ 0-9.]+\] ", "", line).strip()


@dataclass
class Case:
    """A scenario file and the comments at its top that say how to run it."""
    path: Path
    meta: dict = field(default_factory=dict)

    def __post_init__(self):
        self.name = self.path.stem
        for line in self.path.read_text(encoding="utf-8").splitlines():
            if not line.startswith("#"):
                break
            m = re.match(r"#\s*([a-z0-9-]+):\s*(.*)", line)
            if m:
                if m[1] in ("allow-dmesg", "expect"):
                    self.meta.setdefault(m[1], []).append(m[2])
                else:
                    self.meta[m[1]] = m[2].strip()

    @property
    def summary(self):
        return self.meta.get("about", "")

    @property
    def tags(self):
        return self.meta.get("tags", "").split()


def find_case(word):
    for p in (Path(word), config.CASES / f"{word}.sh"):
        if p.is_file():
            return Case(p)
    raise LabError(f"no case {word}: see 'lab list'")


def all_cases():
    return [Case(p) for p in sorted(config.CASES.glob("*.sh"))]


class Run:
    """A case with its options, from start to verdict."""

    def __init__(self, case, opts, say, label=None):
        self.case, self.opts, self.say = case, opts, say
        meta = case.meta
        self.dom0 = opts.dom0 or meta.get("dom0-kernel", "6.1")
        self.guest = opts.guest or meta.get("guest-kernel") or self.dom0
        self.guest_type = opts.guest_type or meta.get("guest-type", "pvh")
        self.smp = opts.smp or int(meta.get("smp", 1))
        self.limit = opts.limit or int(meta.get("limit", 300))
        for k in (self.dom0, self.guest):
            if k not in config.SERIES:
                raise LabError(f"no kernel {k}: {', '.join(config.SERIES)}")
        kernels = meta.get("guest-kernels", "").split()
        self.guests = sorted({self.guest, *kernels})
        clock = opts.clock or meta.get("clock") or (
            "kvm" if config.hardware_virtualisation() else "virtual")
        self.spec = vm.Spec(dom0=self.dom0, smp=self.smp, clock=clock,
                            shift=int(opts.shift if opts.shift is not None
                                      else meta.get("shift", 0)),
                            xen_args=meta.get("xen-args", ""), dom0_args=meta.get("dom0-args", ""))
        self.label = label or case.name
        self.out = config.OUT / self.label
        self.results = []           # (verdict, name, why)
        self.allowed = [a.split(" -- ")[0].strip() for a in meta.get("allow-dmesg", [])]
        self.last_step, self.virtual = "start of dom0", 0.0
        self.ended = None

    # --- handing over -------------------------------------------------------------------

    def job(self, directory, mode="run", tty=None):
        """The disk that carries the run into dom0: a small file system of a fixed size, as
        the machine it is put into may have been booted long ago."""
        root = directory / "job"
        root.mkdir()
        for name in ("main", "runner", "lib.sh", "hang"):
            shutil.copy2(config.HERE / "dom0" / name, root / name)
        if self.case:
            shutil.copy2(self.case.path, root / "case.sh")
        for extra in self.case.meta.get("files", "").split():
            shutil.copy2(self.case.path.parent / extra, root)
        wanted = self.case.meta.get("guest-tools", "").split()
        own = [t for which in wanted for t in self.own_tools(which)]
        (root / "bin").mkdir()
        for t in own:
            shutil.copy2(t, root / "bin")
        modules = self.modules(self.dom0)
        (root / "dom0-modules").mkdir()
        for m in modules:
            shutil.copy2(m, root / "dom0-modules")
        for series in self.guests:
            g = root / "guest" / series
            g.mkdir(parents=True)
            shutil.copy2(cache.kernel(series) / "vmlinux", g / "vmlinux")
            overlay = directory / f"overlay-{series}"
            (overlay / "lab").mkdir(parents=True)
            for m in self.modules(series):
                shutil.copy2(m, overlay / "lab")
            (overlay / "bin").mkdir()
            for t in own:
                shutil.copy2(t, overlay / "bin")
            cache.cpio(overlay, directory / "cpio")
            parts = [cache.guest_base(series), directory]
            parts += [cache.guest_programs(w) for w in wanted if w in config.GUEST_PROGRAMS]
            (g / "initramfs").write_bytes(b"".join((p / "cpio").read_bytes() for p in parts))
        env = {
            "LAB_MODE": mode, "LAB_CASE": self.case.name, "LAB_DOM0": self.dom0,
            "LAB_GUEST": self.guest, "LAB_GUEST_TYPE": self.guest_type, "LAB_SMP": self.smp,
            "LAB_SEED": self.opts.seed or 1,
            "LAB_OURS_FRONT": ",".join(
                m for m in ("xsplit", "blkfront", "netfront")
                if any(p.stem == m for p in self.modules(self.guest))),
            **(tty or {}),
        }
        for pair in self.opts.set or []:
            k, eq, v = pair.partition("=")
            if not eq or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", k):
                raise LabError(f"--set {pair}: not NAME=VALUE")
            env[k] = v
        (root / "env").write_text("".join(f"{k}={shlex.quote(str(v))}\n" for k, v in env.items()))
        image = directory / "job.ext4"
        cache.sh(["mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-m", "0",
                  "-E", "root_owner=0:0", "-d", root, image, f"{config.JOB_MB}M"])
        shutil.rmtree(root)
        return image

    def own_tools(self, which):
        """Programs that a case asks for and that are not in every image."""
        if which != "selftests":
            return cache.tools(which).iterdir()
        try:
            return cache.selftests().iterdir()
        except LabError as e:
            # The case says what it cannot run.
            self.say(self, f"no selftests: {e}")
            return []

    def plugin(self):
        """The plugin of the emulator that the case asks for; only virtual time has one."""
        name = self.case.meta.get("plugin")
        return cache.plugin(name) if name and self.spec.clock == "virtual" else None

    def modules(self, series):
        release = cache.resolve()["kernels"][series]["release"]
        return sorted((config.TREE / "build" / release).glob("*.ko"))

    # --- following ----------------------------------------------------------------------

    def check_modules(self):
        wanted = self.case.meta.get("modules", "").split()
        if "ours" in wanted:
            for series in {self.dom0, *self.guests}:
                if not any(m.stem == "xsplit" for m in self.modules(series)):
                    release = cache.resolve()["kernels"][series]["release"]
                    raise LabError(f"build/{release}/xsplit.ko is missing: build the modules first")

    def run(self):
        """Run the case; never raises for what the case does."""
        begin = time.monotonic()
        shutil.rmtree(self.out, ignore_errors=True)
        self.out.mkdir(parents=True)
        machine = None
        try:
            self.check_modules()
            state = vm.snapshot(self.spec)
            begin = time.monotonic()
            machine = vm.Machine(self.spec, self.out, self.plugin())
            image = self.job(machine.dir)
            machine.start(image, incoming=state)
            if not state:
                vm.wait_ready(machine, 900)
            self.say(self, f"dom0 {self.dom0} up after {time.monotonic() - begin:.1f} s"
                           + (" (snapshot)" if state else " (booted)"))
            machine.send("go")
            self.follow(machine)
        except LabError as e:
            self.verdict("fail", self.label, str(e))
        except EOFError:
            self.verdict("fail", self.label, "QEMU ended; last console lines:\n"
                         + vm.console_tail(self.out))
        finally:
            if machine:
                machine.close()
        self.real = time.monotonic() - begin
        self.judge_logs()
        if not self.results:
            self.verdict("fail", self.label, "ended without a result")
        self.write_summary()
        return self.results

    def crashed(self):
        """Xen's own words when it, or dom0, is no more: nothing will come after them."""
        try:
            with open(self.out / "xen-console.log", "rb") as f:
                f.seek(max(0, os.fstat(f.fileno()).st_size - 4096))
                return re.search(rb"Hardware Dom0 (crashed|halted)|Panic on CPU|Reboot disabled",
                                 f.read())
        except OSError:
            return None

    def follow(self, machine):
        hung, deadline = False, self.limit
        while True:
            line = machine.event(time.monotonic() + 2)
            if line is None and self.crashed():
                self.verdict("fail", self.label, f"dom0 or Xen crashed; last step: "
                             f"{self.last_step}; last console lines:\n" + vm.console_tail(self.out))
                return
            if line is None and machine.seconds() < deadline:
                continue
            if line is None:
                if hung:
                    self.verdict("fail", self.label,
                                 "dom0 does not answer either; last console lines:\n"
                                 + vm.console_tail(self.out))
                    machine.xen_keys("0q")
                    return
                hung = True
                self.verdict("fail", self.label,
                             f"no end after {self.limit} s ({self.virtual:.1f} s virtual);"
                             f" last step: {self.last_step}\n" + self.trace_tail())
                machine.send("hang")
                deadline = machine.seconds() + 90
                continue
            if self.handle(line):
                self.collect(machine)
                return

    def handle(self, line):
        kind, _, rest = line.partition(" ")
        stamp, _, text = rest.partition(" ")
        try:
            self.virtual = float(stamp)
        except ValueError:
            text = rest
        if kind == "step":
            self.last_step = text
            self.say(self, text)
        elif kind == "log":
            self.say(self, text)
        elif kind == "note":
            self.say(self, f"note: {text}")
        elif kind in ("ok", "fail", "skip"):
            name, _, why = text.partition(" ")
            self.verdict(kind, name, why)
        elif kind == "allow":
            self.allowed.append(text.split(" -- ")[0])
            self.say(self, f"allowed in dmesg: {text}")
        elif kind == "end":
            self.ended = text or stamp
            if self.ended == "0":
                return True
            if any(v == "fail" for v, _, _ in self.results):
                # A case that has said itself what failed may leave as it likes.
                self.say(self, self.trace_tail(20))
            else:
                self.verdict("fail", self.label, f"case ended with exit code {self.ended}, last "
                             f"step: {self.last_step}\n" + self.trace_tail())
            return True
        return False

    def verdict(self, kind, name, why=""):
        self.results.append((kind, name, why))
        self.say(self, f"{kind} {name}" + (f": {why}" if why else ""), result=True)

    def trace_tail(self, lines=6):
        try:
            text = (self.out / "case.log").read_text(errors="replace").splitlines()
        except OSError:
            text = []
        return "    last lines of the case's log:\n" + "\n".join(
            "    " + x[:200] for x in text[-lines:])

    # --- judging ------------------------------------------------------------------------

    def collect(self, machine):
        tar = machine.dir / "out.tar"
        try:
            with tarfile.open(tar) as t:
                for m in t:
                    # Console logs of guests are theirs to fill: nothing but plain files.
                    if m.isfile() and ".." not in Path(m.name).parts \
                            and not m.name.startswith("/"):
                        dest = self.out / m.name
                        dest.parent.mkdir(parents=True, exist_ok=True)
                        dest.write_bytes(t.extractfile(m).read())
        except (tarfile.TarError, OSError) as e:
            self.verdict("fail", self.label, f"logs did not arrive: {e}")

    def judge_logs(self):
        """A kernel that warned has failed the case, whatever the case itself found."""
        logs = [*self.out.glob("*-dmesg.txt"), *self.out.glob("xen/console/*.log")]
        if not (self.out / "dom0-dmesg.txt").exists():
            logs.append(self.out / "xen-console.log")
        allowed = [re.compile(a) for a in self.allowed]
        seen = {}            # in order, each once
        for log in logs:
            if log.name == "xen-dmesg.txt":
                continue
            try:
                text = log.read_text(errors="replace").splitlines()
            except OSError:
                continue
            seen.update(dict.fromkeys((log.name, what) for what in trouble(text, allowed)))
        if seen:
            first = list(seen)[:4]
            self.verdict("fail", f"{self.label}.kernel-messages",
                         "; ".join(f"{a}: {b}" for a, b in first))

    def write_summary(self):
        with open(self.out / "result.txt", "w", encoding="utf-8") as f:
            for kind, name, why in self.results:
                f.write(f"{kind} {name}" + (f": {why}" if why else "") + "\n")


class Printer:
    """Progress of several runs on one terminal, whole lines at a time."""

    def __init__(self, quiet=False):
        self.lock, self.begin, self.quiet = threading.Lock(), time.monotonic(), quiet

    def __call__(self, run, text, result=False):
        if self.quiet and not result:
            return
        with self.lock:
            at = f"[{time.monotonic() - self.begin:5.0f} s]"
            print(f"{at} {run.label}: {text}", flush=True)


def run_many(runs, jobs):
    """Up to jobs machines side by side; returns all results."""
    todo, results, lock = list(runs), [], threading.Lock()

    def worker():
        while True:
            with lock:
                if not todo:
                    return
                run = todo.pop(0)
            got = run.run()
            with lock:
                results.extend((run, *r) for r in got)

    threads = [threading.Thread(target=worker, daemon=True) for _ in range(min(jobs, len(todo)))]
    for t in threads:
        t.start()
    for t in threads:
        while t.is_alive():
            t.join(0.5)
    return results


def total(results):
    n = {k: sum(1 for r in results if r[1] == k) for k in ("ok", "fail", "skip")}
    line = f"{n['ok']} passed, {n['fail']} failed"
    if n["skip"]:
        line += f", {n['skip']} skipped"
    return line, n["fail"]


def shell(run):
    """The lab with its dom0 on this terminal."""
    run.out.mkdir(parents=True, exist_ok=True)
    size = shutil.get_terminal_size()
    state = vm.snapshot(run.spec)
    machine = vm.Machine(run.spec, run.out)
    try:
        image = run.job(machine.dir, "shell", {
            "LAB_ROWS": size.lines, "LAB_COLS": size.columns,
            "LAB_TERM": os.environ.get("TERM", "linux")})
        if not state:
            print("booting dom0 ...", flush=True)
        machine.start(image, shell=True, incoming=state)
        if not state:
            vm.wait_ready(machine, 900)
        machine.send("go")
        while True:
            line = machine.event(time.monotonic() + 3600)
            if line is not None and line.startswith("end"):
                return
    except EOFError:
        pass
    finally:
        machine.close()
        if sys.stdin.isatty():
            os.system("stty sane")

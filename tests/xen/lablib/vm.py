# SPDX-License-Identifier: GPL-2.0
"""One QEMU: its command line, its monitor, its snapshots."""

import contextlib
import json
import os
import shlex
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from . import cache, config
from .cache import LabError, digest


@dataclass(frozen=True)
class Spec:
    """What a machine is; everything here goes into the key of its snapshot."""
    dom0: str = "6.1"
    smp: int = 1
    shift: int = 0              # virtual ns per instruction, as a power of two
    memory: int = config.MEMORY_MB
    clock: str = "virtual"      # virtual; parallel (TCG, one thread per CPU); kvm
    xen_args: str = ""
    dom0_args: str = ""


def qemu_version():
    out = subprocess.run([config.QEMU, "--version"], stdout=subprocess.PIPE, text=True,
                         check=True).stdout
    return out.splitlines()[0]


PREFIX = "xsplit-lab-"
MACHINES = set()
CLOSING = False


def close_all():
    """End every QEMU of this process; for exits by signal."""
    global CLOSING                  # pylint: disable=global-statement
    CLOSING = True
    for m in list(MACHINES):
        m.close()


def remove_stale():
    """Directories of lab processes that were killed before they could tidy up."""
    for d in Path(tempfile.gettempdir()).glob(PREFIX + "*"):
        pid = d.name[len(PREFIX):].partition("-")[0]
        if pid.isdigit() and not Path(f"/proc/{pid}").exists():
            shutil.rmtree(d, ignore_errors=True)


def into_memory(path):
    """Have a file in the page cache. While a machine in virtual time waits for this computer's
    disk it is idle, and idle time is skipped: all in it that waits for a program times out."""
    with open(path, "rb", buffering=0) as f:
        end = 0
        with contextlib.suppress(OSError):          # ENXIO: only a hole is left
            while True:
                begin = os.lseek(f.fileno(), end, os.SEEK_DATA)
                end = os.lseek(f.fileno(), begin, os.SEEK_HOLE)
                os.lseek(f.fileno(), begin, os.SEEK_SET)
                while (left := end - f.tell()) > 0:
                    f.read(min(left, 1 << 20))


class Machine:
    """A running QEMU. Sockets and pipes are in a directory of its own; logs go to out."""

    def __init__(self, spec, out, plugin=None):
        self.spec, self.out = spec, Path(out)
        self.plugin = plugin    # of TCG: it looks on and changes nothing
        remove_stale()
        self.dir = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
        self.proc = self.qmp = self.ctl = None
        self.begin = 0.0
        self._buf = b""
        self.tty = False        # QEMU has our terminal and must restore its mode

    def common_args(self):
        """The part of the command line that a snapshot depends on."""
        s = self.spec
        if s.clock == "kvm":
            accel, cpu = ["-accel", "kvm"], "host"
        elif s.clock == "parallel":
            accel, cpu = ["-accel", "tcg,thread=multi"], config.CPU
        else:
            accel, cpu = config.virtual_time(s.shift), config.CPU
        xen = config.XEN_ARGS.format(mem=config.DOM0_MB, vcpus=s.smp, extra=s.xen_args).strip()
        dom0 = config.DOM0_ARGS.format(extra=s.dom0_args).strip()
        k, rd = cache.kernel(s.dom0), cache.initrd(s.dom0)
        root = cache.dom0_root()
        return [config.QEMU, "-nodefaults", "-no-user-config", "-display", "none", "-vga", "none",
                "-machine", "pc", *accel, "-cpu", cpu, "-smp", str(s.smp), "-m", f"{s.memory}M",
                "-rtc", "clock=vm", "-no-reboot",
                "-kernel", str(cache.xen() / "xen"), "-append", xen,
                "-initrd", f"{k / 'bzImage'} {dom0},{rd / 'initrd'}",
                "-drive", f"if=virtio,format=raw,readonly=on,file={root / 'root.ext4'}"]

    def args(self, job, shell, incoming):
        d = self.dir
        serial = f"socket,id=com1,path={d}/com1,server=on,wait=off,logfile={self.out}/xen-console.log"
        sh = "stdio,id=sh,signal=off" if shell else "null,id=sh"
        args = self.common_args() + [
            "-drive", f"if=virtio,format=raw,readonly=on,file={job}",
            "-drive", f"if=virtio,format=raw,snapshot=on,file={scratch_image()}",
            "-chardev", serial, "-serial", "chardev:com1",
            "-device", "virtio-serial-pci,max_ports=8",
            "-chardev", f"socket,id=ctl,path={d}/ctl,server=on,wait=off",
            "-device", "virtserialport,nr=1,chardev=ctl,name=ctl",
            "-chardev", f"file,id=log,path={self.out}/case.log",
            "-device", "virtserialport,nr=2,chardev=log,name=log",
            "-chardev", f"file,id=out,path={d}/out.tar",
            "-device", "virtserialport,nr=3,chardev=out,name=out",
            "-chardev", sh, "-device", "virtconsole,nr=4,chardev=sh,name=sh",
            "-chardev", f"socket,id=qmp,path={d}/qmp,server=on,wait=off",
            "-mon", "chardev=qmp,mode=control", "-S"]
        if shell:
            # Somebody is waiting at a prompt: let idle time pass as it does for them.
            args = [a.replace("sleep=off", "sleep=on") for a in args]
        if incoming:
            args += ["-incoming", f"exec:cat {incoming}"]
        if self.plugin:
            args += ["-plugin", f"{self.plugin},out={self.out}"]
        # For tools that look at the machine from outside, such as a profiler's monitor.
        return args + shlex.split(os.environ.get("LAB_QEMU_ARGS", ""))

    def start(self, job, shell=False, incoming=None):
        self.out.mkdir(parents=True, exist_ok=True)
        if CLOSING:
            raise LabError("interrupted")
        for image in (cache.dom0_root() / "root.ext4", scratch_image(), job):
            into_memory(image)
        args = self.args(job, shell, incoming)
        self.tty = shell
        env = dict(os.environ, TMPDIR=str(self.dir))
        with open(self.out / "qemu.log", "w", encoding="utf-8") as log:
            log.write(" ".join(args) + "\n")
            log.flush()
            # Should this process be killed, QEMU goes with it.
            self.proc = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *args], stdin=None if shell else subprocess.DEVNULL,
                                         stdout=None if shell else log, stderr=log, env=env,
                                         start_new_session=not shell)
        MACHINES.add(self)
        self.begin = time.monotonic()
        self.qmp = self._connect("qmp")
        self.ctl = self._connect("ctl")
        self.qmp_file = self.qmp.makefile("rw", encoding="utf-8")
        json.loads(self.qmp_file.readline())
        self.command("qmp_capabilities")
        if incoming:
            self._wait_migration(120)
        self.command("cont")

    def _connect(self, name):
        s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        end = time.monotonic() + 30
        while True:
            try:
                s.connect(str(self.dir / name))
                return s
            except OSError:
                if self.proc.poll() is not None or time.monotonic() > end:
                    log = (self.out / "qemu.log").read_text().splitlines()[1:]
                    raise LabError("QEMU did not start: " + " ".join(log[-5:])) from None
                time.sleep(0.02)

    def command(self, name, **arguments):
        self.qmp_file.write(json.dumps({"execute": name, "arguments": arguments}) + "\n")
        self.qmp_file.flush()
        while True:
            line = self.qmp_file.readline()
            if not line:
                raise LabError("QEMU closed its monitor")
            answer = json.loads(line)
            if "error" in answer:
                raise LabError(f"QEMU: {name}: {answer['error'].get('desc')}")
            if "return" in answer:
                return answer["return"]

    def _wait_migration(self, limit):
        end = time.monotonic() + limit
        while time.monotonic() < end:
            if self.proc.poll() is not None:
                log = (self.out / "qemu.log").read_text().splitlines()[1:]
                raise LabError("QEMU ended while loading or saving state: " + " ".join(log[-5:]))
            status = self.command("query-migrate").get("status")
            if status == "completed":
                return
            if status in ("failed", "cancelled"):
                raise LabError(f"QEMU: state not loaded or saved ({status})")
            time.sleep(0.05)
        raise LabError("QEMU: loading or saving state took too long")

    def save(self, path):
        self.command("stop")
        self.command("migrate-set-parameters", **{"max-bandwidth": 1 << 40})
        self.command("migrate", uri=f"exec:cat > {path}")
        self._wait_migration(300)

    def send(self, line):
        self.ctl.sendall(line.encode() + b"\n")

    def event(self, deadline):
        """The next line from dom0; None when the time (time.monotonic()) is over or, with
        EOFError, when QEMU is gone."""
        while b"\n" not in self._buf:
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            self.ctl.settimeout(min(left, 1))
            try:
                data = self.ctl.recv(65536)
            except socket.timeout:
                if self.proc.poll() is not None:
                    raise EOFError from None
                continue
            except OSError:
                raise EOFError from None
            if not data:
                raise EOFError
            self._buf += data
        line, _, self._buf = self._buf.partition(b"\n")
        return line.decode(errors="replace")

    def seconds(self):
        """How long the machine has run. In virtual time QEMU is never idle, so its CPU time
        is that: other work on this computer must not make a case look hung."""
        real = time.monotonic() - self.begin
        if self.spec.clock != "virtual":
            return real
        try:
            stat = Path(f"/proc/{self.proc.pid}/stat").read_text(encoding="ascii")
        except OSError:
            return real
        utime, stime = stat.rpartition(")")[2].split()[11:13]
        # Should QEMU itself be stuck, real time ends it.
        return max((int(utime) + int(stime)) / os.sysconf("SC_CLK_TCK"), real / 4)

    def xen_keys(self, keys):
        """Debug keys to Xen, for a machine whose dom0 no longer answers."""
        with contextlib.suppress(OSError, LabError):
            s = self._connect("com1")
            s.sendall(b"\x01\x01\x01")
            time.sleep(1)
            for k in keys:
                s.sendall(k.encode())
                time.sleep(2)
            s.close()

    def close(self):
        """End QEMU, only the one started here, and remove its directory."""
        MACHINES.discard(self)
        if self.proc and self.proc.poll() is None:
            # Nothing in it is worth an orderly exit: disks are overlays, logs are out.
            self.proc.send_signal(signal.SIGTERM if self.tty else signal.SIGKILL)
            try:
                self.proc.wait(5)
            except subprocess.TimeoutExpired:
                self.proc.kill()
                self.proc.wait()
        for s in (self.qmp, self.ctl):
            if s:
                s.close()
        shutil.rmtree(self.dir, ignore_errors=True)


def scratch_image():
    def build(d):
        cache.sh(["mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-m", "0",
                  "-E", "lazy_itable_init=1", d / "scratch.ext4", f"{config.SCRATCH_MB}M"])
    return cache.artefact("scratch", digest(config.SCRATCH_MB, 1), build,
                          "scratch disk") / "scratch.ext4"


def wait_ready(m, limit):
    """Until dom0 says that its services are up."""
    end = time.monotonic() + limit
    while True:
        line = m.event(end)
        if line is None:
            raise LabError(f"dom0 not up after {limit} s; last console lines:\n"
                           + console_tail(m.out))
        if line == "ready":
            return


def console_tail(out, lines=15):
    with contextlib.suppress(OSError):
        text = (Path(out) / "xen-console.log").read_bytes().decode(errors="replace")
        text = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", text)
        text = [x.rstrip() for x in text.splitlines() if x.strip()]
        return "\n".join("    " + x for x in text[-lines:])
    return "    (none)"


def snapshot(spec):
    """The state of a booted machine, or None where it has to be booted each time."""
    if spec.clock == "kvm" or os.environ.get("XSPLIT_COLD"):
        return None
    m = Machine(spec, config.CACHE)
    key = digest(qemu_version(), m.common_args(), config.JOB_MB, config.SCRATCH_MB, 1)
    shutil.rmtree(m.dir, ignore_errors=True)

    def build(d):
        job = d / "job"
        with open(job, "wb") as f:
            f.truncate(config.JOB_MB << 20)
        vm = Machine(spec, d)
        try:
            vm.start(job)
            wait_ready(vm, 900)
            vm.save(d / "state")
        except EOFError:
            raise LabError("QEMU ended during dom0's boot:\n" + console_tail(d)) from None
        finally:
            vm.close()
        job.unlink()

    name = f"snapshot-{spec.dom0}-smp{spec.smp}"
    return cache.artefact(name, key, build,
                          f"dom0 {spec.dom0} booted, {spec.smp} CPU, {spec.clock} time") / "state"

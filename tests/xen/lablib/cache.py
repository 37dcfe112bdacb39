# SPDX-License-Identifier: GPL-2.0
"""Artefacts built once and kept outside the tree.

Each one is a directory NAME-KEY in the cache, KEY being a hash over everything that went in.
It is built beside its final place and renamed, so a half-built one is never used.
"""

import contextlib
import fcntl
import gzip
import hashlib
import inspect
import json
import lzma
import os
import re
import shutil
import struct
import subprocess
import sys
import time
from pathlib import Path

from . import config

APT_ENV = dict(os.environ, LC_ALL="C", DEBIAN_FRONTEND="noninteractive")


class LabError(Exception):
    """Something the user has to know, without a traceback."""


def sh(args, **kw):
    """Run a program; its output only matters when it fails."""
    p = subprocess.run([str(a) for a in args], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       stdin=subprocess.DEVNULL, env=kw.pop("env", APT_ENV), **kw)
    if p.returncode:
        tail = p.stdout.decode(errors="replace")[-2000:]
        raise LabError(f"{' '.join(map(str, args))[:300]}: exit {p.returncode}\n{tail}")
    return p.stdout.decode(errors="replace")


def digest(*things):
    h = hashlib.sha256()
    for t in things:
        h.update(t if isinstance(t, bytes) else json.dumps(t, sort_keys=True).encode())
        h.update(b"\0")
    return h.hexdigest()[:12]


def file_bytes(*paths):
    return b"".join(Path(p).read_bytes() + b"\0" for p in paths)


@contextlib.contextmanager
def locked(name):
    """One builder at a time, also between separate lab commands."""
    config.CACHE.mkdir(parents=True, exist_ok=True)
    with open(config.CACHE / f".{name}.lock", "w", encoding="ascii") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        yield


def busy(name):
    """Is somebody else building this?"""
    with open(config.CACHE / f".{name}.lock", "w", encoding="ascii") as f:
        try:
            fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def artefact(name, key, build, label):
    """The directory of an artefact, built by build(dir) when it is not there."""
    path = config.CACHE / f"{name}-{key}"
    if path.is_dir():
        os.utime(path)
        return path
    config.CACHE.mkdir(parents=True, exist_ok=True)
    if busy(name):
        print(f"[lab] waiting for another lab: {label}", flush=True)
    with locked(name):
        if path.is_dir():
            return path
        tmp = config.CACHE / f".building-{name}-{key}"
        shutil.rmtree(tmp, ignore_errors=True)
        tmp.mkdir(parents=True)
        print(f"[lab] {label} ...", end=" ", flush=True)
        begin = time.monotonic()
        try:
            build(tmp)
        except BaseException:
            print("failed")
            raise
        tmp.rename(path)
        print(f"{time.monotonic() - begin:.0f} s", flush=True)
        expire(name, path)
    return path


def expire(name, keep):
    """Drop what has the same name and nobody has used for three hours: a run in
    progress may still read it."""
    for old in config.CACHE.glob(f"{name}-*"):
        if re.fullmatch(re.escape(name) + r"-[0-9a-f]{12}", old.name) and old != keep \
                and time.time() - old.stat().st_mtime > 3 * 3600:
            shutil.rmtree(old, ignore_errors=True)


# --- which packages --------------------------------------------------------------------

def apt_stamp():
    """Changes whenever the package lists may have changed."""
    lists = Path("/var/lib/apt/lists")
    return digest(sorted((p.name, p.stat().st_mtime_ns) for p in lists.glob("*_Packages*")),
                  file_bytes(__file__, config.__file__))


def newest_image(series):
    names = sh(["apt-cache", "pkgnames", f"linux-image-{series}."]).split()
    pat = re.compile(rf"linux-image-({re.escape(series)}\.\d+(?:-\d+|\+deb12)-amd64)(-unsigned)?")
    best = None
    for m in filter(None, map(pat.fullmatch, names)):
        rank = ([int(n) for n in re.findall(r"\d+", m[1])], m[2] is None)
        if best is None or rank > best[0]:
            best = (rank, m[1], m[0])
    if not best:
        raise LabError(f"no linux-image package of series {series}: run tests/setup first")
    return best[1], best[2]


def candidate(package):
    m = re.search(r"^  Candidate: (\S+)", sh(["apt-cache", "policy", package]), re.M)
    if not m or m[1] == "(none)":
        raise LabError(f"package {package} is not in the package lists: run tests/setup first")
    return m[1]


def closure(packages):
    """[(name, version)] of packages and all they depend on, as on an empty system."""
    empty = config.CACHE / ".empty-status"
    empty.write_text("")
    out = sh(["apt-get", "-o", f"Dir::State::status={empty}", "--no-install-recommends",
              "-s", "install", *packages])
    got = re.findall(r"^Inst (\S+) \((\S+) ", out, re.M)
    return [(n, v) for n, v in got if not re.match(config.DOM0_UNUSED, n)]


def resolve():
    """Everything that depends on the package lists, remembered until they change."""
    config.CACHE.mkdir(parents=True, exist_ok=True)
    memo = config.CACHE / "resolved.json"
    stamp = apt_stamp()
    with contextlib.suppress(OSError, ValueError):
        known = json.loads(memo.read_text())
        if known["stamp"] == stamp:
            return known
    kernels = {}
    for series in config.SERIES:
        release, package = newest_image(series)
        kernels[series] = {"release": release, "package": package, "version": candidate(package)}
    known = {
        "stamp": stamp, "kernels": kernels,
        "xen": [config.XEN_PACKAGE, candidate(config.XEN_PACKAGE)],
        "dom0": closure(config.DOM0_PACKAGES),
        "fio": candidate("fio").split("+b")[0],
        "selftests": candidate(config.SELFTESTS_PACKAGE),
    }
    tmp = memo.with_suffix(f".{os.getpid()}")
    tmp.write_text(json.dumps(known, indent=1))
    tmp.rename(memo)
    return known


def unpack(debs, dest):
    """Fetch packages into the cache's deb store and unpack them into dest."""
    store = config.CACHE / "debs"
    (store / "partial").mkdir(parents=True, exist_ok=True)

    def find(name, version):
        return next(iter(store.glob(f"{name}_{version.replace(':', '%3a')}_*.deb")), None)

    missing = [f"{n}={v}" for n, v in debs if not find(n, v)]
    if missing:
        # As root apt drops privileges for the download, which the store may not allow.
        sh(["apt-get", "-q", "-o", "APT::Sandbox::User=root", "-o", "Acquire::Retries=3",
            "download", *missing], cwd=store)
    for top in ("bin", "sbin", "lib", "lib64"):
        (dest / "usr" / top).mkdir(parents=True, exist_ok=True)
        (dest / top).symlink_to(f"usr/{top}")
    for name, version in debs:
        deb = find(name, version)
        if not deb:
            raise LabError(f"{name} {version} was not downloaded")
        # dpkg -x would replace the merged-usr links above by directories.
        with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb],
                              stdout=subprocess.PIPE) as p:
            subprocess.run(["tar", "-x", "--keep-directory-symlink", "-C", dest],
                           stdin=p.stdout, check=True)
        if p.returncode:
            raise LabError(f"cannot unpack {deb.name}")


# --- kernels ---------------------------------------------------------------------------

def vmlinux(bzimage):
    """The ELF inside a bzImage: decompressing it in the guest would take tens of seconds."""
    sects = bzimage[0x1f1] or 4
    offset, length = struct.unpack_from("<II", bzimage, 0x248)
    start = (sects + 1) * 512 + offset
    data = bzimage[start:start + length]
    if data[:6] == b"\xfd7zXZ\0":
        return lzma.LZMADecompressor(lzma.FORMAT_XZ).decompress(data)
    if data[:2] == b"\x1f\x8b":
        return gzip.decompress(data[:-4])
    if data[:4] == b"\x28\xb5\x2f\xfd":
        return subprocess.run(["zstd", "-dcq"], input=data[:-4], stdout=subprocess.PIPE,
                              check=True).stdout
    raise LabError("bzImage payload in an unknown compression")


def select_modules(src, dest, names):
    """Copy modules with all they depend on; returns file names in load order."""
    deps, order = {}, []
    for line in (src / "modules.dep").read_text().splitlines():
        target, _, need = line.partition(":")
        deps[target] = need.split()
    by_name = {re.sub(r"\.ko$", "", Path(t).name).replace("-", "_"): t for t in deps}
    builtin = {Path(t).name.replace("-", "_")[:-3]
               for t in (src / "modules.builtin").read_text().split()}

    def add(target):
        if target in order:
            return
        for need in reversed(deps[target]):
            add(need)
        order.append(target)

    for name in names:
        key = name.replace("-", "_")
        if key in by_name:
            add(by_name[key])
        elif key not in builtin:
            print(f"(no module {name})", end=" ")
    for target in order:
        out = dest / target
        out.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(src / target, out)
    for name in ("modules.builtin", "modules.order", "modules.builtin.modinfo"):
        if (src / name).exists():
            shutil.copy2(src / name, dest)
    return order


def kernel(series):
    """vmlinux, bzImage and all modules (uncompressed, with depmod's files)."""
    k = resolve()["kernels"][series]

    def build(d):
        root = d / "root"
        root.mkdir()
        unpack([(k["package"], k["version"])], root)
        bz = root / "boot" / f"vmlinuz-{k['release']}"
        (d / "vmlinux").write_bytes(vmlinux(bz.read_bytes()))
        shutil.move(bz, d / "bzImage")
        shutil.move(root / "boot" / f"config-{k['release']}", d / "config")
        modules = root / "usr/lib/modules" / k["release"]
        packed = [p for p in modules.rglob("*.ko.*")]
        for i in range(0, len(packed), 500):
            sh(["xz", "-d", "-q", "-T0", *packed[i:i + 500]])
        sh(["depmod", "-b", root, k["release"]])
        shutil.move(modules, d / "modules")
        shutil.rmtree(root)
        (d / "release").write_text(k["release"])

    key = digest(k, inspect.getsource(kernel), inspect.getsource(vmlinux))
    return artefact(f"kernel-{series}", key, build, f"kernel {k['release']}")


def xen():
    name, version = resolve()["xen"]

    def build(d):
        root = d / "root"
        root.mkdir()
        unpack([(name, version)], root)
        (d / "xen").write_bytes(gzip.decompress((root / config.XEN_IMAGE).read_bytes()))
        shutil.rmtree(root)

    return artefact("xen", digest(name, version, 1), build, f"Xen {version}")


# --- programs --------------------------------------------------------------------------

def fio():
    """fio, static: Debian's own binary needs 90 MB of libraries."""
    version = resolve()["fio"]

    def build(d):
        source_lists(d)
        opts = ["-o", f"Dir::Etc::sourcelist={d}/sources.list", "-o", f"Dir::Etc::sourceparts={d}/parts",
                "-o", f"Dir::State::lists={d}/lists", "-o", f"Dir::Cache={d}/cache",
                "-o", "APT::Sandbox::User=root", "-o", "Acquire::Retries=3"]
        sh(["apt-get", "-q", *opts, "update"])
        sh(["apt-get", "-q", *opts, "source", "--download-only", f"fio={version}"], cwd=d)
        sh(["dpkg-source", "--no-check", "-x", next(d.glob("fio_*.dsc")), d / "src"], cwd=d)
        sh(["./configure", "--build-static", "--disable-native", "--disable-shm", "--disable-numa",
            "--disable-rdma", "--disable-rados", "--disable-rbd", "--disable-gfapi",
            "--disable-http", "--disable-pmem", "--disable-libnfs", "--disable-xnvme"],
           cwd=d / "src")
        made = (d / "src/config-host.mak").read_text()
        if "CONFIG_LIBAIO=y" not in made:
            raise LabError("fio would be built without libaio: is libaio-dev installed?")
        sh(["make", "-s", "-j", os.cpu_count() or 1, "fio"], cwd=d / "src")
        shutil.copy2(d / "src/fio", d / "fio.full")
        sh(["strip", "-o", d / "fio", d / "fio.full"])
        for junk in ("src", "parts", "lists", "cache"):
            shutil.rmtree(d / junk, ignore_errors=True)
        for junk in (*d.glob("fio_*"), d / "fio.full"):
            junk.unlink()

    return artefact("fio", digest(version, inspect.getsource(fio)), build, f"fio {version}, static")


def source_lists(d):
    """A private apt configuration with the source counterpart of the system's own entries
    for this release (they usually name only binary packages)."""
    info = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().split("\n")
                if "=" in line)
    codename = info["VERSION_CODENAME"].strip('"')
    parts = d / "parts"
    for sub in (parts, d / "lists/partial", d / "cache/archives/partial"):
        sub.mkdir(parents=True)
    out = []
    etc = Path("/etc/apt")
    for f in [etc / "sources.list", *sorted((etc / "sources.list.d").glob("*.list"))]:
        if not f.exists():
            continue
        for line in f.read_text().splitlines():
            m = re.match(r"deb\s+(\[[^]]*\]\s+)?(\S+)\s+(\S+)\s+(.*)", line)
            if m and re.match(rf"{codename}\b", m[3]):
                out.append(re.sub(r"^deb\s", "deb-src ", line))
    (d / "sources.list").write_text("".join(line + "\n" for line in out))
    for f in sorted((etc / "sources.list.d").glob("*.sources")):
        keep = []
        for stanza in re.split(r"\n\s*\n", f.read_text()):
            suites = re.search(r"^Suites:\s*(.*)", stanza, re.M | re.I)
            if suites and any(re.match(rf"{codename}\b", s) for s in suites[1].split()):
                stanza = re.sub(r"^Types:.*", "Types: deb-src", stanza, flags=re.M | re.I)
                keep.append("\n".join(x for x in stanza.splitlines() if not x.startswith("#")))
        if keep:
            (parts / f.name).write_text("\n\n".join(keep) + "\n")


def tools(which=""):
    """Small C programs of the lab itself, static so that dom0 and guests share them: those of
    every run, or those that a run hands over because its case asks for them. A directory with
    a main.c is one program, others have one per file."""
    here = config.HERE / "tools" / which
    src, headers = sorted(here.glob("*.c")), sorted(here.glob("*.h"))
    programs = {which: src} if (here / "main.c").exists() else {c.stem: [c] for c in src}

    def build(d):
        for program, parts in programs.items():
            sh(["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-static", "-s", "-o",
                d / program, *parts])

    name = f"tools-{which}" if which else "tools"
    return artefact(name, digest(file_bytes(*src, *headers), [c.name for c in src]), build,
                    f"lab tools {which}".rstrip())


def plugin(name):
    """A plugin for QEMU's TCG."""
    src = config.HERE / "plugin" / f"{name}.c"

    def build(d):
        sh(["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-fvisibility=hidden",
            "-o", d / f"{name}.so", src])

    return artefact(f"plugin-{name}", digest(file_bytes(src)), build,
                    f"emulator plugin {name}") / f"{name}.so"


def selftests():
    """Some of the kernel's own network selftests, static."""
    name, version = config.SELFTESTS_PACKAGE, resolve()["selftests"]
    inside = "tools/testing/selftests"

    def build(d):
        sh(["apt-get", "-q", "-o", "APT::Sandbox::User=root", "-o", "Acquire::Retries=3",
            "download", f"{name}={version}"], cwd=d)
        deb = next(d.glob("*.deb"))
        sh(["bash", "-o", "pipefail", "-c",
            f"dpkg-deb --fsys-tarfile {deb} | tar -xO ./usr/src/{name}.tar.xz |"
            f" tar -xJ -C {d} --strip-components=1 --wildcards"
            f" '*/{inside}/net/*.[ch]' '*/{inside}/kselftest*.h'"])
        deb.unlink()
        src = d / inside
        for program in config.SELFTESTS:
            c = src / "net" / f"{program}.c"
            sh(["gcc", "-O2", "-static", "-s", f"-I{src}", "-o", d / c.stem, c])
        shutil.rmtree(d / "tools")

    return artefact("selftests", digest(name, version, config.SELFTESTS, inspect.getsource(selftests)),
                    build, f"network selftests of {name}")


# --- dom0 ------------------------------------------------------------------------------

def dom0_root():
    """dom0's read-only root image: Debian's Xen user space, both kernels' modules, our init."""
    debs = resolve()["dom0"]
    ours = [config.HERE / "dom0/init"]
    kernels = {s: kernel(s) for s in config.SERIES}
    fio_dir, tools_dir = fio(), tools()

    def build(d):
        root = d / "root"
        root.mkdir()
        unpack([tuple(x) for x in debs], root)
        trim(root)
        for k in kernels.values():
            release = (k / "release").read_text()
            select_modules(k / "modules", root / "usr/lib/modules" / release, config.MODULES)
            sh(["depmod", "-b", root, release])
        shutil.copy2(fio_dir / "fio", root / "usr/bin/fio")
        for t in tools_dir.iterdir():
            shutil.copy2(t, root / "usr/bin")
        shutil.copy2("/bin/busybox", root / "usr/bin/busybox")
        shutil.copy2(ours[0], root / "sbin/lab-init")
        (root / "sbin/lab-init").chmod(0o755)
        sh(["ldconfig", "-r", root])
        size = int(sh(["du", "-sm", root]).split()[0])
        sh(["mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-m", "0", "-N", "40000",
            "-E", "root_owner=0:0", "-d", root, d / "root.ext4", f"{size * 5 // 4 + 64}M"])
        shutil.rmtree(root)

    key = digest(debs, file_bytes(*ours, "/bin/busybox"), [k.name for k in kernels.values()],
                 fio_dir.name, tools_dir.name, config.MODULES, inspect.getsource(dom0_root),
                 inspect.getsource(trim))
    return artefact("dom0-root", key, build, "dom0 root image")


def trim(root):
    """What maintainer scripts would have done, and less of what costs time in emulation."""
    for junk in ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/info",
                 "usr/share/bash-completion", "usr/lib/python3", "usr/share/zoneinfo",
                 "usr/lib/systemd/system", "usr/lib/udev/hwdb.d", "usr/share/qemu/edk2"):
        shutil.rmtree(root / junk, ignore_errors=True)
    # Only what block and network hotplug and device mapper need: every rule is matched
    # against every event.
    keep = {"50-udev-default.rules", "80-drivers.rules", "55-dm.rules", "95-dm-notify.rules",
            "xen-backend.rules"}
    for rules in (root / "usr/lib/udev/rules.d").glob("*"):
        if rules.name not in keep:
            rules.unlink()
    # Which driver takes a device is the scenario's choice, not the alias table's.
    (root / "etc/modprobe.d").mkdir(parents=True, exist_ok=True)
    (root / "etc/modprobe.d/lab.conf").write_text("".join(
        f"blacklist {m}\n" for m in ("xen-blkfront", "xen-netfront", "xen-blkback",
                                     "xen-netback")))
    for d in ("proc", "sys", "dev", "run", "tmp", "mnt", "job", "scratch", "root", "var/lib/xen",
              "var/lib/xenstored", "var/log/xen", "etc/alternatives"):
        (root / d).mkdir(parents=True, exist_ok=True)
    for link, to in (("var/run", "/run"), ("var/lock", "/run/lock"), ("usr/bin/awk", "mawk"),
                     ("usr/bin/sh", "dash")):
        if (root / link).is_dir() and not (root / link).is_symlink():
            shutil.rmtree(root / link)
        if not (root / link).is_symlink():
            (root / link).symlink_to(to)
    (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/bash\n")
    (root / "etc/group").write_text("".join(
        f"{g}:x:{i}:\n" for i, g in enumerate(
            "root tty disk kmem lp dialout cdrom tape audio video render kvm input sgx".split())))
    (root / "etc/hosts").write_text("127.0.0.1 localhost\n")
    (root / "etc/nsswitch.conf").write_text("passwd: files\ngroup: files\nhosts: files\n")
    # Without a syslog each logger call of the hotplug scripts only fails slowly.
    logger = root / "usr/bin/logger"
    logger.unlink(missing_ok=True)
    logger.write_text("#!/bin/sh\nexec >>/var/log/xen/logger.log\nprintf '%s\\n' \"$*\"\n")
    logger.chmod(0o755)


def initrd(series):
    """dom0's initrd: enough to mount the root image with a RAM overlay on it."""
    k = kernel(series)
    init = config.HERE / "dom0/initrd-init"

    def build(d):
        root = d / "root"
        for sub in ("bin", "proc", "sys", "dev", "lower", "upper", "new", "m"):
            (root / sub).mkdir(parents=True)
        shutil.copy2("/bin/busybox", root / "bin/busybox")
        shutil.copy2(init, root / "init")
        (root / "init").chmod(0o755)
        order = select_modules(k / "modules", root / "m", config.DOM0_BOOT_MODULES)
        (root / "m/order").write_text("".join(f"{m}\n" for m in order))
        cpio(root, d / "initrd")
        shutil.rmtree(root)

    key = digest(file_bytes(init, "/bin/busybox"), k.name, config.DOM0_BOOT_MODULES,
                 inspect.getsource(initrd), inspect.getsource(cpio))
    return artefact(f"initrd-{series}", key, build, f"dom0 initrd, {series}")


def cpio(root, out):
    """An uncompressed newc archive, written here rather than by cpio(1): fixed numbers make
    it reproducible, and device nodes need no privilege."""
    chunks = []

    def entry(ino, name, mode, data=b"", rdev=(0, 0)):
        head = "070701" + "".join(f"{v:08X}" for v in (
            ino, mode, 0, 0, 1, 0, len(data), 0, 0, rdev[0], rdev[1], len(name) + 1, 0))
        blob = head.encode() + name.encode() + b"\0"
        blob += b"\0" * (-len(blob) % 4)
        chunks.append(blob + data + b"\0" * (-len(data) % 4))

    ino = 1
    for path in sorted(Path(root).rglob("*")):
        name = str(path.relative_to(root))
        if path.is_symlink():
            entry(ino, name, 0o120777, os.readlink(path).encode())
        elif path.is_dir():
            entry(ino, name, 0o40755)
        else:
            entry(ino, name, 0o100000 | (path.stat().st_mode & 0o777), path.read_bytes())
        ino += 1
    entry(ino, "dev", 0o40755)
    entry(ino + 1, "dev/console", 0o20600, rdev=(5, 1))
    entry(0, "TRAILER!!!", 0)
    Path(out).write_bytes(b"".join(chunks) + b"\0" * 512)


# --- guest -----------------------------------------------------------------------------

def guest_base(series):
    """The part of a guest's initramfs that no run changes."""
    k = kernel(series)
    init = config.HERE / "guest/init"
    fio_dir, tools_dir, programs = fio(), tools(), guest_programs("base")

    def build(d):
        root = d / "root"
        for sub in ("bin", "proc", "sys", "dev", "run", "tmp", "mnt", "etc", "root", "usr"):
            (root / sub).mkdir(parents=True)
        for top in ("lib", "lib64", "sbin"):
            (root / "usr" / top).mkdir()
            (root / top).symlink_to(f"usr/{top}")
        (root / "usr/bin").symlink_to("../bin")
        shutil.copy2("/bin/busybox", root / "bin/busybox")
        (root / "bin/sh").symlink_to("busybox")
        shutil.copy2(fio_dir / "fio", root / "bin/fio")
        shutil.copy2(tools_dir / "labagent", root / "bin")
        shutil.copy2(init, root / "init")
        (root / "init").chmod(0o755)
        # mount without a type tries these; ext4 is a module, so not in /proc/filesystems.
        (root / "etc/filesystems").write_text("ext4\n")
        release = (k / "release").read_text()
        modules = root / "usr/lib/modules" / release
        for m in select_modules(k / "modules", modules, config.GUEST_MODULES):
            # Signatures go too: nothing checks them, and they are in the way of strip.
            sh(["strip", "--strip-debug", modules / m])
        sh(["depmod", "-b", root, release])
        here = {p.name for p in (programs / "root/usr/sbin").iterdir()}
        for link in sh(["/bin/busybox", "--list"]).split():
            if link not in here and not (root / "bin" / link).exists():
                (root / "bin" / link).symlink_to("busybox")
        sh(["cp", "-a", f"{programs}/root/.", root])
        cpio(root, d / "cpio")
        shutil.rmtree(root)

    key = digest(file_bytes(init, "/bin/busybox"), k.name, fio_dir.name, tools_dir.name,
                 programs.name, config.GUEST_MODULES, inspect.getsource(guest_base),
                 inspect.getsource(cpio))
    return artefact(f"guest-{series}", key, build, f"guest initramfs, {series}")


def guest_programs(which):
    """A set of Debian's programs with their libraries, as a tree and as an archive that can
    be appended to a guest's initramfs."""
    debs = [tuple(x) for x in resolve()["dom0"] if re.match(config.GUEST_PACKAGES, x[0])]

    def build(d):
        full, root = d / "full", d / "root"
        full.mkdir()
        unpack(debs, full)
        (root / "usr/sbin").mkdir(parents=True)
        copy_programs(full, root, config.GUEST_PROGRAMS[which])
        if (root / "usr/bin").exists():
            (root / "usr/bin").rename(root / "bin")
        cpio(root, d / "cpio")
        shutil.rmtree(full)

    key = digest(debs, config.GUEST_PROGRAMS[which], inspect.getsource(guest_programs),
                 inspect.getsource(copy_programs), inspect.getsource(follow), inspect.getsource(cpio))
    return artefact(f"guest-programs-{which}", key, build, f"guest programs, {which}")


def follow(full, path):
    """Where a link in an unpacked tree leads. An absolute one must not lead out of the tree, to
    a file of this machine's."""
    while path.is_symlink():
        target = os.readlink(path)
        path = full / target.lstrip("/") if target.startswith("/") else path.parent / target
    return path


def copy_programs(full, root, programs):
    """Programs and the shared libraries they need, out of an unpacked tree."""
    libdirs = [full / "usr/lib/x86_64-linux-gnu", full / "lib/x86_64-linux-gnu"]
    todo, seen = [full / p for p in programs], set()
    (root / "usr/lib/x86_64-linux-gnu").mkdir(parents=True)
    (root / "usr/lib64").mkdir()
    while todo:
        src = todo.pop()
        if src in seen:
            continue
        seen.add(src)
        file = follow(full, src)
        if not file.exists():
            raise LabError(f"{src}: not in any package of the guest")
        if src.parent in libdirs:
            dest = root / "usr/lib/x86_64-linux-gnu" / src.name
        else:
            dest = root / src.relative_to(full)
        dest.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, dest)
        out = sh(["readelf", "-dlW", file])
        for lib in re.findall(r"Shared library: \[([^]]+)\]", out):
            if lib.startswith("ld-linux"):
                continue
            todo.append(next((d / lib for d in libdirs if (d / lib).exists()), full / lib))
    ld = full / "usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"
    shutil.copy2(follow(full, ld), root / "usr/lib64/ld-linux-x86-64.so.2")


def prepare():
    """Build all that is missing."""
    need = [t for t in ("qemu-system-x86_64", "gcc", "mke2fs", "depmod", "xz") if not shutil.which(t)]
    if need or not Path("/bin/busybox").exists():
        raise LabError(f"missing on this machine: {' '.join(need) or 'busybox'}; run tests/setup")
    resolve()
    xen()
    for s in config.SERIES:
        kernel(s)
    dom0_root()
    for s in config.SERIES:
        initrd(s)
        guest_base(s)
    guest_programs("net")
    tools("net")


if __name__ == "__main__":
    sys.exit("not a program: see tests/xen/lab")

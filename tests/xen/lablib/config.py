# SPDX-License-Identifier: GPL-2.0
"""What the lab is made of: packages, modules, machine defaults."""

import os
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent       # tests/xen
TREE = HERE.parent.parent                           # the project
CACHE = Path(os.environ.get("XSPLIT_CACHE", "/var/cache/xsplit"))
OUT = HERE / "out"
CASES = HERE / "cases"

SERIES = ("6.1", "6.12")
XEN_PACKAGE = "xen-hypervisor-4.17-amd64"
XEN_IMAGE = "boot/xen-4.17-amd64.gz"

# dom0's user space: these and what they depend on, unpacked into an image, no maintainer
# scripts run.
DOM0_PACKAGES = """
    base-files bash dash coreutils findutils grep sed mawk tar gzip procps util-linux mount
    udev kmod e2fsprogs dmsetup iproute2 ethtool iperf3 iputils-ping less strace
    xen-utils-4.17 xen-utils-common xenstore-utils qemu-system-xen
""".split()

# Pulled in by dependencies, never used by what runs in the lab.
DOM0_UNUSED = (
    r"^(perl|libperl|libpython|python3|iso-codes$|adduser$|usrmerge$|dpkg$|debconf$"
    r"|libfile-find|libnumber-compare|libtext-glob|perl-modules|media-types$|sensible-utils$)"
)

# Modules dom0 needs before it has a root file system.
DOM0_BOOT_MODULES = """
    virtio_pci virtio_blk virtio_console crc32c_generic crc32c-intel ext4 overlay
""".split()

# Modules available in dom0 and in guests; dependencies are added.
MODULES = """
    xen-evtchn xen-gntdev xen-gntalloc xen-privcmd xenfs
    xen-blkfront xen-blkback xen-netfront xen-netback
    null_blk brd loop nbd dm-mod dm-log-writes dm-delay dm-flakey dm-snapshot dm-thin-pool
    dm-crypt dm-zero scsi_debug sd_mod bridge veth tun pktgen dummy 8021q macvlan vxlan ext4 overlay
    crc32c_generic crc32c-intel
""".split()
GUEST_MODULES = """
    xen-blkfront xen-netfront xen-evtchn xen-gntdev xen-gntalloc xen-privcmd xenfs
    xen-blkback xen-netback
    null_blk brd loop dm-mod dm-log-writes dm-delay dm-flakey dm-zero veth bridge pktgen
    8021q macvlan vxlan ext4 crc32c_generic crc32c-intel
""".split()

# Programs of the guest beside busybox and fio; shared libraries are added. The second set is
# for cases that say "guest-tools: net": a guest's boot pays for every megabyte.
GUEST_PROGRAMS = {
    "base": """
        usr/sbin/mkfs.ext4 usr/sbin/e2fsck usr/sbin/blkdiscard usr/sbin/blockdev usr/sbin/dmsetup
        """.split(),
    "net": "usr/sbin/ethtool usr/bin/iperf3 usr/bin/ping usr/sbin/ip usr/sbin/tc".split(),
}
GUEST_PACKAGES = r"(lib|e2fsprogs$|util-linux$|dmsetup$|ethtool$|iperf3$|zlib1g$|iputils-ping$|iproute2$|gcc-12)"

# Programs of the kernel's own selftests that need no more than an interface.
SELFTESTS_PACKAGE = "linux-source-6.12"
SELFTESTS = "gro toeplitz udpgso_bench_rx udpgso_bench_tx".split()

QEMU = "qemu-system-x86_64"
CPU = "max,-smap,-rdtscp,-pku,-erms"
MEMORY_MB = 6144
DOM0_MB = 2048
JOB_MB = 768                # size of the disk that hands a run to dom0
SCRATCH_MB = 8192           # size of dom0's scratch file system (sparse)

# eager-fpu: AVX instructions of QEMU 7.2's TCG do not trap on CR0.TS, so with Xen's lazy switching
# programs see, and then crash on, the vector registers of others.
XEN_ARGS = ("dom0_mem={mem}M,max:{mem}M dom0_max_vcpus={vcpus} com1=115200,8n1 console=com1"
            " noreboot loglvl=warning guest_loglvl=warning bootscrub=0 spec-ctrl=eager-fpu"
            " {extra}")
DOM0_ARGS = ("console=hvc0 loglevel=5 cryptomgr.notests net.ifnames=0 random.trust_cpu=on"
             " panic=0 {extra}")


def virtual_time(shift=0):
    """QEMU's options for a clock of 2^shift ns for each instruction."""
    return ["-accel", "tcg,thread=single", "-icount", f"shift={shift},align=off,sleep=off"]


def hardware_virtualisation():
    """/dev/kvm alone proves nothing: without vmx or svm it cannot run Xen."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("flags"):
                flags = line.split()
                return (("vmx" in flags or "svm" in flags)
                        and os.access("/dev/kvm", os.R_OK | os.W_OK))
    except OSError:
        pass
    return False

"""The lab: real Xen, dom0 and guests inside one QEMU."""

# SPDX-License-Identifier: GPL-2.0
# Thin wrapper; `make help` lists the targets.

KDIR ?= /lib/modules/$(shell uname -r)/build
# What the kernel calls itself; Debian's kernel.release says something else.
RELEASE := $(shell sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' \
	     $(KDIR)/include/generated/utsrelease.h 2>/dev/null)
BUILD = build/$(RELEASE)
SOURCES := $(wildcard Kbuild *.c *.h ring evtchn grant blkfront blkback)

all: modules

# Objects of several kernels live side by side: each builds its own copy.
modules: $(BUILD)
	@cp -pru $(SOURCES) $(BUILD)/
	+$(MAKE) -C $(KDIR) M=$(CURDIR)/$(BUILD) $(KBUILD_FLAGS) modules

$(BUILD):
	@test -n "$(RELEASE)" || { echo "No kernel build tree at KDIR=$(KDIR): install linux-headers of the target kernel, or set KDIR" >&2; exit 1; }
	@mkdir -p $@

clean:
	rm -rf build

.PHONY: all modules clean $(BUILD)

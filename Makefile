# SPDX-License-Identifier: GPL-2.0
# Thin wrapper; `make help` lists the targets.

KDIR ?= /lib/modules/$(shell uname -r)/build
# What the kernel calls itself; Debian's kernel.release says something else.
RELEASE := $(shell sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' \
	     $(KDIR)/include/generated/utsrelease.h 2>/dev/null)
BUILD = build/$(RELEASE)
SOURCES := $(wildcard Kbuild ring evtchn grant blkfront blkback netfront netback)
LAB = tests/xen/lab

all: modules

help:
	@echo 'The product:'
	@echo '  modules      build all modules for the running kernel, or KDIR=<its build tree>'
	@echo '  install      install them, and a modprobe.d file that prefers them'
	@echo '  clean        remove what was built'
	@echo 'Needs root, a Debian 12 machine and nothing else:'
	@echo '  demo         a guest on real Xen uses its disks through our modules'
	@echo '  check        all tests that fit in 45 minutes'
	@echo '  check-long   all tests'
	@echo '  lab          Xen and dom0 on this terminal, to try things by hand'
	@echo '  bench        our drivers beside the in-tree ones, in virtual time; SMP=2, KERNEL=6.12'
	@echo '  profile      where the instructions go, by domain and function, in a row of it:'
	@echo '               ROW=randread-4k-qd32 TYPE=pvh PAIR="intree:intree ours:ours" TOP=50'
	@echo 'Parts of them:'
	@echo '  lab-modules  build for every kernel of the lab'
	@echo '  static       builds with W=1 and sparse, checkpatch, rules'
	@echo '  host         unit tests in user space, with sanitizers'
	@echo '  coverage     lines of parsers and ring core that they run; 95 % at least'
	@echo '  fuzz         data paths against random peers: SECONDS=600 each, TARGETS=...;'
	@echo '               goes on where the last run ended'
	@echo '  kunit        tests in a kernel with KASAN, lockdep, kmemleak; SUITE=name for one'
	@echo '  hostile      peers that follow no rules, SEEDS=A..B; VICTIM=intree to compare'

# Objects of several kernels live side by side: each builds its own copy.
modules: $(BUILD)
	@cp -pru $(SOURCES) $(BUILD)/
	+$(MAKE) -C $(KDIR) M=$(CURDIR)/$(BUILD) $(KBUILD_FLAGS) modules

$(BUILD):
	@test -n "$(RELEASE)" || { \
		echo "KDIR=$(KDIR) is no kernel build tree: install the headers of the kernel, or set KDIR" >&2; \
		exit 1; }
	@mkdir -p $@

install: modules
	+$(MAKE) -C $(KDIR) M=$(CURDIR)/$(BUILD) INSTALL_MOD_DIR=updates modules_install
	install -D -m 644 packaging/modprobe-xsplit.conf $(DESTDIR)/etc/modprobe.d/xsplit.conf

setup:
	@tests/setup

lab-modules: setup
	@$(LAB) kernels | while read -r series release headers; do \
		echo "[modules] $$series ($$release)"; \
		$(MAKE) -s KDIR=$$headers modules || exit; \
	done

demo: lab-modules
	@$(LAB) run demo

check: setup
	@tests/check check

check-long: setup
	@tests/check long

lab: lab-modules
	@$(LAB) shell

# ROWS, TYPES, PAIRS, LEAST, MOST: see the tops of the files. SMP=2: dom0 and guests on CPUs of their own.
# KERNEL=6.12: on both sides. Two machines side by side do not disturb each other: each has its own time.
COMPARED = tests/xen/out/compare tests/xen/out/compare-net
bench: lab-modules
	@$(LAB) run -j2 tests/bench/compare.sh tests/bench/compare-net.sh tests/bench/idle.sh \
		$(if $(SMP),--smp $(SMP)) \
		$(if $(KERNEL),--dom0 $(KERNEL) --guest $(KERNEL)) \
		$(foreach v,ROWS TYPES PAIRS LEAST MOST,$(if $($v),--set "$v=$($v)")); \
	status=$$?; tests/bench/report $(COMPARED) && \
	tests/bench/plot -o tests/xen/out/ratios.svg $(COMPARED:=/table.json) && exit $$status

ROW = randread-4k-qd32
TYPE = pvh
PAIR = intree:intree ours:ours
COMPARE = compare$(if $(findstring -qd,$(ROW)),,-net)
profile: lab-modules
	@$(LAB) run tests/bench/$(COMPARE).sh --set "ROWS=$(ROW)" --set "TYPES=$(TYPE)" --set "PAIRS=$(PAIR)" --set MOST=1
	@tests/bench/profile --top $(or $(TOP),50) tests/xen/out/$(COMPARE)

hostile: lab-modules
	@tests/hostile $(SEEDS)

static: setup
	@tests/static

host: setup
	@$(MAKE) -s -C tests/host check

coverage: setup
	@$(MAKE) -s -C tests/host coverage

fuzz: setup
	@SECONDS_EACH=$(or $(SECONDS),600) tests/fuzz/run fuzz $(TARGETS)

kunit: setup
	@tests/kunit/run '$(SUITE)'

clean:
	rm -rf build tests/xen/out

.PHONY: all help modules install setup lab-modules demo check check-long lab \
	bench profile static host coverage fuzz kunit hostile clean $(BUILD)

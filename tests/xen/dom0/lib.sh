# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# What cases are written with. Sourced in dom0; see tests/xen/README.md for the list.
# fd 3: control port to the host.

# shellcheck disable=SC1091
. /job/env
LAB_LOG=/run/lab/log
PATH=/job/bin:$PATH
declare -A GUEST_ID GUEST_TTY
: "${GUEST_MEM:=512}" "${GUEST_VCPUS:=$LAB_SMP}" "${GUEST_TIMEOUT:=60}"

# --- events ------------------------------------------------------------------------------

event() { # KIND TEXT... - one line to the host, with dom0's uptime
	local up
	read -r up _ </proc/uptime
	printf '%s %s %s\n' "$1" "$up" "${*:2}" >&3
}
step() { event step "$*"; }
note() { event note "$*"; }
ok() { event ok "$*"; }
fail() { event fail "$*"; } # NAME WHY...
skip() { event skip "$*"; } # NAME WHY...
# The case cannot go on.
die() {
	fail "${LAB_CASE}" "$*"
	exit 1
}
allow_dmesg() { event allow "$1 -- ${*:2}"; } # REGEX REASON... - an expected kernel message

check() { # NAME COMMAND... - a subtest that passes when the command succeeds
	local name=$1 rc
	shift
	# In this shell: guest_restore and others change its variables.
	"$@" >/run/lab/check.out 2>&1
	rc=$?
	cat /run/lab/check.out
	if [ $rc = 0 ]; then
		ok "$name"
	else
		fail "$name" "exit $rc: $(tail -n 3 /run/lab/check.out | tr '\n' ' ')"
	fi
	return $rc
}

wait_until() { # SECONDS COMMAND... - until it succeeds; 1 when it never did
	local end=$((SECONDS + $1)) pause=50
	shift
	until "$@"; do
		[ $SECONDS -lt $end ] || return 1
		# Sleep is free, looking is not: less and less often.
		sleep "$(printf '%d.%03d' $((pause / 1000)) $((pause % 1000)))"
		[ $pause -ge 1000 ] || pause=$((pause * 3 / 2))
	done
}

# A pause that differs from round to round and from seed to seed: pause ROUND [MAX ms]
pause() {
	sleep "$(printf '0.%03d' $(((LAB_SEED * 7919 + $1 * 104729) % ${2:-900})))"
}

# --- kernel messages ---------------------------------------------------------------------
# Those of dom0 since the mark, without what KERNEL_IGNORE matches.

kernel_mark() { KERNEL_FROM=$(dmesg | wc -l); }
kernel_lines() { dmesg | tail -n +"$((KERNEL_FROM + 1))" | grep -vE "${KERNEL_IGNORE:-^$}"; }
kernel_count() { kernel_lines | grep -cE "$1"; } # REGEX

# --- xenstore ----------------------------------------------------------------------------

xs_key() { xenstore-read "$1" 2>/dev/null; }
xs_is() { [ "$(xs_key "$1")" = "$2" ]; } # PATH VALUE
xs_no_key() { ! xenstore-exists "$1"; }

# What a device was before xl knew it: its nodes by hand, states last.
# device_by_hand BACK FRONT DOMAIN [KEY=VALUE...] -- [KEY=VALUE...] - the backend's keys, the frontend's
device_by_hand() {
	local be=$1 fe=$2 id=$3 dir=$1 kv
	local -a nodes=("$be/frontend" "$fe" "$be/frontend-id" "$id" "$be/online" 1 "$fe/backend" "$be" "$fe/backend-id" 0)
	for kv in "${@:4}"; do
		case $kv in
		--) dir=$fe ;;
		*) nodes+=("$dir/${kv%%=*}" "${kv#*=}") ;;
		esac
	done
	# What is in a directory inherits its permissions.
	xenstore-write "$be" "" "$fe" "" && xenstore-chmod "$be" n0 "r$id" && xenstore-chmod "$fe" "n$id" r0 &&
		xenstore-write "${nodes[@]}" && xenstore-write "$be/state" 1 "$fe/state" 1
}
device_by_hand_rm() { # BACK FRONT - as the toolstack removes one
	xenstore-write "$1/online" 0
	xs_is "$1/state" 6 || xenstore-write "$1/state" 5
	wait_until 10 xs_is "$1/state" 6
	xenstore-rm "$2"
	xenstore-rm "$1"
}

# --- drivers -----------------------------------------------------------------------------

load_ours() { # MODULE [PARAMETER...] - a module under test, into dom0
	insmod "/job/dom0-modules/$1.ko" "${@:2}"
}

drivers_of() { case $1 in vbd) echo blk ;; vif) echo net ;; esac; } # what modules are named after

# load_backend ours|intree [vbd|vif] [PARAMETER...]
# The name of the xenbus driver that appeared is in BACKEND_DRIVER.
load_backend() {
	local who=$1 what=vbd before after
	shift
	case ${1-} in vbd | vif)
		what=$1
		shift
		;;
	esac
	before=$(ls /sys/bus/xen-backend/drivers)
	case $who in
	intree) modprobe "xen-$(drivers_of "$what")back" "$@" || return ;;
	ours)
		[ -d /sys/module/xsplit ] || load_ours xsplit || return
		load_ours "$(drivers_of "$what")back" "$@" || return
		;;
	esac
	after=$(ls /sys/bus/xen-backend/drivers)
	# shellcheck disable=SC2034 # for the case
	BACKEND_DRIVER=$(comm -13 <(echo "$before") <(echo "$after") | head -n 1)
}

# Every device that is there has its keys: none is being taken away.
backends_settled() { # vbd|vif
	local dev id
	for dev in /sys/bus/xen-backend/devices/"$1"-*; do
		id=${dev##*/"$1"-}
		[ ! -e "$dev" ] || xenstore-exists "/local/domain/0/backend/$1/${id%-*}/${id##*-}" || return
	done
}

# Devices of a driver keep its module: they are taken from it first. To unbind a device that the
# kernel is just about to take away hangs it and xenwatch, with any driver.
unload_backends() { # vbd|vif
	local dev m
	wait_until 15 backends_settled "$1" || return
	for dev in /sys/bus/xen-backend/drivers/*/"$1"-*; do
		[ ! -e "$dev" ] || echo "${dev##*/}" >"${dev%/*}/unbind" || return
	done
	m=$(drivers_of "$1")back
	for m in "$m" "xen_$m"; do
		# A device that is gone from the bus may hold it for another moment.
		[ ! -d "/sys/module/$m" ] || wait_until 5 rmmod "$m" || return
	done
}

# The only front of a guest from now on: guest_front NAME vbd|vif ours|intree [PARAM=V...]
guest_front() {
	local m load
	m=$(drivers_of "$2")front
	case $3 in
	ours) load="[ -d /sys/module/xsplit ] || insmod /lab/xsplit.ko; insmod /lab/$m.ko" ;;
	intree) load="modprobe xen-$m" ;;
	esac
	guest_run "$1" "for d in /sys/bus/xen/drivers/*/$2-*; do
			[ ! -e \$d ] || echo \${d##*/} >\${d%/*}/unbind || exit
		done
		for m in $m xen_$m; do
			[ ! -d /sys/module/\$m ] || rmmod \$m || exit
		done
		$load ${*:4}"
}

front_modules() { # vbd|vif ours|intree - for load= of a guest
	local m
	m=$(drivers_of "$1")front
	case $2 in ours) echo "xsplit,$m" ;; *) echo "xen-$m" ;; esac
}

# --- backing devices ---------------------------------------------------------------------
# Each leaves the path of the device or file in BACKING, or ends the case.

backing_ram() { # MB [COUNT] - /dev/ram0 (and more); contents are kept, so data can be verified
	modprobe brd rd_nr="${2:-1}" rd_size=$(($1 * 1024)) || die "backing_ram $*"
	BACKING=/dev/ram0
}

backing_file() { # NAME MB - a sparse file on the scratch disk, for file: or losetup
	BACKING=/scratch/$1
	truncate -s "${2}M" "$BACKING" || die "backing_file $*"
}

backing_loop() { # NAME MB - a loop device on such a file
	backing_file "$1" "$2"
	BACKING=$(losetup -f --show "$BACKING") || die "backing_loop $*"
}

# --- guests ------------------------------------------------------------------------------

# guest_create NAME [pv|pvh] [6.1|6.12] [ITEM...]
# ITEM is a line of xl's configuration (memory=768, disk='["phy:/dev/ram0,xvda,w"]') or:
#   load=A,B      modules for the guest to load, in order (default: $GUEST_LOAD, or the fronts of $FRONT)
#   cmdline=...   more for its kernel's command line
guest_create() {
	local name=$1 type=$LAB_GUEST_TYPE kernel=$LAB_GUEST load=${GUEST_LOAD-} extra='' item
	local cfg=/run/lab/$1.cfg
	shift
	case ${1-} in pv | pvh)
		type=$1
		shift
		;;
	esac
	case ${1-} in 6.*)
		kernel=$1
		shift
		;;
	esac
	if [ -z "$load" ]; then
		case ${FRONT-} in ours) load=$LAB_OURS_FRONT ;; *) load=xen-blkfront,xen-netfront ;; esac
	fi
	[ -e "/job/guest/$kernel/vmlinux" ] || {
		echo "guest_create: no $kernel kernel in this run (see '# guest-kernels:')" >&2
		return 1
	}
	{
		printf '%s\n' "name='$name'" "type='$type'" "kernel='/job/guest/$kernel/vmlinux'" \
			"ramdisk='/job/guest/$kernel/initramfs'" "memory=$GUEST_MEM" \
			"vcpus=$GUEST_VCPUS" "on_crash='preserve'" "on_reboot='destroy'"
		[ "$type" = pv ] || printf '%s\n' "tsc_mode='native'"
		for item; do
			case $item in
			load=*) load=${item#*=} ;;
			cmdline=*) extra="$extra ${item#*=}" ;;
			*) printf '%s\n' "$item" ;;
			esac
		done
		# Reading the clock through Xen would cost a PV guest more than a driver does.
		[ "$type" = pvh ] || extra="clocksource=tsc tsc=reliable $extra"
		printf "extra='console=hvc0 loglevel=4 sysrq_always_enabled cryptomgr.notests net.ifnames=0 random.trust_cpu=on %s lab.load=%s'\n" \
			"$extra" "$load"
	} >"$cfg"
	xl create -q "$cfg" || return
	guest_refresh "$name" && guest_wait_ready "$name"
}

# Find a guest's console again: after a restore, or one that was created by hand.
guest_refresh() {
	local id
	id=$(xl domid "$1") || return
	GUEST_ID[$1]=$id
	wait_until 10 xenstore-exists "/local/domain/$id/console/tty" || return
	GUEST_TTY[$1]=$(xenstore-read "/local/domain/$id/console/tty")
}

guest_wait_ready() { # NAME
	labguest -w 60 "${GUEST_TTY[$1]}" || {
		echo "guest $1 did not come up" >&2
		return 1
	}
}

# Run a shell command in a guest: its output, its exit code. 124: no answer within
# GUEST_TIMEOUT (virtual) seconds, 125: its console is gone.
guest_run() {
	[ -n "${GUEST_TTY[$1]-}" ] || {
		echo "no guest $1 here" >&2
		return 125
	}
	labguest -t "$GUEST_TIMEOUT" "${GUEST_TTY[$1]}" "$2"
}

guest_bg() { # NAME TAG COMMAND - start it; guest_wait gives its output and exit code
	guest_run "$1" "{ ( $3
		) </dev/null >/run/bg.$2.out 2>&1; echo \$? >/run/bg.$2.tmp
		mv /run/bg.$2.tmp /run/bg.$2.rc; } >/dev/null 2>&1 &"
}

guest_wait() { # NAME TAG [SECONDS]
	local GUEST_TIMEOUT=$((${3:-$GUEST_TIMEOUT} + 5))
	guest_run "$1" "n=$(((GUEST_TIMEOUT - 5) * 10))
		until [ -e /run/bg.$2.rc ]; do
			n=\$((n - 1)); [ \$n -gt 0 ] || { cat /run/bg.$2.out; exit 124; }
			usleep 100000
		done
		cat /run/bg.$2.out
		read -r rc </run/bg.$2.rc; rm -f /run/bg.$2.*; exit \$rc"
}

guest_running() { # NAME TAG - is that background command still running?
	guest_run "$1" "[ ! -e /run/bg.$2.rc ]"
}

# Keep what a guest has to say. Called before it goes.
guest_dmesg() { # NAME
	local GUEST_TIMEOUT=10
	[ -n "${LAB_HANG-}" ] || guest_run "$1" dmesg >"$LAB_LOG/guest-$1.${GUEST_ID[$1]}-dmesg.txt"
}

guest_destroy() {
	guest_dmesg "$1"
	xl destroy "$1"
	unset "GUEST_ID[$1]" "GUEST_TTY[$1]"
}

guest_poweroff() { # NAME [SECONDS] - the orderly way
	local id=${GUEST_ID[$1]}
	guest_dmesg "$1"
	guest_run "$1" 'sync; (sleep 0.2; poweroff -f) >/dev/null 2>&1 &'
	wait_until "${2:-30}" guest_gone "$id" || return
	unset "GUEST_ID[$1]" "GUEST_TTY[$1]"
}
guest_gone() { ! xl domname "$1" >/dev/null 2>&1; }

guest_save() { # NAME FILE
	guest_dmesg "$1"
	xl save "$1" "$2" >/dev/null || return
	unset "GUEST_ID[$1]" "GUEST_TTY[$1]"
}

guest_restore() { # NAME FILE
	xl restore "$2" >/dev/null || return
	guest_refresh "$1" && guest_wait_ready "$1"
}

guest_attach() { xl block-attach "$1" "$2"; } # NAME DISKSPEC
guest_detach() { xl block-detach "$1" "$2"; } # NAME xvdb
guest_console() { # NAME - interactive
	printf '\n@S\n' >"${GUEST_TTY[$1]}"
	xl console "$1"
}

# --- leftovers ---------------------------------------------------------------------------

free_mb() { # dom0's memory and Xen's
	local m
	sync
	echo 3 >/proc/sys/vm/drop_caches
	m=$(awk '/^MemFree/ { print int($2 / 1024) }' /proc/meminfo)
	echo "$m $(xl info | awk '/^free_memory/ { print $3 }')"
}

# --- logs --------------------------------------------------------------------------------

lab_collect() {
	local n
	for n in "${!GUEST_ID[@]}"; do
		event log "dmesg of guest $n"
		guest_dmesg "$n"
	done
	dmesg >"$LAB_LOG/dom0-dmesg.txt"
	{
		xl list
		xenstore-ls -fp
	} >"$LAB_LOG/xenstore.txt" 2>&1
	xl dmesg >"$LAB_LOG/xen-dmesg.txt" 2>&1
	cp /run/lab/*.cfg "$LAB_LOG" 2>/dev/null
	cp -r /var/log/xen "$LAB_LOG" 2>/dev/null
}

lab_send_logs() { tar -C "$LAB_LOG" -cf - . >/dev/virtio-ports/out; }

lab_help() { sed -n 's/^\([a-z_]*\)() {\(.*\)$/\1\2/p' /job/lib.sh; }

if [ "$LAB_MODE" = shell ]; then
	PS1='dom0# '
	guest_list() { xl list; }
fi

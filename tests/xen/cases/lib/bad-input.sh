# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# What is refused with one clear line, and nothing else happens.
# shellcheck disable=SC2154 # be, fe, err are the case's

# Parameters of a module in dom0: back_refuses MODULE PARAM=VALUE...
back_refuses() {
	local bad
	for bad in "${@:2}"; do
		kernel_mark
		load_ours "$1" "$bad" 2>/dev/null && fail "back-$bad" "loaded" && rmmod "$1"
		kernel_lines
		check "back-$bad" test ! -d "/sys/module/$1" -a "$(kernel_count "$1.*(${bad%=*}|${bad#*=})")" = 1 -a "$(kernel_lines | wc -l)" = 1
	done
}

# Of one in a guest: front_refuses NAME MODULE PARAM=VALUE...
front_refuses() {
	local bad
	guest_run "$1" "insmod /lab/xsplit.ko"
	for bad in "${@:3}"; do
		check "front-$bad" guest_run "$1" "dmesg -c >/dev/null; insmod /lab/$2.ko $bad 2>/dev/null && r=loaded
			[ ! -d /sys/module/$2 ] || rmmod $2
			dmesg | grep $2
			[ \$(dmesg | sed 's/^[^]]*. //' | sort -u | grep -cE '$2.*(${bad%=*}|${bad#*=})') = 1 ] && [ \"\$r\" != loaded ]"
	done
}

# What a frontend has written when it changes its state to STATE, with be, fe and err as the case
# has them: one line since the mark. forgery_refused TAG STATE REGEX
forgery_refused() {
	xenstore-write "$fe/state" "$2"
	check "$1-closing" wait_until 10 xs_is "$be/state" 5
	kernel_lines
	check "$1-line" test "$(kernel_count "$3")" = 1 -a "$(kernel_lines | wc -l)" = 1
	check "$1-error" xenstore-exists "$err/error"
	xs_key "$err/error"
	# The frontend gives up, and may try again.
	xenstore-write "$fe/state" 6
	check "$1-closed" wait_until 10 xs_is "$be/state" 6
}

# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# What the comparisons share: PAIRS (back:front, each intree or ours) measured with guests of
# TYPES, and a table of it; table.json beside the logs has the same. A case has
#	measure_pair TYPE PAIR	sets RATE[TYPE,PAIR,ROW] and OPS[TYPE,PAIR,ROW], how many were done
#	measure_native TYPE	sets RATE[TYPE,native,ROW] where a guest can do the work by itself
#	label_of ROW		its name in the table
#	unit_of ROW		of its rates
#	insn_of ROW RATE	instructions for one of what is counted
# A case that says "plugin: profile" also has every instruction between two marks counted, which
# does not change its rates: TYPE.PAIR.ROW.profile beside the logs, read by report and profile.

TYPES=${TYPES:-pvh pv}
PAIRS=${PAIRS:-intree:intree ours:ours intree:ours ours:intree}
declare -A RATE OPS
MARK=/job/bin/mark

# Look at dom0 and these guests from now on: count_domains TYPE PAIR GUEST...
count_domains() {
	local out=$LAB_LOG/symbols g
	[ -e "$out.xen" ] || {
		grep -i ' t ' /proc/xen/xensyms >"$out.xen"
		grep ' [tTwW] ' /proc/kallsyms | grep -v '\[' >"$out.dom0"
	}
	grep ' [tT] .*\[' /proc/kallsyms >"$out.$1.$2.dom0"
	$MARK on "$(awk '$3 == "context_switch" { print $1 }' "$out.xen")"
	$MARK domain dom0
	for g in "${@:3}"; do
		guest_run "$g" "mark domain $g"
		[ "$LAB_GUEST" = "$LAB_DOM0" ] || [ -e "$out.guest" ] ||
			guest_run "$g" "grep ' [tTwW] ' /proc/kallsyms | grep -v '\['" >"$out.guest"
		guest_run "$g" "grep ' [tT] .*\[' /proc/kallsyms" >"$out.$1.$2.$g"
	done
}
count_end() { $MARK off; }

print_row() { # TYPE ROW
	local first=${PAIRS%% *} native=${RATE[$1,native,$2]:-0} pair line rate
	line=$(printf '%-4s %-22s' "$1" "$(label_of "$2")")
	for pair in $PAIRS; do
		rate=${RATE[$1,$pair,$2]:-0}
		line+=$(awk -v r="$rate" -v base="${RATE[$1,$first,$2]:-0}" -v native="$native" -v insn="$(insn_of "$2" "$rate")" 'BEGIN {
			printf " %9d %9d", r, insn
			if (base) printf " %5.2f", r / base; else printf "     -"
			if (native) printf " %6.2f", r / native; else printf "      -" }')
	done
	note "$line"
	check "measured $1 $2" [ "${RATE[$1,${PAIRS##* },$2]:-0}" != 0 ]
}

# One object a row: rates by pair, and how many operations were counted.
json_row() { # TYPE ROW
	local pair ops=
	printf '{ "guest": "%s", "row": "%s", "unit": "%s"' "$1" "$2" "$(unit_of "$2")"
	for pair in $PAIRS native; do
		printf ', "%s": %s' "$pair" "${RATE[$1,$pair,$2]:-null}"
		ops+=${OPS[$1,$pair,$2]:+, \"$pair\": ${OPS[$1,$pair,$2]}}
	done
	printf ', "ops": {%s } }' "${ops#,}"
}
json_table() { # ROW...
	local type row sep='['
	for type in $TYPES; do
		for row; do
			printf '%s\n%s' "$sep" "$(json_row "$type" "$row")"
			sep=,
		done
	done
	printf '\n]\n'
}

# With two CPUs, one is dom0's and one the guests'.
# shellcheck disable=SC2034 # for the cases
GUEST_VCPUS=1 APART=
pin_apart() {
	[ "$LAB_SMP" != 1 ] || return 0
	# shellcheck disable=SC2034
	APART='cpus="1"'
	echo 0 >/sys/devices/system/cpu/cpu1/online && xl vcpu-pin 0 0 0
}

compare() { # TITLE NAME-OF-INSTRUCTIONS ROW...
	local type pair row line
	pin_apart || die "no CPU for the guests alone"
	for type in $TYPES; do
		for pair in $PAIRS; do
			measure_pair "$type" "$pair"
		done
		measure_native "$type"
	done
	line=$(printf '%-27s' "$1")
	for pair in $PAIRS; do line+=$(printf ' %33s' "$pair"); done
	note "$line"
	note "$(printf '%-27s' guest; for pair in $PAIRS; do printf ' %9s %9s %5s %6s' rate "$2" ratio native; done)"
	for type in $TYPES; do
		for row in "${@:3}"; do print_row "$type" "$row"; done
	done
	json_table "${@:3}" >"$LAB_LOG/table.json"
	note "ratio: to ${PAIRS%% *}; native: to the same in the guest alone"
}

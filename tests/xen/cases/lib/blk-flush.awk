# SPDX-License-Identifier: GPL-2.0
# Reads `logwrites list` and checks what was promised to the guest's jobs. Each job writes its
# own `region` sectors from the first to the last in units of `unit` sectors, and waits for a
# sync after every `per` of them. So when the first write of a group appears in the log, a
# flush must have come between it and the end of the group before, or the writes of that
# group must have been FUA.
# -v region= -v unit= -v per= -v jobs= -v groups=
function take(job, g, durable) {
	if (g > 0 && safe[job, g - 1] < per)
		bad(sprintf("job %d began group %d when %d of %d writes of the one before were safe",
			    job, g, safe[job, g - 1] + 0, per))
	seen[job, g]++
	if (durable)
		safe[job, g]++
	else
		open[job, g]++
}
function flush(k) {
	for (k in open) {
		safe[k] += open[k]
		delete open[k]
	}
}
function bad(text) {
	if (errors++ < 5)
		print "entry " $1 ": " text
}
$2 ~ /F/ { flush(); flushes++ }
$2 !~ /[DM]/ && $4 > 0 {
	for (s = $3; s < $3 + $4; s += unit)
		if (s < region * jobs)
			take(int(s / region), int((s % region) / unit / per), $2 ~ /U/)
}
END {
	for (j = 0; j < jobs; j++)
		for (g = 0; g < groups; g++) {
			if (seen[j, g] != per)
				bad(sprintf("job %d group %d has %d writes", j, g, seen[j, g] + 0))
			if (safe[j, g] != per)
				bad(sprintf("job %d group %d was never made safe", j, g))
		}
	printf "%d flushes, %d violations\n", flushes, errors
	exit errors > 0
}

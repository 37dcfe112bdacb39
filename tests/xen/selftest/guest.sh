# about: the guest's agent: output, exit codes, background commands, time limits, a panic
# guest-type: pv
# allow-dmesg: planted -- what is tested
# expect: ok output
# expect: ok code
# expect: ok long
# expect: ok background
# expect: ok noise
# expect: ok timeout
# expect: ok missing
# expect: fail .*kernel-messages: guest-g1.*Kernel panic - not syncing: sysrq triggered crash
guest_create g1 || die "guest_create"
check output test "$(guest_run g1 'echo "a  b"; echo c >&2')" = "a  b
c"
guest_run g1 'exit 7'
check code test $? = 7
check long test "$(guest_run g1 'seq 20000' | md5sum)" = "$(seq 20000 | md5sum)"
guest_bg g1 job 'sleep 3; echo done; exit 5'
check background guest_running g1 job
out=$(guest_wait g1 job)
check background test "$?.$out" = 5.done
# Kernel messages on the console in the middle of an answer.
# shellcheck disable=SC2016 # for the guest
guest_bg g1 noise 'for i in $(seq 200); do echo "<0>planted $i" >/dev/kmsg; usleep 100; done'
check noise test "$(guest_run g1 'seq 3000' | md5sum)" = "$(seq 3000 | md5sum)"
guest_wait g1 noise
GUEST_TIMEOUT=2 guest_run g1 'sleep 4'
check timeout test $? = 124
guest_run nobody true
check missing test $? = 125
guest_run g1 'echo c >/proc/sysrq-trigger' &
sleep 2

# about: dom0 dies
# expect: fail .*crashed; last step: crashing
# expect: fail .*Kernel panic - not syncing: sysrq triggered crash
step "crashing"
echo c >/proc/sysrq-trigger

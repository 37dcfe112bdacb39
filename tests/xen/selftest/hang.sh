# about: a case that never ends
# limit: 15
# expect: fail .*no end after 15 s .*last step: sleeping
step "sleeping"
while :; do read -rt 1000 _ <>/dev/ptmx; done

# about: a guest comes up and runs a command
# tags: lab
step "guest"
guest_create g1 || die "guest_create"
step "guest is up"
check run guest_run g1 'uname -a; cat /proc/partitions; cat /proc/uptime'

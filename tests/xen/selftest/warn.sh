# about: a kernel warning fails a case that found nothing
# expect: ok one
# expect: fail .*kernel-messages: dom0-dmesg.txt: WARNING: CPU: 0 PID: 1 at planted
ok one
echo 'WARNING: CPU: 0 PID: 1 at planted' >/dev/kmsg

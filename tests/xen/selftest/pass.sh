# about: results, notes and allowed messages
# allow-dmesg: planted by header -- what is tested
# expect: ok one
# expect: ok two
# expect: skip three: no such thing
ok one
check two true
skip three no such thing
echo 'WARNING: planted by header' >/dev/kmsg
allow_dmesg 'planted by a call' 'what is tested'
echo 'WARNING: planted by a call' >/dev/kmsg

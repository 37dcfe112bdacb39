# about: a subtest that fails, and the case goes on
# expect: fail one: exit 1: the reason
# expect: ok two
check one sh -c 'echo the reason; exit 1'
ok two

# about: a case without a result proves nothing
# expect: fail .*ended without a result
step "nothing"

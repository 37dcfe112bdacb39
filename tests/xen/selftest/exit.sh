# about: a case that ends early
# expect: ok one
# expect: fail .*ended with exit code 3, last step: leaving
ok one
step "leaving"
exit 3

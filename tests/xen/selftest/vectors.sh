# about: programs in dom0 keep their vector registers (the emulated CPU and Xen agree on switching them)
# expect: ok vectors-[1-4]
for i in 1 2 3 4; do
	vectors 10000 &
	pids[i]=$!
done
step "beside others"
for i in 1 2 3; do xl list >/dev/null; done
for i in 1 2 3 4; do check "vectors-$i" wait "${pids[i]}"; done

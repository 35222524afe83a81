#!/bin/sh
# Repositories in which something is broken, missing, cut off or goes round in circles: what the push needs
# of it is MG902 in bounded time and memory, what it does not need is no matter; when it is mended the same
# push is accepted.  (Commits that are missing or damaged: also 12-input.t.  Every byte of a loose object:
# tests/unit/git/loose.c.  Packs that are bombs: 95-bombs.t.)
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/gate.sh"

new_server shop
new_project shop work || test_bail 'no project'

# dev and main have changed one file: the merge reads commits, folders and files.
prepare() {
	cd work && at dev && commit rkl/both.txt "$(seq 30)" && commit other.txt && git push -q origin dev && at main &&
		merge_in dev && git push -q origin main && at dev &&
		commit rkl/both.txt "$(echo dev && seq 2 30)" && git push -q origin dev && git switch -q -c side main && commit rkl/both.txt "$(seq 29 && echo side)" &&
		git push -q origin side && git switch -q main && git reset -q --hard side &&
		git -C "$T/shop.git" update-ref refs/heads/main side && git fetch -q && merge_in dev &&
		git push -q origin main:refs/heads/carrier
}
prepare || test_bail 'no history'
old=$(git rev-parse origin/main) new=$(git rev-parse main)
dev=$(git rev-parse dev) folder=$(git rev-parse dev:rkl) tree=$(git rev-parse 'dev^{tree}')
blob=$(git rev-parse dev:rkl/both.txt) other=$(git rev-parse dev:other.txt)
cd "$T" || exit 1
echo "$old $new refs/heads/main" >in

# Processor seconds and megabytes that are enough for whatever is broken.
bounded() {
	grep -q __asan_init "$ROOT/bin/modelgate" && return
	awk '$1 > 5 || $2 > 100 { print; bad = 1 } END { exit bad || NR == 0 }' "$T/measured"
}

# The verdict of pre-receive on that line: 0, or 1 and the code MG902, and recorded so.
judged() {
	rm -f "$T/measured"
	(cd "$T/$1.git" && GIT_DIR=. exec timeout -s KILL 20 "$TEST_LIB/measure" "$T/measured" \
		"$ROOT/libexec/modelgate/pre-receive" <"$T/in") >"$T/out" 2>"$T/err"
	status=$?
	{ same "$2" "$status" && bounded; } || { cat "$T/err" && return 1; }
	[ "$2" -eq 0 ] || { said "rejected MG902: " && recorded "$1" event=push.rejected refs.0.code=MG902; }
}

test_expect 'whole, it is accepted' 'judged shop 0 && recorded shop refs.0.source=refs/heads/dev refs.0.method=merge'

# --- loose objects ---

seen='other_content pipe_instead'

object() {
	echo "$T/shop.git/objects/$(echo "$1" | cut -c 1-2)/$(echo "$1" | cut -c 3-)"
}

gone() { rm -f "$1"; }
cut_off() { truncate -s "$(($(stat -c %s "$1") / 2))" "$1"; }
no_zlib() { echo nonsense >"$1"; }
other_content() { cp "$(object "$other")" "$1"; } # the right form, the wrong hash
folder_instead() { rm "$1" && mkdir "$1"; }
pipe_instead() { rm "$1" && mkfifo "$1"; }
link_nowhere() { rm "$1" && ln -s nowhere "$1"; }

# The object $1 of the server with each kind of damage, and put back.  $3: the kinds that only we see.  Git,
# which reads files to merge them, does not look whether what a loose object holds is what its name says
# (what comes of it is another merge than was pushed), and waits at a pipe until its time is over.
damaged() {
	file=$(object "$1") && cp -p "$file" "$T/whole" || return 1
	for damage in gone cut_off no_zlib folder_instead link_nowhere $3; do
		echo "$damage" && chmod u+w "$file" && $damage "$file" && judged shop "$2" || return 1
		rm -rf "$file" && cp -p "$T/whole" "$file" || return 1
	done
	judged shop 0
}

test_expect 'MG902: a source'\''s commit' 'damaged "$dev" 1 "$seen"'
test_expect 'MG902: its tree' 'damaged "$tree" 1 "$seen"'
test_expect 'MG902: a folder in it' 'damaged "$folder" 1 "$seen"'
test_expect 'MG902: a file that both sides have changed; with the content of another, another merge: MG105' '
	damaged "$blob" 1 "" && file=$(object "$blob") && cp "$file" "$T/whole" && chmod u+w "$file" && other_content "$file" &&
	(cd shop.git && GIT_DIR=. "$ROOT/libexec/modelgate/pre-receive" <"$T/in" 2>"$T/err"; same 1 $?) && said MG105 &&
	cp "$T/whole" "$file" && judged shop 0
'
test_expect 'a file that nobody has to read is no matter' 'damaged "$other" 0 ""'
test_expect 'MG902: the commit that is pushed' 'damaged "$new" 1 "$seen"'

# --- packs ---

pack='' idx='' # of packed.git

test_expect 'a pack instead of loose objects' '
	cp -a shop.git packed.git && cp -a shop.state packed.state && server_set packed modelgate state "$(state packed)" &&
	git -C packed.git repack -a -d -q --depth=50 && pack=$(echo "$T"/packed.git/objects/pack/*.pack) &&
	idx=${pack%pack}idx && chmod u+w "$pack" "$idx" && cp "$pack" pack && cp "$idx" idx && judged packed 0
'

whole_pack() {
	cp "$T/pack" "$pack" && cp "$T/idx" "$idx"
}

# The bytes of the object $1, after its header, are other ones.
spoil() {
	offset=$(git show-index <"$T/idx" | sed -n "s/^\([0-9]*\) $1 .*/\1/p") &&
		printf '\377\377\377\377' | dd of="$pack" bs=1 seek=$((offset + 3)) conv=notrunc 2>/dev/null
}

test_expect 'MG902: an object in a pack is damaged' '
	for one in "$dev" "$tree" "$folder" "$blob" "$new"; do
		spoil "$one" && judged packed 1 && whole_pack || return 1
	done && spoil "$other" && judged packed 0 && whole_pack && judged packed 0
'

test_expect 'MG902: a pack or its index is cut off, empty, missing, something else' '
	for file in "$pack" "$idx"; do
		for damage in "cut_off" "truncate -s 0" "no_zlib" "gone"; do
			echo "$damage $file" && $damage "$file" && judged packed 1 && whole_pack || return 1
		done
	done && judged packed 0 && audit_valid packed
'

# --- history that is cut off (grafts and a shallow file: 38-tricks.t) ---

test_expect 'MG902: a shallow repository, where the push needs what is cut off, in plain words' '
	git clone -q --bare --depth 1 --no-single-branch "file://$T/shop.git" shallow.git && cp -a shop.state shallow.state &&
	cp "$(server_file shop)" shallow.git/ && server_set shallow modelgate state "$(state shallow)" &&
	judged shallow 1 && said "the repository is shallow, its history is cut off" &&
	git -C shallow.git fetch -q --unshallow && judged shallow 0 && audit_valid shallow
'

# --- alternates ---

# The objects of shop lie elsewhere, by the way of $1 more folders.
by_way_of() {
	rm -rf "$T"/way.git "$T"/way-* && git init -q --bare "$T/way.git" && cp "$(server_file shop)" "$T/way.git/" &&
		server_set way modelgate state "$(state shop)" && ln -sfn "$(state shop)" "$(state way)" && cp "$T/shop.git/packed-refs" "$T/way.git/" 2>/dev/null
	cp -a "$T/shop.git/refs" "$T/way.git/" && way=$T/way.git/objects || return 1
	for step in $(seq "$1"); do
		mkdir -p "$T/way-$step/info" && echo "$T/way-$step" >"$way/info/alternates" && way=$T/way-$step || return 1
	done
	echo "$T/shop.git/objects" >"$way/info/alternates"
}

test_expect 'alternates that name each other, and themselves, in several ways' '
	by_way_of 1 && { echo "$T/way.git/objects" && echo "$T/way-1/../way.git/objects" && echo "$T/way-1" &&
		echo "$T/shop.git/objects"; } >"$T/way-1/info/alternates" &&
	{ echo "$T/way-1" && echo ../objects && echo ../../way-1; } >"$T/way.git/objects/info/alternates" && judged way 0
'

test_expect 'alternates that lead nowhere are no matter, unless what is needed was there: MG902' '
	by_way_of 0 && { echo /nowhere && echo "$T/in" && echo "$T/shop.git/objects"; } >"$T/way.git/objects/info/alternates" &&
	judged way 0 && echo /nowhere >"$T/way.git/objects/info/alternates" && judged way 1
'

test_expect 'a chain of alternates as long as git follows it; a longer one is MG902' '
	by_way_of 3 && judged way 0 && by_way_of 9 && judged way 1
'

test_expect 'MG902: a folder, or a pipe, in the place of the list of alternates' '
	by_way_of 0 && rm "$T/way.git/objects/info/alternates" && mkdir "$T/way.git/objects/info/alternates" && judged way 1 &&
	rmdir "$T/way.git/objects/info/alternates" && mkfifo "$T/way.git/objects/info/alternates" && judged way 1
'

test_expect 'the log is whole, and the next push is fine' '
	audit_valid shop && git -C shop.git fsck && cd work && expect_accept git push origin main &&
	said "created: chain dev on main $(short main)" && audit_valid shop
'

test_done

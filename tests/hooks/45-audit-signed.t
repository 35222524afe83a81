#!/bin/sh
# Checkpoints, proofs, rotation and exports of the audit log through the command, as a reviewer uses them.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/chains.sh"

folder=$T/shop.state/audit
log=$folder/audit.jsonl

# N pushes to dev.
pushes() {
	cd "$T/work" && git switch -q dev || return 1
	for pushes_n in $(seq "$1"); do
		commit "more-$pushes_n.txt" && git push -q origin dev || return 1
	done
	cd "$T" || return 1
}

# Put the audit folder by, or back.
keep() {
	rm -rf "$T/${1:?}" && cp -a "$folder" "$T/$1"
}

back() {
	rm -rf "$folder" && cp -a "$T/$1" "$folder"
}

# Rewrite the log from record $1 on as somebody would who knows how: each line fits the one before, and the
# head the last.
rewrite() {
	perl -MDigest::SHA=sha256_hex -e '
		my ($folder, $from) = @ARGV;
		open my $in, "<", "$folder/audit.jsonl" or die;
		my @lines = <$in>;
		my $prev;
		for my $i (0 .. $#lines) {
			chomp $lines[$i];
			$lines[$i] =~ s/"name":"[^"]*"/"name":"nobody"/ if $i + 1 == $from;
			$lines[$i] =~ s/"prev":"[0-9a-f]*"/"prev":"$prev"/ if defined $prev && $i + 1 > $from;
			$prev = sha256_hex($lines[$i]);
		}
		open my $out, ">", "$folder/audit.jsonl" or die;
		print $out map { "$_\n" } @lines;
		close $out or die;
		my $size = -s "$folder/audit.jsonl";
		open my $head, "+<", "$folder/head" or die;
		my $text = <$head>;
		$text =~ s/"hash":"[0-9a-f]*"/"hash":"$prev"/;
		$text =~ s/"size":\d+/"size":$size/;
		$text = sprintf("%-511s", $text =~ s/\s+$//r) . "\n";
		seek $head, 0, 0;
		print $head $text;
		close $head or die' "$folder" "$1"
}

# A system's file that names the key $1, and modelgate by it.
system_says() {
	printf "[modelgate]\nstate = %s\n[audit]\npublic-key = %s\n" "$(state shop)" "$1" >"$T/key.ini"
}

by_system() {
	modelgate --config "$T/key.ini" "$@"
}

new_server shop
new_project shop work || test_bail 'no project'
pushes 3 || test_bail 'no pushes'

# --- checkpoints ---

test_expect 'a key is made once, and is for its owner alone' '
	mg shop audit keygen "$T/key" && same 600 "$(stat -c %a "$T/key")" &&
	same 644 "$(stat -c %a "$T/key.pub")" && cp "$T/key" "$T/key.first" &&
	is_unknown "is there already" mg shop audit keygen "$T/key" && cmp "$T/key" "$T/key.first" &&
	openssl pkey -in "$T/key" -pubout -out "$T/by-openssl" && cmp "$T/key.pub" "$T/by-openssl"
'

# keygen on a disk with room for one file, then for more; what is there after each.
keygen_on_disk() {
	unshare -rm sh -c "mount -t tmpfs -o nr_inodes=2 none \"$T/disk\" && cd \"$T/disk\" &&
		{ modelgate audit keygen key || echo \$?; } && ls -A && mount -o remount,nr_inodes=9 \"$T/disk\" &&
		modelgate audit keygen key >&2 && ls -A"
}

if unshare -rm mount -t tmpfs none /mnt 2>/dev/null; then
	test_expect 'where there is no room for the public half, the private one does not stay either' '
		mkdir "$T/disk" && keygen_on_disk >"$T/out" 2>"$T/err" && cat "$T/out" "$T/err" && said "No space left" &&
		same "3 key key.pub" "$(paste -s -d " " "$T/out")"
	'
else
	test_skip 'no room for the public half' 'nothing can be mounted here, not even in a user namespace'
fi

test_expect 'a checkpoint says what the log is, and the log holds against it' '
	mg shop audit checkpoint --key "$T/key" --output "$T/point" && cat "$T/point" &&
	same "$(wc -l <"$log")" "$(sed -n 2p "$T/point")" &&
	same "head $(tail -n 1 "$log" | tr -d "\n" | sha256sum | cut -c 1-64)" "$(sed -n 4p "$T/point")" &&
	mg shop audit verify --checkpoint "$T/point" --public-key "$T/key.pub" >"$T/out" && cat "$T/out" &&
	grep "audit log is valid" "$T/out" && grep "signed with the key that was asked for" "$T/out" &&
	same trusted "$(mg shop audit verify --checkpoint "$T/point" --public-key "$T/key.pub" --json |
		json checkpoint.key)"
'

test_expect 'to standard output too, with a key that openssl has made' '
	openssl genpkey -algorithm ed25519 -out "$T/other" && chmod 600 "$T/other" &&
	openssl pkey -in "$T/other" -pubout -out "$T/other.pub" &&
	mg shop audit checkpoint --key "$T/other" --origin "prod.example.com/models" >"$T/point.other" &&
	same "prod.example.com/models" "$(head -n 1 "$T/point.other")" &&
	mkdir "$T/empty" && (cd "$T/empty" && mg shop audit checkpoint --key "$T/other" --output - >"$T/piped") &&
	same 7 "$(sed "/^\$/,\$d" "$T/piped" | wc -l)" && same "" "$(ls -A "$T/empty")" &&
	mg shop audit verify --checkpoint "$T/point.other" --public-key "$T/other.pub"
'

test_expect 'openssl finds its signature good, without modelgate' '
	sed "/^\$/,\$d" "$T/point" >"$T/signed" &&
	sed -n "\$s/.* //p" "$T/point" | openssl base64 -d -A | tail -c 64 >"$T/signature" &&
	openssl pkeyutl -verify -pubin -inkey "$T/key.pub" -rawin -in "$T/signed" -sigfile "$T/signature"
'

test_expect 'its root is that of RFC 6962 over the lines, without modelgate' '
	root=$(perl -MDigest::SHA=sha256 -MMIME::Base64 -e "
		sub root { my @l = @_; return sha256(qq{\\0\$l[0]}) if @l == 1;
			my \$k = 1; \$k *= 2 while \$k * 2 < @l;
			return sha256(qq{\\1} . root(@l[0 .. \$k - 1]) . root(@l[\$k .. \$#l])) }
		chomp(my @lines = <STDIN>); print encode_base64(root(@lines), q{})" <"$log") &&
	same "$root" "$(sed -n 3p "$T/point")"
'

test_expect 'without a public key it says that nobody vouches for it; with another it is refused' '
	mg shop audit verify --checkpoint "$T/point" >"$T/out" && grep "is not known here" "$T/out" &&
	same unknown "$(mg shop audit verify --checkpoint "$T/point" --json | json checkpoint.key)" &&
	is_no "was not signed with this key" mg shop audit verify --checkpoint "$T/point" \
		--public-key "$T/other.pub" &&
	system_says "$T/other.pub" &&
	is_no "was not signed with this key" by_system audit verify --checkpoint "$T/point" &&
	by_system check | grep "^ok  *audit log: checkpoints are checked with $T/other.pub" &&
	system_says "$T/key" && { by_system check >"$T/out" || :; } &&
	grep -A1 "public-key: $T/key: no public Ed25519 key" "$T/out" && system_says "$T/key.pub" &&
	by_system audit verify --checkpoint "$T/point" >"$T/out" &&
	grep "signed with the key named in $T/key.ini" "$T/out" && ! grep "asked for" "$T/out"
'

test_expect 'a repository does not choose the key that its log is believed by' '
	cp shop.git/modelgate.ini "$T/own.ini" && server_set shop audit public-key "$T/key.pub" &&
	is_unknown "public-key: stands in the system" mg shop audit verify --checkpoint "$T/point" &&
	cp "$T/own.ini" shop.git/modelgate.ini && mg shop audit verify --checkpoint "$T/point"
'

test_expect 'a checkpoint that was changed is none, or is not signed' '
	sed "2s/.*/3/" "$T/point" >"$T/changed" &&
	is_no "was not signed" mg shop audit verify --checkpoint "$T/changed" &&
	sed 5d "$T/point" >"$T/changed" &&
	is_unknown "no checkpoint" mg shop audit verify --checkpoint "$T/changed" &&
	is_unknown "no such file" mg shop audit verify --checkpoint "$T/none"
'

test_expect 'what is recorded afterwards does not matter to it' '
	pushes 2 && mg shop audit verify --checkpoint "$T/point" && keep now
'

test_expect 'a log that was rewritten with its head is valid, and the checkpoint finds it' '
	rewrite 2 && audit_valid shop && ! grep -q "\"name\":\"nobody\"" "$T/now/audit.jsonl" &&
	is_no "" mg shop audit verify --checkpoint "$T/point" && grep "NOT valid: its first [0-9]* lines" "$T/out" &&
	grep "was rewritten" "$T/out" && back now && mg shop audit verify --checkpoint "$T/point"
'

test_expect 'it does not find what was rewritten behind it, and the next one does' '
	rewrite "$(wc -l <"$log")" && mg shop audit verify --checkpoint "$T/point" && back now &&
	cp "$T/point" "$T/point.old" && mg shop audit checkpoint --key "$T/key" --output "$T/point" &&
	rewrite "$(wc -l <"$log")" && is_no "" mg shop audit verify --checkpoint "$T/point" && back now
'

test_expect 'an old log put back with its head is valid, and the checkpoint names the first line that is lost' '
	rm -rf "$T/old" && keep old && pushes 1 && mg shop audit checkpoint --key "$T/key" --output "$T/point" &&
	keep now && back old && audit_valid shop &&
	is_no "" mg shop audit verify --checkpoint "$T/point" &&
	grep "NOT valid: line $(($(wc -l <"$log") + 1)): 1 lines are missing from here on" "$T/out" && back now
'

test_expect 'a log that was removed with its head is a new one, and the checkpoint finds it' '
	rm -rf "$folder" && pushes 1 && is_no "" mg shop audit verify --checkpoint "$T/point" &&
	grep "NOT valid: " "$T/out" && back now && rm "$log" && is_no "" mg shop audit verify && grep "NOT valid: " "$T/out" &&
	pushes 1 && is_no "" mg shop audit verify && rm -rf "$folder" && back now && mg shop audit verify --checkpoint "$T/point"
'

test_expect 'nothing that does not go on from the last checkpoint is signed' '
	cp "$T/point" "$T/point.good" && back old &&
	is_no "nothing was signed" mg shop audit checkpoint --key "$T/key" --output "$T/point" &&
	cmp "$T/point" "$T/point.good" && back now && rewrite 2 &&
	is_no "nothing was signed" mg shop audit checkpoint --key "$T/key" --output "$T/point" &&
	cmp "$T/point" "$T/point.good" && back now && sed -i 2d "$log" &&
	is_no "NOT valid: line 2: " mg shop audit checkpoint --key "$T/key" && same "" "$(cat "$T/out")" && back now &&
	is_unknown "signed with another key" mg shop audit checkpoint --key "$T/other" --output "$T/point" &&
	mg shop audit checkpoint --key "$T/key" --output "$T/point"
'

test_expect 'a key that others may read, that is none or that is missing is refused, with the way out' '
	chmod 644 "$T/key" && is_unknown "chmod 600 $T/key" mg shop audit checkpoint --key "$T/key" &&
	chmod 600 "$T/key" && echo nonsense >"$T/bad" && chmod 600 "$T/bad" &&
	is_unknown "no private Ed25519 key" mg shop audit checkpoint --key "$T/bad" &&
	is_unknown "modelgate audit keygen $T/none" mg shop audit checkpoint --key "$T/none" &&
	is_usage "modelgate audit keygen FILE" mg shop audit checkpoint
'

if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
	# The account that signs: it may read all, as the unit file gives it, and owns nothing of the state.
	as_signer() {
		setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all,+dac_read_search \
			--ambient-caps=-all,+dac_read_search --bounding-set=-all,+dac_read_search \
			env HOME=/ GIT_CONFIG_GLOBAL=/dev/null "$@"
	}

	test_expect 'another account signs, which may read the log and write nothing of it' '
		install -d -m 700 -o 65534 -g 65534 "$T/signer" && cp "$ROOT/bin/modelgate" "$T/command" &&
		printf "[modelgate]\nstate = %s\n" "$(state shop)" >"$T/system.ini" && keep before && chmod 711 "$T" &&
		setpriv --reuid 65534 --regid 65534 --clear-groups "$T/command" audit keygen "$T/signer/key" &&
		is_unknown "call this with sudo" setpriv --reuid 65534 --regid 65534 --clear-groups \
			"$T/command" --config "$T/system.ini" audit checkpoint --key "$T/signer/key" &&
		as_signer "$T/command" --config "$T/system.ini" audit checkpoint --key "$T/signer/key" \
			--output "$T/signer/checkpoint" && pushes 1 &&
		as_signer "$T/command" --config "$T/system.ini" audit checkpoint --key "$T/signer/key" \
			--output "$T/signer/checkpoint" &&
		as_signer "$T/command" --config "$T/system.ini" audit verify --checkpoint "$T/signer/checkpoint" &&
		is_unknown "call this with sudo" as_signer "$T/command" --config "$T/system.ini" audit rotate &&
		mg shop audit verify --checkpoint "$T/signer/checkpoint" --public-key "$T/signer/key.pub" && chmod 700 "$T"
	'

	test_expect 'root shows no log to a repository of somebody else whose configuration names it' '
		git init -q --bare "$T/theirs.git" && printf "[modelgate]\nstate = %s\n" "$(state shop)" >"$T/theirs.git/modelgate.ini" &&
		chown -R 65534:65534 "$T/theirs.git" &&
		is_unknown "both have the same owner" mg theirs audit show && same "" "$(cat "$T/out")" &&
		is_unknown "both have the same owner" mg theirs audit verify &&
		mg shop audit show >"$T/out" && grep push.accepted "$T/out"
	'

	test_expect 'where nothing was pushed yet, another account is told so, and leaves nothing in the store' '
		new_server fresh && mg fresh run --drain && test -s fresh.state/store.db && rm -rf fresh.state/audit &&
		install -d -m 700 fresh.state/audit && ls -A fresh.state >"$T/before.ls" && chmod 711 "$T" &&
		printf "[modelgate]\nstate = %s\n" "$(state fresh)" >"$T/fresh.ini" &&
		as_signer "$T/command" --config "$T/fresh.ini" audit verify >"$T/out" && cat "$T/out" &&
		grep "nothing has been recorded yet" "$T/out" && ls -A fresh.state | cmp - "$T/before.ls" &&
		background modelgate --repo "$T/fresh.git" run >"$T/service" 2>&1 && service=$! &&
		wait_for 10 test -s fresh.state/store.db-shm && wait_for 10 test -e fresh.state/store.db-wal &&
		as_signer "$T/command" --config "$T/fresh.ini" audit verify >"$T/out" && cat "$T/out" &&
		grep "nothing has been recorded yet" "$T/out" && kill "$service" && chmod 700 "$T"
	'
else
	test_skip 'another account signs' 'only root can become another user'
fi

# --- proofs ---

test_expect 'a record is proved to somebody who has neither the log nor the configuration' '
	mg shop audit prove 3 --checkpoint "$T/point" >"$T/proof" && mkdir -p "$T/outside" &&
	cd "$T/outside" && modelgate audit check-proof "$T/proof" --public-key "$T/key.pub" >"$T/out" 2>"$T/err" &&
	cat "$T/out" "$T/err" && said "proof holds: record 3, line 3 of" && sed -n 3p "$log" | cmp - "$T/out"
'

test_expect 'a proof that was changed does not hold, nor one for another checkpoint' '
	sed "s/push_id/push_ie/" "$T/proof" >"$T/bad" &&
	is_no "does NOT hold: the record is not in the log" modelgate audit check-proof "$T/bad" &&
	sed "s/\"index\": 2/\"index\": 3/" "$T/proof" >"$T/bad" &&
	is_no "does NOT hold" modelgate audit check-proof "$T/bad" &&
	is_no "another number of lines" modelgate audit check-proof "$T/proof" --checkpoint "$T/point.old" &&
	is_no "not signed with this key" modelgate audit check-proof "$T/proof" --public-key "$T/other.pub" &&
	is_unknown "no proof" modelgate audit check-proof "$T/point"
'

# A proof for the bytes $1, as the only line of a log, signed by the key "other".
forge_proof() {
	python3 - "$1" "$T" >"$T/forged" <<-\END
		import base64, hashlib, json, subprocess, sys
		record, folder = sys.argv[1].encode().decode("unicode_escape"), sys.argv[2]
		b64 = lambda data: base64.b64encode(data).decode()
		key = base64.b64decode("".join(open(folder + "/other.pub").read().splitlines()[1:-1]))[-32:]
		root = hashlib.sha256(b"\0" + record.encode()).digest()
		origin = "git.example.com/modelgate"
		body = f"{origin}\n1\n{b64(root)}\nhead {64 * '0'}\nseq 1\ntime 2026-11-26T21:30:35.610694Z\nkey {b64(key)}\n"
		open(folder + "/body", "w").write(body)
		signature = subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", folder + "/other",
		                            "-in", folder + "/body"], capture_output=True, check=True).stdout
		number = hashlib.sha256(origin.encode() + b"\n\x01" + key).digest()[:4]
		print(json.dumps({"record": record, "index": 0, "lines": 1, "path": [],
		                  "checkpoint": f"{body}\n\u2014 {origin} {b64(number + signature)}\n"}))
	END
}

zeros=0000000000000000000000000000000000000000000000000000000000000000
entry='{"seq":1,"prev":"'$zeros'","time":"2026-11-26T21:30:35.610694Z","event":"push.accepted","x":"%s"}'
# shellcheck disable=SC2059 # the format is ours
record() {
	printf "$entry" "$1"
}

test_expect 'what is proved is a record, and nothing that a terminal obeys; who vouches is said before it' '
	forge_proof "$(record fine)" && modelgate audit check-proof "$T/forged" >"$T/out" 2>&1 && cat "$T/out" &&
	head -n 1 "$T/out" | grep -F "proof holds, but nobody vouches for the key: record 1, line 1 of 1" &&
	same "$(record fine)" "$(tail -n 1 "$T/out")" &&
	for text in "{\"seq\":1}" "nothing" "$(record "\\u202e")" "$(record "\\x9b31m")" "$(record fine)\\n\\x1b[8m" \
		"$(record fine)\\n"; do
		forge_proof "$text" && is_no "no record of an audit log" modelgate audit check-proof "$T/forged" \
			--public-key "$T/other.pub" && same "" "$(cat "$T/out")" || return 1
	done
'

test_expect 'a proof without a checkpoint holds against one that is given' '
	mg shop audit checkpoint --key "$T/key" --output "$T/point" && mg shop audit prove 2 >"$T/proof" &&
	is_unknown "give --checkpoint" modelgate audit check-proof "$T/proof" &&
	modelgate audit check-proof "$T/proof" --checkpoint "$T/point" &&
	is_no "there is no record 9999" mg shop audit prove 9999 && is_usage "is no record" mg shop audit prove x
'

# --- rotation ---

test_expect 'by hand: the chain goes on in a new file' '
	lines=$(wc -l <"$log") && mg shop audit rotate && same "$lines" "$(wc -l <"$folder/audit-000001.jsonl")" &&
	same 1 "$(wc -l <"$log")" && same audit.rotated "$(json event <"$log")" &&
	same $((lines + 1)) "$(json seq <"$log")" &&
	same "$(tail -n 1 "$folder/audit-000001.jsonl" | tr -d "\n" | sha256sum | cut -c 1-64)" "$(json prev <"$log")" &&
	pushes 1 && mg shop audit rotate && pushes 1 && audit_valid shop &&
	mg shop audit verify --checkpoint "$T/point" &&
	mg shop audit checkpoint --key "$T/key" --output "$T/point" &&
	same "$(cat "$folder"/audit-0*.jsonl "$log" | wc -l)" "$(sed -n 2p "$T/point")" &&
	cat "$folder"/audit-0*.jsonl "$log" >"$T/all" &&
	mg shop audit show --json | cmp - "$T/all"
'

test_expect 'a changed line and a lost file are named with the file' '
	keep now && sed -i "2s/push/bush/" "$folder/audit-000001.jsonl" && is_no "" mg shop audit verify &&
	grep "NOT valid: line 2 of audit-000001.jsonl: " "$T/out" &&
	same audit-000001.jsonl "$(mg shop audit verify --json | json file)" && back now &&
	rm "$folder/audit-000002.jsonl" && is_no "" mg shop audit verify &&
	grep "follows on the file audit-000002.jsonl, which is missing" "$T/out" && back now
'

test_expect 'the oldest may be taken away, if that is said; the checkpoint still holds' '
	rm "$folder/audit-000001.jsonl" && is_no "" mg shop audit verify &&
	mg shop audit verify --without-oldest >"$T/out" && grep "lines are in files that are not here" "$T/out" &&
	mg shop audit verify --without-oldest --checkpoint "$T/point" &&
	is_unknown "older files are needed" mg shop audit verify --without-oldest --checkpoint "$T/point.old" &&
	is_unknown "older files are needed" mg shop audit checkpoint --without-oldest --key "$T/key" --output "$T/point.old" &&
	is_unknown "oldest files" mg shop audit prove 1 && back now
'

test_expect 'the service goes on signing where the oldest were taken away, and only what goes on' '
	unit=$(sed -n "s|/var/lib/modelgate-audit/|$T/unit.|g; s/^ExecStart=\"[^\"]*\" //p" \
		"$TOP/config/modelgate-checkpoint.service") && same "audit checkpoint" "${unit%% --*}" &&
	cp -p "$T/key" "$T/unit.key" && cp "$T/point" "$T/unit.checkpoint" && rm "$folder/audit-000001.jsonl" &&
	mg shop $unit && mg shop audit verify --without-oldest --checkpoint "$T/unit.checkpoint" &&
	cp "$T/unit.checkpoint" "$T/unit.before" && rewrite 2 && is_no "nothing was signed" mg shop $unit &&
	cmp "$T/unit.checkpoint" "$T/unit.before" && back now
'

test_expect 'by size and by age, by the runner, which tells of it' '
	server_set shop audit rotate-size 100 && drain shop >"$T/out" && cat "$T/out" &&
	grep "behind audit-000003.jsonl" "$T/out" && server_set shop audit rotate-size 0 && pushes 1 && drain shop &&
	test ! -e "$folder/audit-000004.jsonl" && server_set shop audit rotate-age 1 && drain shop &&
	test ! -e "$folder/audit-000004.jsonl" && audit_valid shop
'

# --- appends that were broken off ---

# The head $1 over that of now, announcing 100000 bytes more than it says.
put_back_head() {
	perl -e '
		my ($old, $now) = @ARGV;
		open my $in, "<", $old or die;
		my $text = <$in>;
		$text =~ s/("size":(\d+).*"pending_size":)\d+/$1 . ($2 + 100000)/e or die;
		open my $head, "+<", $now or die;
		printf $head "%-511s\n", $text =~ s/\s+$//r;
		close $head or die' "$1" "$folder/head"
}

test_expect 'behind an old head that was put back nothing is signed until the next append accounts for it' '
	rm -f "$T/point.torn" && keep before && pushes 1 && put_back_head "$T/before/head" &&
	mg shop audit verify >"$T/out" && grep "was broken off" "$T/out" &&
	is_no "was broken off; the next push or runner accounts" mg shop audit checkpoint --key "$T/key" --output "$T/point.torn" &&
	test ! -e "$T/point.torn" && pushes 1 && audit_valid shop &&
	mg shop audit checkpoint --key "$T/key" --output "$T/point.torn" && test -s "$T/point.torn"
'

# --- export ---

test_expect 'jsonl is the log itself; csv and cef have a line for each reference' '
	cat "$folder"/audit-0*.jsonl "$log" >"$T/all" && mg shop audit export | cmp - "$T/all" &&
	mg shop audit export --format csv --event "push.*" >"$T/csv" &&
	mg shop audit export --format cef --event "push.*" >"$T/cef" &&
	refs=$(mg shop audit show --event "push.*" | wc -l) && [ "$refs" -gt 5 ] &&
	same $((refs + 1)) "$(wc -l <"$T/csv")" && same "$refs" "$(wc -l <"$T/cef")" &&
	same "$refs" "$(grep -c "^CEF:0|modelgate|modelgate|.*|push.accepted|.*fname=refs/heads/" "$T/cef")" &&
	python3 -c "
import csv, sys
rows = list(csv.DictReader(open(sys.argv[1], newline=\"\")))
assert all(row[\"ref\"].startswith(\"refs/heads/\") and len(row[\"hash\"]) == 64 for row in rows), rows
" "$T/csv"
'

test_done

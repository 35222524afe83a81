#!/bin/sh
# A copy of each record to syslog, made by the runner: in the form of RFC 5424, none left out, none twice.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/chains.sh"

log=$T/shop.state/audit/audit.jsonl

# A system log: each datagram to $T/syslog is a line of $T/messages.
start_syslog() {
	rm -f "$T/syslog" &&
		background perl -MIO::Socket::UNIX -e '
			$| = 1;
			my $s = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $ARGV[0]) or die "$!";
			while (defined $s->recv(my $text, 65536)) { print $text =~ s/\n/<LF>/gr, "\n" }
		' "$T/syslog" >>"$T/messages" && syslog_pid=$! && wait_for 10 test -S "$T/syslog"
}

# The numbers of the records that were copied, in order.  Each reference of a record is a message.
copied() {
	sed -n 's/.*\[modelgate@32473 seq="\([0-9]*\)" hash="[0-9a-f]*".*/\1/p' "$T/messages" | uniq
}

recorded() {
	mg shop audit show --json | sed 's/^{"seq":\([0-9]*\),.*/\1/'
}

is_copied() {
	copied >"$T/copied" && recorded >"$T/recorded" && diff "$T/recorded" "$T/copied"
}

new_server shop
new_project shop work || test_bail 'no project'
cd "$T/work" || exit 1
: >"$T/messages"

test_expect 'where nothing is asked for, nothing is copied' '
	start_syslog && drain shop && test ! -s "$T/messages" && test ! -e "$T/shop.state/audit/copied"
'

test_expect 'each record is a message, with its number and its hash' '
	server_set shop audit syslog "$T/syslog" && cd work && git switch -q dev && commit a.txt &&
	git push -q origin dev && expect_accept merge_push dev main && commit b.txt &&
	expect_reject MG102 git push origin main && cd .. && drain shop && wait_for 10 is_copied &&
	sed -n "s/.*\" hash=\"\([0-9a-f]*\)\".*/\1/p" "$T/messages" | uniq >hashes &&
	while read -r line; do printf "%s" "$line" | sha256sum | cut -c 1-64; done <"$log" | diff - hashes
'

test_expect 'in the form of RFC 5424, under log audit, with who, what and where' '
	grep "push.rejected" "$T/messages" && grep -E "^<109>1 2[0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{6}Z [^ ]+ modelgate [0-9]+ push.rejected \[modelgate@32473 seq=\"[0-9]+\" hash=\"[0-9a-f]{64}\" push_id=\"[0-9A-Z]{26}\" .*actor_name=\"$(id -un)\" .*project=\"shop\" .*ref=\"refs/heads/main\" .*codes=\"MG102\"\] Push rejected: commit .* was made on main itself$" \
		"$T/messages" && same 0 "$(grep -cvE "^<1[0-9]{2}>1 " "$T/messages")"
'

# There are twice as many messages as in $T/before.
is_doubled() {
	[ "$(wc -l <"$T/messages")" -eq $((2 * $(wc -l <"$T/before"))) ]
}

test_expect 'the first message tells that the copy begins; and again where how far it had come is lost' '
	head -n 1 "$T/messages" | grep -E "^<109>1 .* audit.copy-begins .* Copy of the audit log begins with record 1$" &&
	same 1 "$(grep -c audit.copy-begins "$T/messages")" && cp "$T/messages" "$T/before" &&
	rm "$T/shop.state/audit/copied" && drain shop && wait_for 10 is_doubled &&
	same 2 "$(grep -c audit.copy-begins "$T/messages")" && cat "$T/before" >"$T/messages"
'

test_expect 'what is there already is not sent again; what is new goes on behind it, over a rotation too' '
	drain shop && is_copied && cd work && git switch -q dev && commit c.txt && git push -q origin dev && cd .. &&
	mg shop audit rotate && drain shop && wait_for 10 is_copied && mg shop audit rotate &&
	mg shop audit rotate && drain shop && wait_for 10 is_copied
'

test_expect 'a system log that is away fails no push and no stage; what it has missed comes when it is back' '
	mg shop check | grep "audit log: copied to $T/syslog" && kill "$syslog_pid" && rm "$T/syslog" &&
	mg shop check | grep "audit log: not copied: $T/syslog: No such file" && cd work && git switch -q dev && commit d.txt && git push -q origin dev &&
	expect_accept merge_push dev main && cd .. && drain shop >"$T/out" && cat "$T/out" &&
	same 1 "$(grep -c "copy to syslog: $T/syslog: No such file or directory; tried again" "$T/out")" &&
	same success "$(stage_status shop 2 build)" && ! is_copied >/dev/null && start_syslog && drain shop &&
	wait_for 10 is_copied
'

test_expect 'a runner that is a service copies as it goes' '
	background modelgate --repo "$T/shop.git" run >service.out 2>&1 && cd work && git switch -q dev &&
	commit e.txt && git push -q origin dev && cd .. && wait_for 10 is_copied
'

test_expect 'a hostile text stays one message' '
	cd work && git switch -q main && git reset -q --hard origin/main && : >f.txt && git add f.txt &&
	git commit -q -m "$(printf "a \" b ] c \\\\ d \033[31m <1>1 - - forged")" &&
	expect_reject MG102 git push origin main && cd .. && wait_for 10 is_copied &&
	grep "forged" "$T/messages" | grep "^<109>1 " | grep -v "$(printf "\033")" &&
	same 0 "$(grep -c "<LF>" "$T/messages")"
'

test_expect 'a push wakes a runner for it, also one that is rejected, and one that only adds a record' '
	kill $! && drain shop && server_set shop runner wake spawn && cd work && git switch -q main &&
	expect_reject MG102 git push origin main && wait_for 10 is_copied && git switch -q dev && commit h.txt &&
	expect_accept git push origin dev && cd .. && wait_for 10 is_copied && server_set shop runner wake none
'

test_expect 'and one that has let the log come to its size' '
	server_set shop audit syslog "" && server_set shop audit rotate-size 1000 &&
	server_set shop runner wake spawn && cd work && commit i.txt && expect_accept git push origin dev && cd .. &&
	wait_for 10 test -e "$T/shop.state/audit/audit-000004.jsonl" && server_set shop runner wake none &&
	server_set shop audit syslog "$T/syslog" && server_set shop audit rotate-size 0
'

test_expect 'or to its age' '
	new_server old && server_set old audit rotate-size 0 && server_set old runner wake spawn &&
	"$BUILD/tests/make-log" "$T/old.state" 3 && cd work && commit j.txt &&
	expect_accept git push "$T/old.git" dev:young && sleep 1 &&
	test ! -e "$T/old.state/audit/audit-000001.jsonl" && server_set old audit rotate-age 30 && commit k.txt &&
	expect_accept git push "$T/old.git" dev:young && cd .. &&
	wait_for 10 test -e "$T/old.state/audit/audit-000001.jsonl"
'

# One that takes ten messages a second until $T/slow.fast is there.
start_slow_syslog() {
	background perl -MIO::Socket::UNIX -e '
		$| = 1;
		my $s = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $ARGV[0]) or die "$!";
		while (defined $s->recv(my $text, 65536)) {
			print "$text\n";
			select undef, undef, undef, 0.1 unless -e "$ARGV[0].fast";
		}
	' "$T/slow" >"$T/slow.messages" && wait_for 10 test -S "$T/slow"
}

has_ended() {
	! kill -0 "$1" 2>/dev/null
}

# As many messages as $1.
has_taken() {
	[ "$(wc -l <"$T/slow.messages")" -ge "$1" ]
}

all_slow_are_copied() {
	sed -n "s/.*\[modelgate@32473 seq=\"\([0-9]*\)\" hash=.*/\1/p" "$T/slow.messages" | uniq >slow.copied &&
		mg slow audit show --json | sed "s/^{\"seq\":\([0-9]*\),.*/\1/" | diff - slow.copied
}

test_expect 'a system log that reads slowly keeps no runner from its end, and is given all by one that drains' '
	new_server slow && server_set slow audit syslog "$T/slow" && "$BUILD/tests/make-log" "$T/slow.state" 200 &&
	start_slow_syslog && background modelgate --repo "$T/slow.git" run >slow.out 2>&1 && wait_for 10 has_taken 1 &&
	kill $! && wait_for 8 has_ended $! && has_taken 1 && ! has_taken 150 &&
	background drain slow >drain.out 2>&1 && drain=$! && wait_for 20 has_taken 80 && ! has_ended "$drain" &&
	: >"$T/slow.fast" && wait_for 20 has_ended "$drain" && cat drain.out && wait_for 10 all_slow_are_copied
'

test_expect 'a log that was cut behind the copy raises an alert' '
	drain shop &&
	truncate -s 0 "$log" && rm "$T/shop.state/audit/head" && cd work && git switch -q dev && commit g.txt && git push -q origin dev && cd .. &&
	drain shop && wait_for 10 grep -q "^<105>1 .* audit.broken .*Audit log does not go on behind the record" "$T/messages"
'

test_done

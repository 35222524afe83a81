#!/bin/sh
# The audit log as one page: what is in the file.  How it behaves in a browser, tests/real/report.t shows.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/chains.sh"

log=$T/shop.state/audit/audit.jsonl
page=$T/page.html

# shellcheck disable=SC2120 # the tests give it options
report() {
	mg shop audit report --html "$page" "$@"
}

# The content of the element that $1 opens, in the page $2.
inside() {
	perl -0777 -e '
		open my $in, "<", $ARGV[1] or die; my $text = <$in>;
		my ($tag) = $ARGV[0] =~ /^<(\w+)/;
		my $n = () = $text =~ /\Q$ARGV[0]\E/g;
		die "$n of $ARGV[0]\n" if $n != 1;
		$text =~ m{\Q$ARGV[0]\E(.*?)</$tag>}s or die; print $1' "$1" "$2"
}

# The numbers of the records in the page, joined by commas.
numbers() {
	inside '<script type="application/json" id="data">' "$page" | json seq | tr -d "[] "
}

source_hash() {
	printf "%s'sha256-%s'" "$1" "$(inside "$2" "$page" | openssl dgst -sha256 -binary | openssl base64)"
}

new_server shop

test_expect 'a log in which nothing is yet makes a page that says so' '
	report && grep -q "Nothing has been recorded yet" "$page" && same "" "$(numbers)" &&
	same "" "$(ls "$T/shop.state")" && rm "$page"
'

new_project shop work || test_bail 'no project'

test_expect 'pushes, a chain and texts that want to be more' '
	cd work && commit a.txt && expect_accept git push origin dev &&
	expect_accept merge_push dev main && drain shop && git switch -q main &&
	: >b.txt && git add b.txt &&
	git commit -q -m "$(printf "</script><img src=x onerror=alert(1)> <!-- \342\200\256 \033[31m")" &&
	expect_reject MG102 git push origin main &&
	expect_accept git push origin "dev:refs/heads/<script>alert(1)</script>" \
		"dev:refs/heads/$(printf "\342\200\256")gpj.exe" && audit_valid shop
'

test_expect 'one file, for its owner alone' '
	mkdir "$T/out.d" && page=$T/out.d/page.html && report >"$T/said" 2>&1 && same "" "$(cat "$T/said")" &&
	same page.html "$(ls -A "$T/out.d")" && same 600 "$(stat -c %a "$page")" &&
	same "<!DOCTYPE html>" "$(head -n 1 "$page")" && same "</html>" "$(tail -n 1 "$page")"
'

test_expect 'it says what verify says' '
	grep -q "The audit log is valid" "$page" && lines=$(wc -l <"$log") &&
	grep -q "$lines records checked" "$page" && head=$(tail -n 1 "$log" | tr -d "\n" | sha256sum | cut -c 1-64) &&
	grep -q "Head <code>$head</code>" "$page"
'

test_expect 'every record is in it, with the hash of its line' '
	same "$(seq -s , "$lines")" "$(numbers)" &&
	while IFS= read -r line; do printf "%s" "$line" | sha256sum | cut -c 1-64 | tr -d "\n"; done <"$log" >hashes &&
	same "$(cat hashes)" "$(inside "<script type=\"application/json\" id=\"data\">" "$page" | json hash)"
'

test_expect 'it refers to nothing outside itself' '
	perl -0777 -pe "s{<script type=\"application/json\".*?</script>}{}s" "$page" >"$T/text" &&
	grep -q "<script>" "$T/text" &&
	! grep -nE "https?:|src=|href=\"[^#]|@import|url\([^#]|xlink|<link|<iframe|<object|<base" "$T/text"
'

test_expect 'its policy lets run what is in it and nothing else' '
	policy=$(sed -n "s/.*Content-Security-Policy\" content=\"\([^\"]*\)\".*/\1/p" "$page") &&
	same "default-src '\''none'\''; $(source_hash "script-src " "<script>"); $(source_hash "style-src " "<style>"); base-uri '\''none'\''; form-action '\''none'\''" \
		"$policy" &&
	! sed "s/<script.*//" "$page" | grep -nE "<[^>]* (on[a-z]+|style)="
'

test_expect 'what a pusher has written stays text' '
	same 2 "$(grep -o "</script" "$page" | wc -l)" && same 2 "$(grep -o "<script" "$page" | wc -l)" &&
	! grep -n "<img" "$page" && ! grep -n "<!-- " "$page" &&
	! LC_ALL=C grep -nP "\x1b|\xe2\x80\xae" "$page" &&
	grep -qF "\\u003cimg src=x onerror=alert(1)\\u003e" "$page" &&
	inside "<script type=\"application/json\" id=\"data\">" "$page" | json strings >"$T/strings" &&
	grep -qF "refs/heads/<script>alert(1)</script>" "$T/strings" && grep -qF "U+202E" "$T/strings"
'

test_expect 'the counts are those of the log' '
	rejected=$(audit_count shop event=push.rejected) accepted=$(audit_count shop event=push.accepted) &&
	deployed=$(($(audit_count shop event=stage.finished stage=deploy status=success) +
		$(audit_count shop event=stage.finished stage=stage-model status=success))) &&
	[ "$rejected" -gt 0 ] && [ "$accepted" -gt 0 ] && [ "$deployed" -eq 2 ] &&
	for total in "Pushes accepted:$accepted" "Rejected:$rejected" "Deployments:2" "Records:$lines"; do
		grep -qF "<dt>${total%:*}</dt><dd>${total#*:}</dd>" "$page" || return 1
	done &&
	grep -qF "In all $accepted pushes accepted, $rejected rejected, 0 overridden or shadowed, and 2 deployments." "$page" &&
	grep -qF ">MG102</th><td>a direct commit on a branch that takes merges</td>" "$page"
'

test_expect 'the options narrow what is in it, and it says so' '
	report --event push.rejected && same "$(mg shop audit show --json --event push.rejected | json seq)" "$(numbers)" &&
	grep -q "a part of the log" "$page" && grep -q "<dt>Event</dt><dd>push.rejected</dd>" "$page" &&
	grep -q "$lines records checked" "$page" &&
	report --ref "<script*" && same "$lines" "$(numbers)" &&
	grep -qF "<dt>Reference</dt><dd>&lt;script*</dd>" "$page" &&
	report --project shop && same "$(mg shop audit show --json --project shop | sed "s/^{\"seq\":\([0-9]*\),.*/\1/" | paste -sd ,)" "$(numbers)" &&
	grep -q "a part of the log" "$page" && grep -q "<dt>Project</dt><dd>shop</dd>" "$page" &&
	report --user nobody-else && same "" "$(numbers)" && report --since 2999-01-01 && same "" "$(numbers)" &&
	report --until 2999-01-01 && same "$(seq -s , "$lines")" "$(numbers)" &&
	grep -q "<dt>Before</dt><dd>2999-01-01 00:00:00 UTC</dd>" "$page"
'

test_expect 'it takes the place of another in one step, with its mode' '
	chmod 640 "$page" && ln "$page" before && cp "$page" copy && report --event "push.*" &&
	cmp before copy && { ! cmp -s "$page" copy || return 1; } && same 640 "$(stat -c %a "$page")" &&
	same page.html "$(ls -A "$T/out.d")"
'

test_expect 'to standard output' '
	report && mg shop audit report --html - >"$T/piped" &&
	made() { sed "s/<dt>Made<.*//" "$1"; } && made "$page" >a && made "$T/piped" >b && cmp a b &&
	is_unknown "No space left" sh -c "modelgate --repo $T/shop.git audit report --html - >/dev/full"
'

test_expect 'a place that cannot be written to' '
	cp "$page" kept && ln -s "$page" link && mkfifo pipe &&
	is_unknown "$T/none" mg shop audit report --html "$T/none/page.html" &&
	is_unknown "not a regular file" mg shop audit report --html "$T/out.d" &&
	is_unknown "not a regular file" mg shop audit report --html "$T/link" &&
	is_unknown "not a regular file" mg shop audit report --html "$T/pipe" &&
	is_unknown "not a regular file" mg shop audit report --html /dev/null &&
	cmp "$page" kept && same page.html "$(ls -A "$T/out.d")" && [ -L link ] && [ -c /dev/null ]
'

test_expect 'what it cannot take it says' '
	is_usage "--html FILE" mg shop audit report && is_usage "json" mg shop audit report --html "$page" --json &&
	is_usage "--public-key is of use with --checkpoint alone" mg shop audit report --html "$page" --public-key "$T/none" &&
	is_usage "is no time" mg shop audit report --html "$page" --since yesterday &&
	is_usage "is no event" mg shop audit report --html "$page" --event nothing.such &&
	is_usage "html" mg shop audit show --html "$page" && is_usage "there is no option --html" mg shop audit verify --html "$page" &&
	mg shop audit report --help | grep -q -e "--html"
'

test_expect 'a log that is not valid makes a page that says so, and 1' '
	cp "$log" "$T/log" && sed -i "5s/\"id\":\"uid/\"id\":\"uis/" "$log" &&
	is_no "NOT valid: line 5: " mg shop audit report --html "$page" &&
	grep -q "<strong>not valid</strong>" "$page" && grep -q "<p class=\"fault\">line 5: was changed" "$page" &&
	cp "$T/log" "$log" && report && ! grep -q "not valid" "$page"
'

test_expect 'a log that cannot be looked at makes none' '
	cp "$page" kept && mv "$T/shop.state/audit" "$T/audit" && : >"$T/shop.state/audit" &&
	is_unknown "$T/shop.state/audit" mg shop audit report --html "$page" && cmp "$page" kept &&
	rm "$T/shop.state/audit" && mv "$T/audit" "$T/shop.state/audit"
'

append_many() {
	"$BUILD/tests/make-log" "$T/shop.state" 3000 && : >"$T/appended"
}

# Reports again and again until the others are done, each of which holds what it says was verified.
report_meanwhile() {
	until [ -e "$T/reported" ]; do
		[ ! -e "$T/appended" ] || : >"$T/reported"
		report || return 1
		last=$(numbers | sed 's/.*,//')
		grep -q "$(echo "$last" | perl -pe '1 while s/^(\d+)(\d{3})/$1,$2/') records checked" "$page" || return 1
	done
}

test_expect 'made while others append, it holds what was verified' '
	background append_many && report_meanwhile && same "$((lines + 3000))" "$last" && audit_valid shop
'

test_expect 'where the oldest files were taken away it is of what is left, if that is said' '
	mg shop audit rotate && (cd work && git switch -q dev && commit c.txt && git push -q origin dev) &&
	rm "$T/shop.state/audit/audit-000001.jsonl" &&
	is_no "NOT valid: line 1: follows on the file audit-000001.jsonl" mg shop audit report --html "$page" &&
	report --without-oldest && grep -q "The audit log is valid" "$page" &&
	grep -q "Its first $last lines are in files that are not here" "$page" &&
	same "$((last + 1))" "$(numbers | cut -d , -f 1)" && same "$(wc -l <"$log")" "$(numbers | tr , "\n" | wc -l)"
'

test_done

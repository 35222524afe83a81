#!/bin/sh
# The page of `modelgate audit report` in a real browser.
. "${0%/*}/../lib/test.sh"

what='the page of the audit log in Chromium'
python=$BUILD/venv-browser/bin/python
if [ ! -x "$python" ]; then
	test_skip "$what" 'selenium is not there: no package index can be reached'
	test_done
fi
if ! command -v chromedriver >/dev/null; then
	test_skip "$what" 'Chromium is not there: ./install.sh deps --ci'
	test_done
fi

# A page of a log that make-log has made: page NAME COUNT [ARGUMENT].
page() {
	mkdir -m 700 "$T/$1" && "$BUILD/tests/make-log" "$T/$1" "$2" ${3:+"$3"} &&
		printf '[modelgate]\nstate = %s\n' "$T/$1" >"$T/$1.ini" &&
		modelgate --config "$T/$1.ini" audit report --html "$T/$1.html"
}

look() { # CASE NAME ARGUMENT...
	look_case=$1 look_name=$2
	shift 2
	"$python" "$TOP/tests/real/look.py" "$look_case" "$T/$look_name.html" "$@" >"$T/looked" 2>&1 && return
	cat "$T/looked"
	return 1
}

# How many records of the log NAME match.
records() {
	records_name=$1
	shift
	json_count "$@" <"$T/$records_name/audit/audit.jsonl"
}

test_expect 'it opens, newest first, with landmarks and labels' '
	page shop 230 && log=$T/shop/audit/audit.jsonl && look opens shop 230
'

test_expect 'the drawing and the table under it say the same' '
	look timeline_table shop
'

test_expect 'search: words, several, in quotes, hashes, in any case' '
	hash=$(sed -n 17p "$log" | tr -d "\n" | sha256sum | cut -c 1-64) &&
	time=$(sed -n 200p "$log" | json time) &&
	look searches shop push.rejected "$(records shop event=push.rejected)" \
		PUSH.rejected "$(records shop event=push.rejected)" \
		"  refs/heads/dev " "$(grep -c refs/heads/dev "$log")" \
		"petrova rejected" "$(records shop actor.name=petrova event=push.rejected)" \
		"\"quick fix\"" "$(grep -c "quick fix" "$log")" "\"fix quick\"" 0 \
		"$hash" 2 "$(echo "$hash" | cut -c 1-20)" 2 "$time" 1 "\"pipeline 3\"" "$(grep -cE "\"pipeline\":3[0-9]?," "$log")"
'

test_expect 'by kind, and by a click on a name' '
	look shows_kinds shop "$(records shop event=push.rejected)"
'

test_expect 'sorted by each column, both ways' '
	look sorts shop 230
'

test_expect 'page by page' '
	look turns_pages shop 230
'

test_expect 'by keys alone' '
	look takes_keys shop
'

test_expect 'every field of every record' '
	while IFS= read -r line; do printf "%s" "$line" | sha256sum | cut -c 1-64; done <"$log" >"$T/hashes" &&
	look shows_fields shop "$log" "$T/hashes"
'

test_expect 'light and dark, by the system or by hand' '
	look wears_colours shop
'

test_expect 'on paper' '
	look prints shop "$T"
'

test_expect 'without scripts' '
	look needs_no_script shop
'

test_expect 'no rule of axe-core is broken' '
	look is_accessible shop
'

# What the first records of a hostile log show, as make-log has their texts.
cat >"$T/texts" <<'END'
"</script><script>alert('page')</script>"
"<!--<script>"
"<img src=x onerror=\"alert('page')\">"
"\"' onmouseover=alert(1) x='\""
"&lt;b&gt; &amp; \\u003cb\\u003e ${alert(1)} {{7*7}}"
"line⟨U+2028⟩two⟨U+2029⟩three \\ \" end"
"refs/⟨U+202E⟩⟨U+2066⟩txt.exe⟨U+2069⟩ ⟨U+200B⟩⟨U+FEFF⟩"
"bell ⟨U+0007⟩ escape ⟨U+001B⟩[31m tab ⟨U+0009⟩ newline ⟨U+000A⟩ del ⟨U+007F⟩ end"
"not UTF-8: � �� ��� end"
"]]> javascript:alert(1) </style></title></textarea>"
END

test_expect 'hostile texts stay text' '
	page odd 60 hostile && look stays_text odd "$T/texts" && look is_accessible odd
'

test_expect '100,000 records open in under two seconds' '
	page big 100000 3 && look is_quick big 2000 && cat "$T/looked" && cp "$T/looked" "$T/.run/quick"
'
sed 's/^/# /' "$T/.run/quick" 2>/dev/null

# Its codes are no codes, which no record of ours would have.
rm -rf "$T/odd"
test_done

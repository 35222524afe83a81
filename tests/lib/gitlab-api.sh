# shellcheck shell=sh
# For the tests of the launcher gitlab, after test.sh, gate.sh, chains.sh and gitaly.sh: GitLab's API.
#
#	start_gitlab_api [TAKE]    A double of GitLab (tests/lib/gitlab-double) with the project 5, whose
#	                           repository is shop.git: GITLAB_URL.  TAKE: what runs its jobs
#	                           (pretend).  Its token for us is in $T/token, and may do all; GITLAB_TOKEN: another
#	                           one than glpat-modelgate.
#	use_gitlab NAME            Server NAME (in the layout of GitLab) launches there.
#	gitlab_says JSON           Tell the double something (POST /_double); its answer is in $T/said.
#	gitlab_fault MATCH HOW [MORE]  The next request that matches goes wrong: MORE is JSON members.
#	gitlab_job PIPELINE NAME STATUS [MORE]
#	                           The job NAME (dev:build) of GitLab's pipeline is in that state now.
#	gitlab_api METHOD PATH [TOKEN]
#	                           What somebody does on GitLab's page, who has TOKEN (glpat-petrova).
#	gitlab_made                How many pipelines there are; gitlab_id N: the Nth one's number;
#	                           gitlab_var N NAME: a variable of it; gitlab_jobs N: "build:success ...".
#	gitlab_requests PATTERN    How many requests were answered that match it.
#	follow NAME                One look at all that is due (run --follow), after making it due.
#	settle NAME                mg NAME run --drain: until all waits for a hand.
#	gitlab_of NAME ID PATH     What `status ID --json` has of GitLab: gitlab_of shop 1 pipeline_id

start_gitlab_api() {
	mkdir -p "$T/gitlab" && printf '%s\n' "${GITLAB_TOKEN:-glpat-modelgate}" >"$T/token" && chmod 600 "$T/token" &&
		cat >"$T/gitlab/setup.json" <<-END &&
			{"projects": [{"id": 5, "path": "models/shop", "git": "$T/shop.git",
				"protected": ["main", "prod", "retrain", "online"]}],
			"tokens": {
				"${GITLAB_TOKEN:-glpat-modelgate}": {"user": 900, "name": "modelgate-bot", "scopes": ["api"],
					"level": 40, "projects": [5]},
				"glpat-read": {"user": 901, "name": "modelgate-ci", "scopes": ["read_api"],
					"level": 20, "projects": [5]},
				"glpat-petrova": {"user": 18, "name": "petrova", "scopes": ["api"], "level": 40,
					"projects": [5]}},
			"take": "${1:-pretend}"}
		END
		background perl "$TEST_LIB/gitlab-double" "$T/gitlab" 2>"$T/gitlab/log" &&
		wait_for 10 test -s "$T/gitlab/port" &&
		GITLAB_URL=http://127.0.0.1:$(cat "$T/gitlab/port")
}

use_gitlab() {
	server_set "$1" launcher kind gitlab && server_set "$1" launcher url "$GITLAB_URL" &&
		server_set "$1" launcher token-file "$T/token"
}

gitlab_says() {
	perl -MHTTP::Tiny -e '
		my $r = HTTP::Tiny->new->post("$ARGV[0]/_double", { content => $ARGV[1] });
		print $r->{content};
		exit !$r->{success}' "$GITLAB_URL" "$1" >"$T/said" && return
	cat "$T/said"
	return 1
}

gitlab_fault() {
	gitlab_says "{\"fault\": {\"match\": \"$1\", \"do\": \"$2\"${3:+, $3}}}"
}

gitlab_job() {
	gitlab_says "{\"pipeline\": $1, \"job\": \"$2\", \"status\": \"$3\"${4:+, $4}}"
}

gitlab_api() {
	perl -MHTTP::Tiny -e '
		my $r = HTTP::Tiny->new->request($ARGV[0], "$ARGV[1]/api/v4/projects/5/$ARGV[2]",
			{ headers => { "PRIVATE-TOKEN" => $ARGV[3] } });
		print "$r->{status} $r->{content}\n";
		exit !$r->{success}' "$1" "$GITLAB_URL" "$2" "${3:-glpat-petrova}"
}

gitlab_made() {
	gitlab_says '{"dump": true}' && json 'pipelines.*.id' <"$T/said" 2>/dev/null | wc -l
}

gitlab_id() {
	gitlab_says '{"dump": true}' && json "pipelines.$(($1 - 1)).id" <"$T/said"
}

gitlab_var() {
	gitlab_says '{"dump": true}' && json "pipelines.$(($1 - 1)).vars.$2" <"$T/said"
}

# The id of the newest job NAME of the Nth pipeline.
gitlab_job_id() {
	gitlab_says '{"dump": true}' && perl -MJSON::PP -e '
		local $/;
		my $p = decode_json(<STDIN>)->{pipelines}[$ARGV[0] - 1];
		my @ids = map { $_->{id} } grep { $_->{name} eq $ARGV[1] } @{ $p->{jobs} };
		print "$ids[-1]\n"' "$1" "$2" <"$T/said"
}

gitlab_jobs() {
	gitlab_says '{"dump": true}' && perl -MJSON::PP -e '
		local $/;
		my $p = decode_json(<STDIN>)->{pipelines}[$ARGV[0] - 1];
		print join(" ", map { $_->{name} =~ s/.*://r . ":$_->{status}" } @{ $p->{jobs} }), "\n"' "$1" \
		<"$T/said"
}

gitlab_requests() {
	[ -e "$T/gitlab/requests" ] || : >"$T/gitlab/requests"
	grep -c -E -e "$1" "$T/gitlab/requests" || true
}

# The programs wait between looks; tests do not.
gitlab_hurry() {
	python3 -c '
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], timeout=10)
db.execute("UPDATE remote SET next_at = 0")
db.execute("UPDATE stage SET not_before = 0")
db.commit()' "$(state "$1")/store.db"
}

follow() {
	gitlab_hurry "$1" && mg "$1" run --follow
}

settle() {
	timeout 120 "$ROOT/bin/modelgate" --repo "$T/$1.git" run --drain
}

gitlab_of() {
	pipeline "$1" "$2" "gitlab.$3"
}

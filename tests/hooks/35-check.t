#!/bin/sh
# modelgate check: a line a fact, ok or what is wrong and how to mend it.
# shellcheck disable=SC2016 # the scripts of test_expect are expanded there
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/gate.sh"
. "$TEST_LIB/chains.sh"

new_server shop
new_project shop work || test_bail 'no project'
ini=$(server_file shop)
cp "$ini" good.ini
state=$(state shop)
owner=$(id -un)

# check exits with $1; the lines are in $T/checked.
checks() {
	test_status=$1
	shift
	"$@" check >"$T/checked" 2>"$T/err"
	test_got=$?
	[ "$test_got" -eq "$test_status" ] && return
	cat "$T/checked" "$T/err"
	echo "exit status $test_got, not $test_status"
	return 1
}

# It finds exactly one thing wrong: the line $1, and $2 how to mend it.
wrong() {
	checks 1 modelgate --repo "$T/shop.git" && grep -A 1 "^wrong" checked >found
	printf "wrong  %s\n       %s\n" "$1" "$2" | diff - found
}

# Nothing is wrong, and each argument is a note (the whole line).
# shellcheck disable=SC2120 # with none: nothing but that all is well
notes() {
	checks 0 modelgate --repo "$T/shop.git" && ! grep "^wrong" checked || return 1
	for test_line in "$@"; do
		grep -qxF -e "note   $test_line" "$T/checked" && continue
		cat "$T/checked"
		echo "no note: $test_line"
		return 1
	done
}

fine() {
	cp "$T/good.ini" "$ini" && notes
}

# --- all is well ---

test_expect 'everything in place: what is looked at, in order' '
	checks 0 modelgate --repo shop.git && sed -i "s/^\(ok  \|note\)   confinement: .*/ok     confinement/" checked &&
	diff - checked <<-EOT
		ok     repository: $T/shop.git, owner $owner
		ok     configuration: $ini
		ok     pre-receive: $T/shop.git/hooks/pre-receive
		ok     update: $T/shop.git/hooks/update
		ok     post-receive: $T/shop.git/hooks/post-receive
		ok     receive.advertisePushOptions
		ok     $(git --version)
		ok     confinement
		ok     state: $state
		ok     store: $state/store.db, 1 push
		ok     audit log: $(wc -l <"$(audit shop)") records, its end is as the head says
		note   [runner] wake = none: stages run only where a service runs modelgate run
	EOT
'

test_expect 'the same in JSON' '
	mg shop check --json >out && same 0 "$(json wrong <out)" && same "$(wc -l <checked)" "$(json "checks.*.text" <out | wc -l)" &&
	same ok "$(json checks.1.status <out)" && same configuration "$(json checks.1.check <out)" &&
	same "configuration: $ini" "$(json checks.1.text <out)" && same null "$(json checks.1.mend <out)" &&
	chmod 755 "$state" && { mg shop check --json >out || same 1 $?; } && same 1 "$(json wrong <out)" &&
	same 1 "$(json_count "checks.*.status=wrong" "checks.*.check=state" "checks.*.mend=chmod 700 $state" <out)" &&
	chmod 700 "$state"
'

test_expect 'without a repository: what all share; an empty repository; usage' '
	printf "[modelgate]\nstate = %s\n" "$state" >system.ini && checks 0 modelgate --config system.ini &&
	grep -x "note   repository: none is looked at; modelgate --repo PATH check does" checked &&
	grep -x "ok     configuration: $T/system.ini" checked && grep -x "ok     state: $state" checked &&
	! grep -v " confinement: " checked | grep hooks && is_usage "check: \"x\" is one too many" mg shop check x &&
	new_server empty && TEST_SERVERS=shop && checks 0 modelgate --repo empty.git &&
	grep "^ok     store: none yet" checked && grep "^ok     audit log: 0 records" checked
'

test_expect 'what the kernel has to hold the hooks' '
	checks 0 modelgate --repo shop.git && grep -c " confinement: " checked >count && same 1 "$(cat count)" &&
	if grep -q "^Seccomp_filters:" /proc/self/status && has_landlock; then
		grep "^ok     confinement: hooks are held by Landlock (version [1-9][0-9]*) and seccomp$" checked
	else
		grep "^\(ok  \|note\)   confinement: " checked
	fi
'

# --- the configuration ---

test_expect 'MG901: what is wrong with the configuration; the hooks are looked at all the same' '
	echo "colour = red" >>"$ini" && line=$(wc -l <"$ini") &&
	wrong "configuration: MG901: $ini:$line: [build] colour: no such key; it has engine, dockerfile, registry, credentials-file, model-fetch, model-remotes, model-credentials-file" \
		"mend what it names" && grep "^ok     update" checked &&
	cp good.ini "$ini" && chmod 666 "$ini" &&
	wrong "configuration: MG901: $ini: the file can be written by group or others (mode 0666): chmod go-w" \
		"mend what it names" && chmod 644 "$ini" && fine
'

test_expect 'shadow mode, and a repository that projects leaves out' '
	server_set shop modelgate mode shadow &&
	notes "configuration: mode = shadow ($ini:$(grep -n "^mode" "$ini" | cut -d : -f 1)): nothing is rejected, it is only told" &&
	cp good.ini "$ini" && printf "[modelgate]\nprojects = /elsewhere/*\n" >system.ini &&
	checks 1 modelgate --repo shop.git --config system.ini && same 1 "$(grep -c ^wrong checked)" &&
	left_out="configuration: projects ($T/system.ini:2) leaves this repository out by its path" &&
	grep -A 1 -xF "wrong  $left_out: its pushes are not judged" checked | grep -xF "       add $T/shop.git to projects there" &&
	printf "projects.2 = %s\n" "$T/shop.git" >>system.ini && checks 0 modelgate --repo shop.git --config system.ini &&
	! grep projects checked && sed -i /projects.2/d system.ini &&
	server_set shop identity source gitlab && checks 0 modelgate --repo shop.git --config system.ini &&
	grep -A 1 -xF "note   $left_out, unless it has GitLab'\''s path of the project: its pushes are not judged" checked |
		grep -xF "       see that GitLab'\''s path of the project is among them" && fine &&
	git init -q --bare none.git && { modelgate --repo none.git --config system.ini check >checked || same 1 $?; } &&
	grep "^note   configuration: projects" checked
'

# --- the hooks ---

test_expect 'a hook is missing, not executable, of another version, somebody else'\''s, or calls ours' '
	hook=shop.git/hooks/update && install="./install.sh repo $T/shop.git --prefix $ROOT" && mv "$hook" update &&
	wrong "update: $T/$hook is missing" "$install" && cp update "$hook" && chmod 644 "$hook" &&
	wrong "update: $T/$hook is not executable for $owner, so it is not run" "chmod 755 $T/$hook" &&
	chmod 755 "$hook" && printf older >>"$hook" &&
	wrong "update: $T/$hook is another version than $ROOT/libexec/modelgate/update" "$install" &&
	printf "#!/bin/sh\nexit 0\n" >"$hook" &&
	wrong "update: $T/$hook is not modelgate'\''s" "move it away, then $install" &&
	rm "$hook" && ln -s "$ROOT/libexec/modelgate/update" "$hook" &&
	wrong "update: $T/$hook is not modelgate'\''s" "move it away, then $install" &&
	rm "$hook" && printf "#!/bin/sh\nexec %s \"\$@\"\n" "$ROOT/libexec/modelgate/update" >"$hook" &&
	chmod 755 "$hook" && notes && grep -x "ok     update: $T/$hook calls modelgate'\''s" checked &&
	cp update "$hook" && fine
'

test_expect 'hooks that git does not reach: core.hooksPath, a folder that is a link' '
	git -C shop.git config core.hooksPath /elsewhere &&
	wrong "core.hooksPath is /elsewhere: git does not run $T/shop.git/hooks" \
		"git -C $T/shop.git config --unset core.hooksPath" &&
	git -C shop.git config --unset core.hooksPath && mv shop.git/hooks others && ln -s ../others shop.git/hooks &&
	wrong "$T/shop.git/hooks is a symbolic link, so that other repositories may share it" \
		"make it a folder of this repository'\''s own, then ./install.sh repo $T/shop.git --prefix $ROOT" &&
	rm shop.git/hooks && mv others shop.git/hooks && fine
'

test_expect 'on GitLab: custom_hooks, and what is run before ours' '
	cp -a shop.git lab.git && mkdir lab.git/custom_hooks && for hook in pre-receive update post-receive; do
		mkdir "lab.git/custom_hooks/$hook.d" &&
			mv "lab.git/hooks/$hook" "lab.git/custom_hooks/$hook.d/50-modelgate" || return 1
	done &&
	checks 0 modelgate --repo lab.git && grep -x "ok     update: $T/lab.git/custom_hooks/update.d/50-modelgate" checked &&
	! grep -e "is run before" -e advertisePushOptions checked &&
	for name in update update.d/10-own update.d/20-old~ update.d/60-later post-receive.d/30-plain; do
		printf "#!/bin/sh\n" >"lab.git/custom_hooks/$name" &&
			case $name in *plain) ;; *) chmod 755 "lab.git/custom_hooks/$name" ;; esac || return 1
	done &&
	checks 0 modelgate --repo lab.git && for name in update update.d/10-own; do
		echo "note   update: $T/lab.git/custom_hooks/$name is run before modelgate'\''s, which is not run where that one fails"
	done >wanted && grep "is run before" checked | diff wanted - &&
	same 2 "$(grep -A 1 "is run before" checked | grep -cx "       if modelgate.s is to be the first, call that one update.d/60-NAME")" &&
	mv lab.git/custom_hooks/update lab.git/custom_hooks/update.d/60-NAME && mv lab.git/custom_hooks/update.d/10-own own &&
	checks 0 modelgate --repo lab.git && ! grep "is run before" checked
'

test_expect 'a hook, or the folder of one, that others can write' '
	chmod g+w shop.git/hooks/update &&
	wrong "update: $T/shop.git/hooks/update can be written by group or others" "chmod go-w $T/shop.git/hooks/update" &&
	chmod g-w shop.git/hooks/update && chmod o+w shop.git/hooks && checks 1 modelgate --repo shop.git &&
	grep -A 1 "^wrong  update: $T/shop.git/hooks can be written" checked | grep -x "       chmod go-w $T/shop.git/hooks" &&
	chmod o-w shop.git/hooks && fine
'

test_expect 'push options, where overrides are on' '
	git -C shop.git config receive.advertisePushOptions false && fine && ! grep advertise checked &&
	server_set shop "role \"chief\"" members user-1 && server_set shop override role chief &&
	server_set shop identity source gitlab &&
	wrong "receive.advertisePushOptions is off: nobody can give a reason for an override" \
		"git -C $T/shop.git config receive.advertisePushOptions true" &&
	git -C shop.git config receive.advertisePushOptions true && notes && fine
'

# --- the state directory ---

test_expect 'the state directory: missing, no folder, open to others' '
	mv "$state" elsewhere && wrong "state: $state is missing" "./install.sh repo $T/shop.git --prefix $ROOT" &&
	: >"$state" && wrong "state: $state is no folder" "move it away" && rm "$state" && mv elsewhere "$state" &&
	chmod 770 "$state" && wrong "state: $state has mode 770" "chmod 700 $state" && chmod 700 "$state" && fine
'

test_expect 'MG905: a store that is none, one of a later version' '
	mv "$state/store.db" store.db && echo nonsense >"$state/store.db" &&
	wrong "store: MG905: $state/store.db: file is not a database" \
		"put back a copy of $state/store.db, or move it away: its pipelines and models are then forgotten" &&
	mv store.db "$state/store.db" && fine
'

test_expect 'the audit log: torn, cut, added to, changed at its end, without head' '
	log=$(audit shop) && cp "$log" log && cp "$state/audit/head" head &&
	mend="modelgate --repo $T/shop.git audit verify names the line; keep a copy before anything is done" &&
	head -n -1 log >"$log" && wrong "audit log: lines at its end are lost" "$mend" &&
	{ cat log && tail -n 1 log; } >"$log" && wrong "audit log: lines were put behind its end" "$mend" &&
	cp log "$log" && truncate -s 1T "$log" && { timeout 60 modelgate --repo shop.git check >checked || :; } &&
	grep "audit log: lines were put behind its end" checked &&
	sed "\$s/push/pusk/" log >"$log" && wrong "audit log: its last line is not the one that was written" "$mend" &&
	cp log "$log" && rm "$state/audit/head" && wrong "audit log: its head is missing or damaged" "$mend" &&
	cp head "$state/audit/head" && fine && audit_valid shop
'

# --- the repository ---

test_expect 'MG902: a repository that cannot be judged' '
	git init -q --bare --object-format=sha256 other.git && cp good.ini other.git/modelgate.ini &&
	checks 1 modelgate --repo other.git &&
	grep "^wrong  repository: MG902: .*SHA-256" checked
'

# --- what the configuration may not mean ---

test_expect 'roles: names that become free, ids of another kind, nobody' '
	cat >>"$ini" <<-INI &&
		[role "release"]
		members = ivanov, uid-5, user-17
		members.2 = petrova
		[role "none"]
		[branch "prod"]
		roles = release, none
	INI
	notes "role release: ivanov, petrova: by name; whoever is given a name that became free has the role; an id does not become free: uid-<n>" \
		"role release: user-17: nobody has such an id, by [identity] source" \
		"role none has no members: nobody may what it is asked for" &&
	server_set shop identity source gitlab &&
	notes "role release: uid-5: nobody has such an id, by [identity] source" &&
	grep "user-<n>, key-<n>" checked &&
	server_set shop identity source http &&
	notes "[identity] source = http: REMOTE_USER is believed; the web server has to ask every pusher who it is, or no role is anybody'\''s" \
		"role release: uid-5, user-17: nobody has such an id, by [identity] source" && fine
'

test_expect 'branches that are not there, and those that look like one that is' '
	cat >>"$ini" <<-INI &&
		[branch "release"]
		merge-from = mian, feature/x, retrain-*
		[branch "main"]
		merge-from = dev, release
	INI
	at=$(grep -nxF "[branch \"release\"]" "$ini" | cut -d : -f 1) &&
	notes "branch release in $ini:$((at + 3)): there is none so far" \
		"branch mian in $ini:$((at + 1)): there is none so far; is main meant?" \
		"branch feature/x in $ini:$((at + 1)): there is none so far" &&
	same 3 "$(grep -c "^note   branch" checked)" &&
	git -C shop.git branch release main && notes && same 2 "$(grep -c "^note   branch" checked)" &&
	git -C shop.git branch -D release && fine
'

test_expect 'where stages write and what they call' '
	server_set shop "airflow \"airflow-dev\"" repository "$T/dags.git" && notes &&
	grep -x "ok     airflow airflow-dev: the first deploy makes $T/dags.git" checked &&
	mkdir dags.git && wrong "airflow airflow-dev: $T/dags.git is no bare Git repository" \
		"give the path of a bare repository" && git init -q --bare dags.git && notes &&
	grep -x "ok     airflow airflow-dev: $T/dags.git" checked &&
	server_set shop "airflow \"airflow-dev\"" repository "$T/none/dags.git" &&
	wrong "airflow airflow-dev: $T/none/dags.git is missing, and $owner cannot make it" \
		"git init --bare $T/none/dags.git, as $owner" && fine
'

# A server of models that takes one token, and asks for nothing that changes anything.
mlflow_server() {
	background perl -MIO::Socket::INET -e '
		my $s = IO::Socket::INET->new(Listen => 5, LocalAddr => "127.0.0.1") or die;
		open my $f, ">", "port.new" or die; print $f $s->sockport; close $f; rename "port.new", "port";
		while (my $c = $s->accept) {
			my ($line, $auth) = (scalar <$c>, "");
			while (<$c>) { $auth = $1 if /^Authorization: (.*?)\r/; last if /^\r$/ }
			my ($status, $body) = $line !~ m{^GET /api/2.0/mlflow/registered-models/search\?max_results=1 }
				? ("404 X", "<html>") : $auth ne "Bearer right" ? ("401 X", "no such token: $auth")
				: ("200 X", "{}");
			print $c "HTTP/1.1 $status\r\nContent-Length: ", length $body, "\r\n\r\n$body";
		}' && wait_for 10 test -s port
}

test_expect 'MLflow: reached, and takes the token' '
	mlflow_server && mlflow=http://127.0.0.1:$(cat port) && echo right >token && chmod 600 token &&
	server_set shop registry backend mlflow && server_set shop registry url "$mlflow" && server_set shop registry token-file "$T/token" &&
	notes && grep -x "ok     \[registry\] token-file: $T/token" checked && grep -x "ok     \[registry\]: MLflow at $mlflow answers" checked &&
	ask="MLflow, GET $mlflow/api/2.0/mlflow/registered-models/search" && echo wrong-one >token &&
	wrong "[registry]: $ask: the server refused the token or password in $T/token, [registry] token-file (status 401: in words that hold the token or password)" \
		"see whether [registry] url is MLflow'\''s, and $T/token holds a token or user:password that it takes" &&
	! grep wrong-one checked && server_set shop registry url "$mlflow/other" &&
	wrong "[registry]: MLflow, GET $mlflow/other/api/2.0/mlflow/registered-models/search: status 404: <html>" \
		"see whether [registry] url is MLflow'\''s, and $T/token holds a token or user:password that it takes" &&
	server_set shop registry url http://127.0.0.1:1 && checks 1 modelgate --repo shop.git &&
	grep "^wrong  \[registry\]: MLflow: GET http://127.0.0.1:1/api/2.0/.*Failed to connect" checked &&
	grep -xF "       see whether the server runs, and is reached from this machine" checked &&
	chmod 644 token && wrong "[registry] token-file: $T/token may be read or written by others than its owner (mode 0644); mend it with: chmod 600 $T/token" \
		"make it a file of $owner'\''s own, mode 600" && fine
'

test_expect 'MLflow without a token that it wants' '
	server_set shop registry backend mlflow && server_set shop registry url "$mlflow" &&
	wrong "[registry]: MLflow, GET $mlflow/api/2.0/mlflow/registered-models/search: the server refused to answer without [registry] token-file (status 401: no such token: )" \
		"see whether [registry] url is MLflow'\''s, and whether it wants a token-file or a ca-file" && fine
'

test_expect 'the credentials of models' '
	: >aws && chmod 600 aws && server_set shop build model-credentials-file "$T/aws" && notes &&
	grep -x "ok     \[build\] model-credentials-file: $T/aws" checked && chmod 640 aws &&
	wrong "[build] model-credentials-file: $T/aws may be read or written by others than its owner (mode 0640); mend it with: chmod 600 $T/aws" \
		"make it a file of $owner'\''s own, mode 600" && rm aws && checks 1 modelgate --repo shop.git &&
	grep "^wrong  \[build\] model-credentials-file: .*$T/aws" checked && fine
'

# --- as whom ---

if [ "$(id -u)" -eq 0 ]; then
	test_expect 'as root: looked at as whom the hooks run as' '
		chmod 755 "$T" && cp -a shop.git theirs.git && cp -a "$state" theirs.state &&
		sed -i "s,^state = .*,state = $T/theirs.state," theirs.git/modelgate.ini &&
		chown -R 1234:2345 theirs.git theirs.state && checks 0 modelgate --repo theirs.git &&
		grep "^ok     repository: .*, owner 1234" checked &&
		chmod 700 theirs.git/hooks/update && chown root theirs.git/hooks/update &&
		checks 1 modelgate --repo theirs.git && grep "^wrong  update: .* is not executable for 1234" checked &&
		chown 1234 theirs.git/hooks/update && chown root theirs.state/audit/head &&
		checks 1 modelgate --repo theirs.git &&
		grep -xF "wrong  state: $T/theirs.state/audit/head belongs to root, and the hooks run as 1234" checked &&
		grep -xF "       chown -h 1234 $T/theirs.state/audit/head" checked &&
		chown 1234 theirs.state/audit/head && chmod 400 theirs.state/store.db && checks 1 modelgate --repo theirs.git &&
		grep -xF "wrong  state: 1234 cannot write $T/theirs.state/store.db" checked &&
		chmod 600 theirs.state/store.db && checks 0 modelgate --repo theirs.git &&
		same "" "$(find theirs.git theirs.state ! -user 1234)"
	'
	test_expect 'as root: a hook of somebody else' '
		chmod 755 theirs.git/hooks/update && chown daemon theirs.git/hooks/update && checks 1 modelgate --repo theirs.git &&
		grep -xF "wrong  update: $T/theirs.git/hooks/update belongs to daemon, who can put anything in its place" checked &&
		grep -xF "       chown 1234 $T/theirs.git/hooks/update" checked && chown root theirs.git/hooks/update &&
		checks 0 modelgate --repo theirs.git && chown 1234 theirs.git/hooks/update && checks 0 modelgate --repo theirs.git
	'
	test_expect 'as root: looked at as another user than the owner' '
		{ modelgate --repo theirs.git check --user daemon >checked; test $? -eq 1; } &&
		grep -F "state: $T/theirs.state belongs to 1234, and the hooks run as daemon" checked &&
		is_unknown "there is no user nobody-here on this machine" modelgate --repo theirs.git check --user nobody-here
	'
	test_expect 'as another user: 3, and what to do' '
		is_unknown "$T/theirs.git belongs to 1234: call this with sudo, or as that user" \
			setpriv --reuid=1235 --regid=2345 --clear-groups "$ROOT/bin/modelgate" --repo "$T/theirs.git" check &&
		same "" "$(cat out)"
	'
	test_expect 'as root: a state folder of somebody else is left to them, unless it is empty' '
		mkdir -m 755 strange && chown daemon strange && sed -i "s,^state = .*,state = $T/strange," theirs.git/modelgate.ini &&
		checks 1 modelgate --repo theirs.git && grep -xF "       chown 1234 $T/strange" checked && : >strange/file &&
		checks 1 modelgate --repo theirs.git && ! grep chown checked &&
		grep -F "leave that folder to them; write another state = DIR into $T/theirs.git/modelgate.ini" checked
	'
else
	test_skip 'as root: looked at as whom the hooks run as' 'not root'
	test_skip 'as root: a hook of somebody else' 'not root'
	test_skip 'as root: looked at as another user than the owner' 'not root'
	test_skip 'as another user: 3, and what to do' 'not root'
	test_skip 'as root: a state folder of somebody else is left to them, unless it is empty' 'not root'
fi

test_expect 'no control character of a path gets through' '
	esc=$(printf "a\033b.git") && cp -a shop.git "$esc" && rm "$esc/hooks/update" && checks 1 modelgate --repo "$esc" &&
	grep "x1bb.git/hooks/update is missing" checked && same 0 "$(tr -d "[:print:]\n" <checked | wc -c)"
'

test_done

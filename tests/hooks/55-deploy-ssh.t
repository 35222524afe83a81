#!/bin/sh
# The stage deploy into a repository behind SSH: keys, host keys, races, servers that die half way.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/chains.sh"
. "$TEST_LIB/deploy.sh"

start_sshd || test_bail 'no SSH server'
ssh-keygen -q -t rsa -b 2048 -N '' -f "$T/.run/ssh/rsa" && ssh-keygen -q -t ed25519 -N '' -f "$T/.run/ssh/stranger" ||
	test_bail 'no keys'
cat "$T/.run/ssh/rsa.pub" >>"$T/.run/ssh/authorized"
ssh-keyscan -p "$(cat "$T/.run/ssh/port")" 127.0.0.1 >"$T/known" 2>/dev/null
git init -q --bare dags.git
url=$(ssh_url dags)

test_expect 'a first deploy over SSH makes the branch of an empty repository' '
	deploying shop "$url" && airflow_set shop key-file "$T/.run/ssh/key" &&
	airflow_set shop known-hosts-file "$T/known" && next_deploy shop && deploy_ends shop success &&
	same 1 "$(commits dags.git)" &&
	same dags/shop.py "$(git -C dags.git ls-tree -r --name-only main)" &&
	same "$(git -C dags.git rev-parse main)" "$(pipeline shop 1 facts.dag_commit)"
'

test_expect 'the commit tells project, chain, commit, pipeline and owner' '
	git -C dags.git log -1 --format="%an %cn%n%B" main >message &&
	grep -x "modelgate modelgate" message &&
	grep -x "Deploy shop at $(git -C shop.git rev-parse main | cut -c 1-7)" message &&
	grep -x "Project: shop" message && grep -x "Chain: dev" message &&
	grep -x "Commit: $(git -C shop.git rev-parse main)" message && grep -x "Pipeline: 1" message &&
	grep -x "Owner: $T/shop.git" message
'

test_expect 'the next one is committed on top of what others did; nothing else of theirs is fetched' '
	git clone -q dags.git other && cd other && mkdir plugins && commit plugins/theirs.py &&
	git push -q origin main main:refs/heads/theirs main:refs/tags/theirs && cd .. &&
	next_deploy shop && deploy_ends shop success &&
	same "$(git -C dags.git rev-parse theirs)" "$(git -C dags.git rev-parse main~)" &&
	same "dags/shop.py plugins/theirs.py" "$(git -C dags.git ls-tree -r --name-only main | paste -s -d " ")" &&
	same "refs/heads/main refs/modelgate/push" \
		"$(git -C shop.state/repositories/cache/*.git for-each-ref --format="%(refname)" | paste -s -d " ")"
'

test_expect 'a key of RSA, and an address as scp takes it' '
	git -C dags.git branch -q rsa main &&
	airflow_set shop key-file "$T/.run/ssh/rsa" && airflow_set shop branch rsa &&
	next_deploy shop && deploy_ends shop success && same 1 "$(commits dags.git main..rsa)" &&
	airflow_set shop key-file "$T/.run/ssh/key" && airflow_set shop branch main
'

# --- what is refused ---

test_expect 'a server whose key is not known is refused, with what to do' '
	: >nobody && airflow_set shop known-hosts-file "$T/nobody" && next_deploy shop &&
	deploy_ends shop failed && log_says shop "key is not known" &&
	log_says shop "ssh-keyscan -p $(cat .run/ssh/port) 127.0.0.1 >>$T/nobody" &&
	same "" "$(cat nobody)"
'

test_expect 'one whose key has changed is refused in other words' '
	sed "s|[^ ]*$|$(cut -d " " -f 2 .run/ssh/stranger.pub)|" known | grep ed25519 >changed &&
	airflow_set shop known-hosts-file "$T/changed" && mg shop retry "$(newest shop)" deploy &&
	deploy_ends shop failed && log_says shop "is not the one that is known"
'

test_expect 'a key that the server does not know, or that others may read' '
	airflow_set shop known-hosts-file "$T/known" && airflow_set shop key-file "$T/.run/ssh/stranger" &&
	mg shop retry "$(newest shop)" deploy && deploy_ends shop failed &&
	log_says shop "the server does not take our key: is the public half of key-file $T/.run/ssh/stranger" &&
	cp .run/ssh/key open && chmod 640 open && airflow_set shop key-file "$T/open" &&
	mg shop retry "$(newest shop)" deploy && deploy_ends shop failed &&
	log_says shop "key-file: $T/open may be read" && log_says shop "chmod 600 $T/open"
'

test_expect 'a repository that is not there' '
	airflow_set shop key-file "$T/.run/ssh/key" && airflow_set shop repository "$(ssh_url nowhere)" &&
	mg shop retry "$(newest shop)" deploy && deploy_ends shop failed &&
	log_says shop "does not appear to be a git repository"
'

test_expect 'what a hook of the server says is told' '
	airflow_set shop repository "$url" && printf "#!/bin/sh\necho only humans here >&2\nexit 1\n" >dags.git/hooks/pre-receive &&
	chmod 755 dags.git/hooks/pre-receive && mg shop retry "$(newest shop)" deploy &&
	deploy_ends shop failed && log_says shop "pre-receive hook declined" &&
	log_says shop "only humans here" && rm dags.git/hooks/pre-receive
'

test_expect 'and when all that is mended, it deploys' '
	before=$(commits dags.git) && mg shop retry "$(newest shop)" deploy && deploy_ends shop success &&
	same $((before + 1)) "$(commits dags.git)"
'

test_expect 'check asks the server, and tells what keeps us out' '
	mg shop check >checked && grep -x "ok     airflow airflow-dev: $url, branch main" checked &&
	airflow_set shop branch nowhere && mg shop check >checked &&
	grep -x "note   airflow airflow-dev: $url has no branch nowhere: the first deploy makes it" checked &&
	airflow_set shop branch main && airflow_set shop key-file "$T/.run/ssh/stranger" &&
	is_no "" mg shop check && grep "^wrong  airflow airflow-dev: .* does not take our key" out &&
	airflow_set shop key-file "$T/none" && is_no "" mg shop check &&
	grep "^wrong  \[airflow \"airflow-dev\"\]: key-file: $T/none" out &&
	airflow_set shop key-file "$T/.run/ssh/key"
'

# --- what breaks ---

test_expect 'the server dies after the branch has moved, and another commit follows: seen, and not done twice' '
	before=$(commits dags.git) &&
	cat >dags.git/hooks/reference-transaction <<-SH &&
		#!/bin/sh
		[ "\$1" = committed ] || exit 0
		rm -f "$T/dags.git/hooks/reference-transaction"
		other=\$(git -c user.name=O -c user.email=o@x commit-tree -p main -m Other main^{tree})
		git update-ref refs/heads/main "\$other"
		kill -9 \$PPID
	SH
	chmod 755 dags.git/hooks/reference-transaction && next_deploy shop && deploy_ends shop success &&
	[ ! -e dags.git/hooks/reference-transaction ] &&
	same $((before + 2)) "$(commits dags.git)" && same Other "$(git -C dags.git log -1 --format=%s main)" &&
	same "$(git -C dags.git rev-parse main~)" "$(pipeline shop "$(newest shop)" facts.dag_commit)"
'

test_expect 'the runner is killed between the push and the record of it: one commit' '
	before=$(commits dags.git) && rm -f victim &&
	cat >dags.git/hooks/post-receive <<-SH &&
		#!/bin/sh
		until [ -e "$T/victim" ]; do sleep 0.05; done
		kill -9 "\$(cat "$T/victim")"
		rm -f "$T/dags.git/hooks/post-receive"
	SH
	chmod 755 dags.git/hooks/post-receive && next_deploy shop &&
	{ modelgate --repo "$T/shop.git" run --drain >killed 2>&1 & } && echo $! >victim.new &&
	mv victim.new victim && { wait "$(cat victim)"; [ $? -eq 137 ]; } &&
	same $((before + 1)) "$(commits dags.git)" && deploy_ends shop success &&
	same $((before + 1)) "$(commits dags.git)"
'

test_expect 'what is kept of the repository is damaged: it is fetched anew' '
	cache=$(dirname "$(grep -lx -e "$url" shop.state/repositories/cache/*/description)") &&
	find "$cache/objects" -type f -exec chmod u+w {} + -exec truncate -s 0 {} + &&
	next_deploy shop && deploy_ends shop success && git -C "$cache" fsck &&
	echo garbage >"$cache/HEAD" && next_deploy shop && deploy_ends shop success &&
	: >"$cache/objects/pack/pack_git2_half" && next_deploy shop && deploy_ends shop success &&
	[ ! -e "$cache/objects/pack/pack_git2_half" ]
'

test_done

#!/bin/sh
# The stage deploy into a repository behind HTTPS: tokens, certificates, answers that never come.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/chains.sh"
. "$TEST_LIB/deploy.sh"

start_tls || test_bail 'no HTTPS server'
git init -q --bare dags.git && git -C dags.git config http.receivepack true
url=$(tls_url dags)
(umask 077 && echo alice:secret >token && echo alice:wrong >wrong)
printf '%s\n' oauth2:just-a-token >>"$T/.run/http/users"

test_expect 'a first deploy over HTTPS makes the branch of an empty repository' '
	deploying shop "$url" && airflow_set shop token-file "$T/token" &&
	airflow_set shop ca-file "$T/.run/tls/ca.pem" && next_deploy shop && deploy_ends shop success &&
	same 1 "$(commits dags.git)" &&
	same dags/shop.py "$(git -C dags.git ls-tree -r --name-only main)" &&
	same "$(git -C dags.git rev-parse main)" "$(pipeline shop 1 facts.dag_commit)"
'

test_expect 'the next one is committed on top of what others did, which is fetched' '
	git clone -q dags.git other && cd other && mkdir plugins && commit plugins/theirs.py &&
	git push -q origin main && cd .. && next_deploy shop && deploy_ends shop success &&
	same "$(git -C other rev-parse main)" "$(git -C dags.git rev-parse main~)" &&
	same "dags/shop.py plugins/theirs.py" "$(git -C dags.git ls-tree -r --name-only main | paste -s -d " ")"
'

test_expect 'a token that stands alone is given as the password of oauth2' '
	(umask 077 && echo just-a-token >alone) && airflow_set shop token-file "$T/alone" &&
	next_deploy shop && deploy_ends shop success && same 4 "$(commits dags.git)"
'

# --- what is refused ---

test_expect 'a wrong token, none, and one that others may read' '
	next_deploy shop && airflow_set shop token-file "$T/wrong" && deploy_ends shop failed &&
	log_says shop "(status 401): the token in token-file $T/wrong is wrong" &&
	airflow_set shop token-file "" && mg shop retry "$(newest shop)" deploy &&
	deploy_ends shop failed && log_says shop "the server asks who we are" &&
	cp token open && chmod 644 open && airflow_set shop token-file "$T/open" &&
	mg shop retry "$(newest shop)" deploy && deploy_ends shop failed &&
	log_says shop "token-file: $T/open may be read" && log_says shop "chmod 600 $T/open"
'

test_expect 'a server whose certificate is by somebody else' '
	airflow_set shop token-file "$T/token" && airflow_set shop ca-file "$T/.run/tls/other.pem" &&
	mg shop retry "$(newest shop)" deploy && deploy_ends shop failed &&
	log_says shop "certificate" && airflow_set shop ca-file "" &&
	mg shop retry "$(newest shop)" deploy && deploy_ends shop failed && log_says shop "certificate" &&
	airflow_set shop ca-file "$T/.run/tls/ca.pem"
'

test_expect 'no token is sent where anybody can read it' '
	airflow_set shop repository "http://127.0.0.1:$(cat .run/http/port)/git/dags.git" &&
	mg shop retry "$(newest shop)" deploy && deploy_ends shop failed &&
	log_says shop "write https://"
'

test_expect 'a repository that is not there, and a page that is none' '
	airflow_set shop repository "$(tls_url nowhere)" && mg shop retry "$(newest shop)" deploy &&
	deploy_ends shop failed && log_says shop "(status 404)" &&
	git init -q --bare read-only.git && git -C read-only.git config http.receivepack false &&
	airflow_set shop repository "$(tls_url read-only)" && mg shop retry "$(newest shop)" deploy &&
	deploy_ends shop failed && log_says shop "may not write"
'

test_expect 'what a hook of the server says is told' '
	airflow_set shop repository "$url" && printf "#!/bin/sh\necho only humans here >&2\nexit 1\n" >dags.git/hooks/pre-receive &&
	chmod 755 dags.git/hooks/pre-receive && mg shop retry "$(newest shop)" deploy &&
	deploy_ends shop failed && log_says shop "pre-receive hook declined: only humans here" &&
	rm dags.git/hooks/pre-receive
'

test_expect 'and when all that is mended, it deploys; no log and no record holds the token' '
	mg shop retry "$(newest shop)" deploy && deploy_ends shop success && same 5 "$(commits dags.git)" &&
	{ ! grep -r -e "secret" -e just-a-token shop.state || return 1; }
'

test_expect 'check asks the server, and tells what keeps us out' '
	mg shop check >checked && grep -x "ok     airflow airflow-dev: $url, branch main" checked &&
	airflow_set shop token-file "$T/wrong" && is_no "" mg shop check &&
	grep "^wrong  airflow airflow-dev: $url: .*token-file $T/wrong is wrong" out &&
	airflow_set shop token-file "$T/token"
'

# --- what breaks ---

test_expect 'the answer to the push is lost: seen, and not done twice' '
	misbehave cut && next_deploy shop && deploy_ends shop success && [ ! -e .run/tls/mischief ] &&
	same 6 "$(commits dags.git)" &&
	same "$(git -C dags.git rev-parse main)" "$(pipeline shop "$(newest shop)" facts.dag_commit)"
'

test_expect 'a server that is gone is a passing fault' '
	airflow_set shop repository "https://127.0.0.1:9/git/dags.git" && server_set shop runner retries 1 &&
	next_deploy shop && deploy_ends shop failed && log_says shop "attempt 2" &&
	log_says shop "cannot be reached"
'

test_done

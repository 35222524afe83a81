#!/bin/sh
# Ten deployers at once into one repository on a server: ten commits, none lost.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/chains.sh"
. "$TEST_LIB/deploy.sh"

start_tls || test_bail 'no HTTPS server'
start_sshd || test_bail 'no SSH server'
ssh-keyscan -p "$(cat "$T/.run/ssh/port")" 127.0.0.1 >"$T/known" 2>/dev/null
(umask 077 && echo alice:secret >token)

# Each commit is on top of another: the history is a line of ten, and has a file each.
all_arrived() {
	same 10 "$(commits "$1")" && same 10 "$(git -C "$1" ls-tree --name-only main:dags | wc -l)" &&
		same "" "$(git -C "$1" rev-list --merges main)" && git -C "$1" fsck --strict
}

test_expect 'over SSH, with a state directory each' '
	git init -q --bare ssh.git && ten_projects && for n in 0 1 2 3 4 5 6 7 8 9; do
		airflow_set p$n key-file "$T/.run/ssh/key" && airflow_set p$n known-hosts-file "$T/known" || return 1
	done && ten_deploy 1 "$(ssh_url ssh)" && all_arrived ssh.git
'

test_expect 'over HTTPS, with a state directory each' '
	git init -q --bare https.git && git -C https.git config http.receivepack true &&
	ten_push && for n in 0 1 2 3 4 5 6 7 8 9; do
		airflow_set p$n token-file "$T/token" && airflow_set p$n ca-file "$T/.run/tls/ca.pem" || return 1
	done && ten_deploy 2 "$(tls_url https)" && all_arrived https.git
'

test_expect 'over HTTPS, with one state directory for all' '
	git init -q --bare one.git && git -C one.git config http.receivepack true &&
	for n in 1 2 3 4 5 6 7 8 9; do server_set p$n modelgate state "$T/p0.state" || return 1; done &&
	ten_push && server_set p0 runner parallel 10 && for n in 0 1 2 3 4 5 6 7 8 9; do
		airflow_set p$n repository "$(tls_url one)" || return 1
	done && drain p0 && all_arrived one.git
'

test_done

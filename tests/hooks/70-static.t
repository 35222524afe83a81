#!/bin/sh
# The gates need nothing of the machine but its kernel: how they are linked, and who they say pushes.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/gate.sh"

gates='pre-receive update post-receive'

# Does the program $1 ask for a dynamic linker?
is_dynamic() {
	readelf -lW "$1" >"$T/segments" && grep -q '^  LOAD ' "$T/segments" || test_bail "cannot read $1"
	grep -q '^  INTERP ' "$T/segments"
}

# Sanitizers have to be linked dynamically.
if grep -qF -e __asan_init -e __ubsan_handle -e __tsan_init "$ROOT/bin/modelgate"; then
	test_expect 'built with sanitizers: the gates are linked dynamically' '
		for one in $gates; do
			is_dynamic "$ROOT/libexec/modelgate/$one" || return 1
		done
	'
else
	test_expect 'each gate is linked statically, and can load nothing' '
		for one in $gates; do
			if is_dynamic "$ROOT/libexec/modelgate/$one"; then return 1; fi &&
			readelf -dW "$ROOT/libexec/modelgate/$one" >dynamic &&
			grep "There is no dynamic section" dynamic || return 1
		done
	'
	test_expect 'none has TLS, SSH or Kerberos in it' '
		for one in $gates; do
			nm "$ROOT/libexec/modelgate/$one" >names && grep -w git_libgit2_init names &&
			! grep -e mbedtls_ssl -e mbedtls_x509 -e libssh2 -e gss_init -e curl_easy names || return 1
		done
	'
fi

test_expect 'the command is linked dynamically' 'is_dynamic "$ROOT/bin/modelgate"'

# --- on a machine that has nothing else ---

new_bare_machine() {
	new_chroot bare && git init -q --bare bare/shop.git && mkdir -m 700 bare/state &&
		cp "$ROOT/libexec/modelgate"/* bare/ &&
		printf '[modelgate]\nstate = /state\n' >bare/shop.git/modelgate.ini &&
		chown -R 4242:4242 bare/shop.git bare/state
}

# What is malformed is recorded at once; by whom, is in the last record.
says_nonsense() {
	echo nonsense | in_chroot bare 4242 GIT_DIR=/shop.git /pre-receive 2>"$T/err"
	same 1 $? && said "MG904: " && tail -n 1 bare/state/audit/audit.jsonl >last
}

if [ "$(id -u)" -eq 0 ]; then
	. "$TEST_LIB/chroot.sh"
	test_expect 'as root: it judges on a machine that has nothing else; who pushes has a number' '
		new_bare_machine && chroot_take_gate bare "$T/bare/pre-receive" &&
		says_nonsense && same "uid-4242" "$(json actor.id <last)" &&
		same "" "$(json actor.name <last)"
	'
	test_expect 'as root: the name that /etc/passwd has' '
		printf "%s\n" "root:x:0:0::/:/bin/sh" "nonsense" "petrova:x:4242:4242::/:/bin/sh" >bare/etc/passwd &&
		says_nonsense && same petrova "$(json actor.name <last)"
	'
	test_expect 'as root: else the one that getent knows, as of a directory' '
		: >bare/etc/passwd && chroot_take bare "$(command -v sh)" && mkdir -p bare/usr/local/sbin bare/bin &&
		{ [ -e bare/bin/sh ] || ln -s "$(command -v sh)" bare/bin/sh; } &&
		printf "%s\n" "#!/bin/sh" "[ \"\$*\" = \"passwd 4242\" ] && echo sidorov:x:4242:4242::/:/bin/sh" \
			>bare/usr/local/sbin/getent && chmod 755 bare/usr/local/sbin/getent &&
		says_nonsense && same sidorov "$(json actor.name <last)"
	'
else
	test_skip 'as root: it judges on a machine that has nothing else; who pushes has a number' 'not root'
	test_skip 'as root: the name that /etc/passwd has' 'not root'
	test_skip 'as root: else the one that getent knows, as of a directory' 'not root'
fi

test_done

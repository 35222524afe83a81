# shellcheck shell=sh
# A server shaped like GitLab's, after test.sh and gate.sh: hooks are run as Gitaly runs them (by
# gitaly-hook, one server process for all), for pushes and for what people do on web pages.
#
# Hooks are `custom_hooks/<hook>`, `custom_hooks/<hook>.d/*`, then `<hook>.d/*` of the global folder.
# Their environment is filtered; git's own hooks in the repository are never run.
#
# Servers
#	new_gitlab NAME            As new_server, in the layout of GitLab: our hooks are
#	                           custom_hooks/<hook>.d/50-modelgate, and source = gitlab.
#	served_by_gitaly NAME      The hooks of the repository $T/NAME.git, which is there, are run so too.
#	GITALY_GLOBAL              The global folder of hooks (custom_hooks_dir).
#	other_hook PATH SCRIPT     Somebody else's hook at PATH, a shell script.
#
# Who: user-17 ivanov of project-5, path models/NAME, if nothing else is said; each operation has a
# correlation id of its own, which is CORRELATION_ID afterwards; GITALY_CORRELATION=none: none has.
#	as ID NAME CMD...          CMD is done by this user: as key-3 "" gitlab_push shop main
#
# Pushes
#	gitlab_push ARG...         git push ARG..., as over SSH; GL_PROTOCOL=http: as over HTTP.
#
# The web page.  Each makes what Gitaly makes, in a folder of objects of its own, runs all three hooks
# for the one reference, and moves it between update and post-receive; succeeds if it has landed.
# On standard error is what the page would show.  NEW_COMMIT is the commit that was made.
#	web_merge NAME BRANCH COMMIT       "Merge": a merge commit of Git's automatic merge.
#	web_squash_merge NAME BRANCH COMMIT [BASE]
#	                           The same with "Squash commits": BASE is where BRANCH was when the
#	                           merge request's diff was made (its tip).
#	web_ff NAME BRANCH COMMIT          Fast-forward merge.
#	web_squash_ff NAME BRANCH COMMIT   The same with "Squash commits".
#	web_rebase_merge NAME BRANCH COMMIT    Automatic rebase, then a fast-forward: "Merge" of a source
#	                           that is behind, where the method is fast-forward.
#	web_pick NAME BRANCH COMMIT        Cherry-pick.
#	web_revert NAME BRANCH COMMIT      Revert; of a merge against its first parent.
#	web_edit NAME BRANCH FILE [TEXT]   A commit in the web editor.
#	web_update NAME REF COMMIT         REF (full name) is created at, or moved to, a commit that is
#	                           in the repository, whatever it is.
#	web_delete NAME REF
#	squash_commit NAME BASE COMMIT     What Gitaly's UserSquash leaves in the repository, on no branch.
#	GITALY_BREAK=HOOK          The client is gone before this hook: it is not run, nor what follows.

GITALY_GLOBAL=$T/gitaly-hooks
GITALY_CORRELATION=one
GITALY_BREAK=
GITALY_COUNT=0
gitaly_socket=$T/.run/gitaly.sock
gitaly_shims=$T/.run/gitaly-shims
gitaly_storage=$T/+gitaly/tmp
GL_ID=user-17 GL_USERNAME=ivanov GL_REPOSITORY=project-5 GL_PROTOCOL=ssh GL_PROJECT_PATH=
export GL_ID GL_USERNAME GL_REPOSITORY GL_PROTOCOL GL_PROJECT_PATH

gitaly_start() {
	[ -S "$gitaly_socket" ] && return
	mkdir -p "$gitaly_shims" "$gitaly_storage" "$GITALY_GLOBAL" || return 1
	for gitaly_hook in pre-receive update post-receive; do
		cat >"$gitaly_shims/$gitaly_hook" <<-SH || return 1
			#!/bin/sh
			exec perl "$TEST_LIB/gitaly-hook" ask "$gitaly_socket" $gitaly_hook "\$@"
		SH
		chmod 755 "$gitaly_shims/$gitaly_hook" || return 1
	done
	background perl "$TEST_LIB/gitaly-hook" serve "$gitaly_socket" "$GITALY_GLOBAL" \
		>"$T/.run/gitaly.log" 2>&1
	wait_for 10 [ -S "$gitaly_socket" ]
}

# --- servers ---

served_by_gitaly() {
	gitaly_start && git -C "$T/$1.git" config core.hooksPath "$gitaly_shims"
}

gitaly_layout() {
	rm "$T/$1.git/hooks"/* &&
		for gitaly_hook in pre-receive update post-receive; do
			mkdir -p "$T/$1.git/custom_hooks/$gitaly_hook.d" &&
				cp "$ROOT/libexec/modelgate/$gitaly_hook" \
					"$T/$1.git/custom_hooks/$gitaly_hook.d/50-modelgate" || return 1
		done
	served_by_gitaly "$1" &&
		server_set "$1" identity source gitlab
}

new_gitlab() {
	new_server "$1"
	{ gitaly_start && gitaly_layout "$1"; } || test_bail "cannot make the server $1"
}

other_hook() {
	mkdir -p "${1%/*}" && printf '#!/bin/sh\n%s\n' "$2" >"$1" && chmod 755 "$1"
}

# --- who ---

as() {
	GL_ID=$1
	GL_USERNAME=$2
	shift 2
	"$@"
	gitaly_status=$?
	GL_ID=user-17
	GL_USERNAME=ivanov
	return "$gitaly_status"
}

# A new operation on the repository of that name.
gitaly_operation() {
	GITALY_COUNT=$((GITALY_COUNT + 1))
	GL_PROJECT_PATH=models/$1
	CORRELATION_ID=
	[ "$GITALY_CORRELATION" = none ] || CORRELATION_ID=$(printf '01J%023d' "$GITALY_COUNT")
	export CORRELATION_ID
}

# --- pushes ---

gitlab_push() {
	gitaly_name=$(git remote get-url origin) || return 1
	gitaly_operation "$(basename "$gitaly_name" .git)"
	git push "$@"
}

# --- the web page ---

# Begin an operation of the page: an empty folder for its objects.
gitaly_begin() {
	gitaly_operation "$1"
	gitaly_repository=$T/$1.git
	gitaly_quarantine=$gitaly_storage/quarantine.$GITALY_COUNT
	mkdir -p "$gitaly_quarantine"
}

# git in the repository, writing into the folder of the operation.
gitaly_git() {
	GIT_OBJECT_DIRECTORY=$gitaly_quarantine \
		GIT_ALTERNATE_OBJECT_DIRECTORIES=$gitaly_repository/objects \
		git -C "$gitaly_repository" -c core.useReplaceRefs=false "$@"
}

# A commit of TREE by the page; the other arguments are -p PARENT..., MESSAGE last.
gitaly_commit() {
	test_tick
	gitaly_tree=$1
	shift
	gitaly_message=
	gitaly_parents=
	for gitaly_argument in "$@"; do
		gitaly_parents="$gitaly_parents${gitaly_message:+ -p $gitaly_message}"
		gitaly_message=$gitaly_argument
	done
	# shellcheck disable=SC2086 # ids, none or some
	NEW_COMMIT=$(gitaly_git commit-tree $gitaly_parents -m "$gitaly_message" "$gitaly_tree")
}

# The tree of Git's automatic merge; fails where there are conflicts, as the page's button does.
gitaly_merge_tree() {
	gitaly_merged=$(gitaly_git merge-tree --write-tree --allow-unrelated-histories "$1" "$2") || {
		echo 'GitLab: Merge conflicts' >&2
		return 1
	}
}

# Run the hooks of kind $1 for the operation.  What the page shows of a failure goes to standard error;
# of a success it shows nothing, but a test sees all.
gitaly_run() {
	gitaly_hook=$1
	shift
	[ "$GITALY_BREAK" != "$gitaly_hook" ] || return 1
	(
		cd "$gitaly_repository" || exit 1
		GIT_DIR=$gitaly_repository GL_PROTOCOL=web
		export GIT_DIR GL_PROTOCOL
		if [ "$gitaly_hook" = pre-receive ]; then
			GIT_OBJECT_DIRECTORY=$gitaly_quarantine
			GIT_ALTERNATE_OBJECT_DIRECTORIES=$gitaly_repository/objects
			export GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES
		fi
		exec "$gitaly_shims/$gitaly_hook" "$@"
	) >"$T/.run/web.out" 2>"$T/.run/web.err" && cat "$T/.run/web.out" "$T/.run/web.err" && return
	# If there is an error output, it alone counts.
	[ -s "$T/.run/web.err" ] || cp "$T/.run/web.out" "$T/.run/web.err"
	grep -E '^(GitLab:|GL-HOOK-ERR:)' "$T/.run/web.err" >&2
	return 1
}

# Move the reference $1 to $2 (zeros: delete it), with all three hooks.
gitaly_move() {
	gitaly_zeros=$(printf '%040d' 0)
	gitaly_old=$(git -C "$gitaly_repository" rev-parse -q --verify "$1^{}" || echo "$gitaly_zeros")
	printf '%s %s %s\n' "$gitaly_old" "$2" "$1" >"$T/.run/web.in"
	gitaly_run pre-receive <"$T/.run/web.in" || return 1
	cp -Rn "$gitaly_quarantine/." "$gitaly_repository/objects/" && rm -rf "$gitaly_quarantine" &&
		gitaly_run update "$1" "$gitaly_old" "$2" </dev/null || return 1
	if [ "$2" = "$gitaly_zeros" ]; then
		git -C "$gitaly_repository" update-ref -d "$1" "$gitaly_old" || return 1
	else
		git -C "$gitaly_repository" update-ref "$1" "$2" "$gitaly_old" || return 1
	fi
	gitaly_run post-receive <"$T/.run/web.in" || [ "$GITALY_BREAK" = post-receive ]
}

gitaly_tip() {
	git -C "$gitaly_repository" rev-parse -q --verify "refs/heads/$1"
}

web_update() {
	gitaly_begin "$1"
	gitaly_move "$2" "$3"
}

web_delete() {
	gitaly_begin "$1"
	gitaly_move "$2" "$(printf '%040d' 0)"
}

web_ff() {
	gitaly_begin "$1"
	NEW_COMMIT=$3
	gitaly_move "refs/heads/$2" "$3"
}

web_merge() {
	gitaly_begin "$1"
	gitaly_target=$(gitaly_tip "$2") &&
		gitaly_merge_tree "$gitaly_target" "$3" &&
		gitaly_commit "$gitaly_merged" "$gitaly_target" "$3" "Merge branch into '$2'" &&
		gitaly_move "refs/heads/$2" "$NEW_COMMIT"
}

# UserSquash keeps its commit in the repository, where no branch has it.
squash_commit() {
	gitaly_begin "$1"
	gitaly_merge_tree "$2" "$3" &&
		gitaly_commit "$gitaly_merged" "$2" "Squashed" &&
		cp -Rn "$gitaly_quarantine/." "$gitaly_repository/objects/" &&
		rm -rf "$gitaly_quarantine"
}

web_squash_merge() {
	gitaly_base=${4:-$(git -C "$T/$1.git" rev-parse "refs/heads/$2")}
	squash_commit "$1" "$gitaly_base" "$3" && web_merge "$1" "$2" "$NEW_COMMIT"
}

web_squash_ff() {
	squash_commit "$1" "$(git -C "$T/$1.git" rev-parse "refs/heads/$2")" "$3" &&
		web_ff "$1" "$2" "$NEW_COMMIT"
}

# The tree that the way from $1 to $2 makes of $3, all trees of commits.
gitaly_three_way() {
	gitaly_base=$(gitaly_git commit-tree -m base "$1^{tree}") &&
		gitaly_theirs=$(gitaly_git commit-tree -p "$gitaly_base" -m theirs "$2^{tree}") &&
		gitaly_ours=$(gitaly_git commit-tree -p "$gitaly_base" -m ours "$3^{tree}") &&
		gitaly_merge_tree "$gitaly_ours" "$gitaly_theirs"
}

web_pick() {
	gitaly_begin "$1"
	gitaly_target=$(gitaly_tip "$2") && gitaly_three_way "$3^" "$3" "$gitaly_target" &&
		gitaly_commit "$gitaly_merged" "$gitaly_target" "Picked from $3" &&
		gitaly_move "refs/heads/$2" "$NEW_COMMIT"
}

web_revert() {
	gitaly_begin "$1"
	gitaly_target=$(gitaly_tip "$2") && gitaly_three_way "$3" "$3^" "$gitaly_target" &&
		gitaly_commit "$gitaly_merged" "$gitaly_target" "Revert $3" &&
		gitaly_move "refs/heads/$2" "$NEW_COMMIT"
}

web_rebase_merge() {
	gitaly_begin "$1"
	gitaly_target=$(gitaly_tip "$2") || return 1
	NEW_COMMIT=$gitaly_target
	for gitaly_one in $(gitaly_git rev-list --reverse --no-merges "$gitaly_target..$3"); do
		gitaly_three_way "$gitaly_one^" "$gitaly_one" "$NEW_COMMIT" || return 1
		# What is there already is left out.
		[ "$gitaly_merged" != "$(gitaly_git rev-parse "$NEW_COMMIT^{tree}")" ] || continue
		gitaly_commit "$gitaly_merged" "$NEW_COMMIT" \
			"$(gitaly_git log -1 --format=%B "$gitaly_one")" || return 1
	done
	gitaly_move "refs/heads/$2" "$NEW_COMMIT"
}

# Sets gitaly_merged to the tree of $1 with the file $2 having the line $3.
gitaly_edit_tree() {
	gitaly_blob=$(printf '%s\n' "$3" | gitaly_git hash-object -w --stdin) &&
		GIT_INDEX_FILE=$T/.run/web.index gitaly_git read-tree "$1" &&
		GIT_INDEX_FILE=$T/.run/web.index gitaly_git update-index --add \
			--cacheinfo "100644,$gitaly_blob,$2" &&
		gitaly_merged=$(GIT_INDEX_FILE=$T/.run/web.index gitaly_git write-tree)
}

web_edit() {
	gitaly_begin "$1"
	gitaly_target=$(gitaly_tip "$2") &&
		gitaly_edit_tree "$gitaly_target" "$3" "${4:-edited $GITALY_COUNT}" &&
		gitaly_commit "$gitaly_merged" "$gitaly_target" "Update $3" &&
		gitaly_move "refs/heads/$2" "$NEW_COMMIT"
}

# shellcheck shell=sh
# For the tests of chains, after test.sh: models, pipelines, and stages that do what the test says.
#
# Models, in a project's work tree
#	put_model CONTENT          Put a model with this content into the project's DVC remote, and commit
#	                           its pointer.  Sets MODEL_MD5, and MODEL_OBJECT, its path there.
#
# Pipelines
#	pipeline NAME ID PATH      Value at PATH of `status ID --json`: pipeline shop 3 stages.0.attempt
#	pipeline_is NAME ID WORD   Its status.
#	stage_is NAME ID STAGE WORD
#	stages_are NAME ID WORD... The statuses of all stages, in order.
#	is_no TEXT CMD...          CMD exits with 1 and says TEXT ("": whatever); is_usage, is_unknown:
#	                           with 2, 3.
#	plays NAME ID STAGE...     Play the stages one after the other; each succeeds.
#	registry_is NAME TEXT      What the registry has of project NAME, newest first, as
#	                           "3:Staging 2:Production 1:Archived".
#	logged NAME ID STAGE TEXT  The log of that stage has TEXT.
#
# A stage under the test's control: `build` with engine = podman, where "podman" is a script of the
# server's.  The programs under test look tools up in $ROOT/tools first.
#	podman_does NAME SCRIPT    From now on that is what `podman build` does for server NAME; it runs
#	                           in the stage's work folder.  In it, "$state" is the state folder and
#	                           hold (until the file $state/go is there, 60 s at most) is at hand.
#	let_go NAME                Make that file.
#
# Engines that only pretend, and are as strict about their command line as the real ones: see engine-double
#	engine_double NAME ENGINE  From now on ENGINE (docker, podman, buildah) of server NAME is one, and
#	                           its build stage takes it.  $(state NAME)/engine/ is what it keeps.
#	engine_fails NAME LINE...  What goes wrong from now on, each "COMMAND STATUS TEXT", or
#	                           "once COMMAND STATUS TEXT"; none: nothing.
#	engine_calls NAME          What was called: a line each, environment first.
#
# Processes
#	runners NAME               Ids of the runners of server NAME.
#	processes NAME             All processes that have its state folder or repository in their
#	                           arguments or work in it; is_quiet NAME: there is none.

put_model() {
	MODEL_MD5=$(printf '%s\n' "$1" | md5sum | cut -c 1-32)
	MODEL_OBJECT=$(sed -n 's/^ *url = //p' .dvc/config)/files/md5/$(echo "$MODEL_MD5" |
		sed 's,^..,&/,')
	mkdir -p "${MODEL_OBJECT%/*}" &&
		printf '%s\n' "$1" >"$MODEL_OBJECT" &&
		cat >rkl/model.pkl.dvc <<-YAML &&
			outs:
			- md5: $MODEL_MD5
			  size: $(wc -c <"$MODEL_OBJECT")
			  hash: md5
			  path: model.pkl
		YAML
		test_tick &&
		git add rkl/model.pkl.dvc &&
		git commit -q -m "Model $1"
}

pipeline() {
	mg "$1" status "$2" --json >"$T/.run/status" || return 1
	json "pipelines.0.$3" <"$T/.run/status"
}

pipeline_is() {
	same "$3" "$(pipeline "$1" "$2" status)"
}

stage_is() {
	same "$4" "$(stage_status "$1" "$2" "$3")"
}

stages_are() {
	chains_server=$1
	chains_id=$2
	shift 2
	same "$*" "$(pipeline "$chains_server" "$chains_id" 'stages.*.status' | tr '\n' ' ' |
		sed 's/ $//')"
}

plays() {
	chains_server=$1
	chains_id=$2
	shift 2
	for chains_stage; do
		mg "$chains_server" play "$chains_id" "$chains_stage" && drain "$chains_server" &&
			stage_is "$chains_server" "$chains_id" "$chains_stage" success && continue
		mg "$chains_server" logs "$chains_id" "$chains_stage"
		return 1
	done
}

registry_is() {
	mg "$1" models "$1" --json >"$T/.run/versions" || return 1
	for chains_column in version stage; do
		json "versions.*.$chains_column" <"$T/.run/versions" >"$T/.run/$chains_column"
	done
	same "$2" "$(paste -d : "$T/.run/version" "$T/.run/stage" | paste -s -d ' ')"
}

logged() {
	mg "$1" logs "$2" "$3" >"$T/.run/stage-log" && grep -qF -e "$4" "$T/.run/stage-log" && return
	cat "$T/.run/stage-log"
	echo "does not say: $4"
	return 1
}

chains_exits() {
	chains_status=$1
	chains_text=$2
	shift 2
	"$@" >"$T/out" 2>"$T/err"
	chains_got=$?
	if [ "$chains_got" -ne "$chains_status" ]; then
		test_show "$@"
		echo "exit status $chains_got, not $chains_status"
		return 1
	fi
	[ -z "$chains_text" ] || said "$chains_text"
}

is_no() {
	chains_exits 1 "$@"
}

is_usage() {
	chains_exits 2 "$@"
}

is_unknown() {
	chains_exits 3 "$@"
}

# Every test file puts the same one there, whole: several of them run at once.
chains_tool() {
	[ -x "$ROOT/tools/$1" ] && return
	mkdir -p "$ROOT/tools" &&
		cat >"$T/.run/$1" <<-SH &&
			#!/bin/sh
			# Stands in for $1 where the state folder of a test has a program of that name.
			for place in ../.. .; do
				[ -x \$place/$1 ] && exec \$place/$1 "\$@"
			done
			[ -x /usr/bin/$1 ] && exec /usr/bin/$1 "\$@"
			exit 127
		SH
		chmod 755 "$T/.run/$1" &&
		mv "$T/.run/$1" "$ROOT/tools/$1.$$" &&
		mv "$ROOT/tools/$1.$$" "$ROOT/tools/$1"
}

engine_double() {
	chains_tool "$2" && server_set "$1" build engine "$2" && mkdir -p "$(state "$1")/engine" &&
		cp "$TEST_LIB/engine-double" "$(state "$1")/$2.new" &&
		chmod 755 "$(state "$1")/$2.new" &&
		mv "$(state "$1")/$2.new" "$(state "$1")/$2"
}

engine_fails() {
	chains_server=$1
	shift
	for chains_line in "$@"; do
		printf '%s\n' "$chains_line"
	done >"$(state "$chains_server")/engine/fails"
}

engine_calls() {
	cat "$(state "$1")/engine/calls"
}

podman_does() {
	chains_tool podman && server_set "$1" build engine podman &&
		cat >"$(state "$1")/podman.new" <<-SH &&
			#!/bin/sh
			[ "\$1" = build ] || exit 0
			while [ "\$1" != --iidfile ]; do shift; done
			id=\$2
			state=$(state "$1")
			hold() {
				tries=0
				until [ -e "\$state/go" ] || [ "\$tries" -ge 600 ]; do
					sleep 0.1
					tries=\$((tries + 1))
				done
			}
			$2
			echo sha256:$(printf '%064d' 1) >"\$id"
		SH
		chmod 755 "$(state "$1")/podman.new" &&
		mv "$(state "$1")/podman.new" "$(state "$1")/podman"
}

let_go() {
	: >"$(state "$1")/go"
}

runners() {
	ps -ww -eo pid=,args= | awk -v what="--repo $T/$1.git run --drain" \
		'index($0, what) && !/awk/ { print $1 }'
}

processes() {
	for chains_process in /proc/[0-9]*; do
		[ "$chains_process" = "/proc/$$" ] && continue
		{
			readlink "$chains_process/cwd"
			tr '\0' ' ' <"$chains_process/cmdline"
			echo
		} 2>/dev/null | grep -qF -e "$T/$1.git" -e "$T/$1.state" && echo "${chains_process#/proc/}"
	done
}

is_quiet() {
	chains_left=$(processes "$1")
	[ -z "$chains_left" ] && return
	ps -ww -o pid,ppid,pgid,sid,args -p "$(echo "$chains_left" | paste -s -d ,)"
	return 1
}

#!/bin/sh
# retrain.py of a new project, run as its DAG runs it: in the unpacked image, with MODELGATE_* in the
# environment.  tests/real/retrain.t has Airflow run it.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/chains.sh"

# Run it for a day: job ID DATE [VARIABLE=VALUE...].  Says what it says in $T/err.
job() {
	job_id=$1
	job_date=$2
	shift 2
	(cd "$T/image" && env MODELGATE_PROJECT=shop MODELGATE_PIPELINE_ID="$job_id" \
		MODELGATE_DATE="$job_date" MODELGATE_GIT_SHA="$(tip shop retrain)" \
		MODELGATE_REPOSITORY_URL="$T/shop.git" TMPDIR="$T/tmp" "$@" \
		python3 retrain.py >"$T/err" 2>&1)
}

# It fails for that reason, and leaves nothing: job_stops REASON ID DATE [VARIABLE=VALUE...].
job_stops() {
	stops_reason=$1
	shift
	test_refs >"$T/before" && find "$T/shop.dvc" | sort >>"$T/before" || return 1
	if job "$@"; then
		cat "$T/err"
		echo 'should have failed'
		return 1
	fi
	said "$stops_reason" && said_not Traceback &&
		{ test_refs && find "$T/shop.dvc" | sort; } | diff "$T/before" - &&
		same "" "$(ls "$T/tmp")"
}

# The md5 that the pointer names at a commit of the server's.
md5_at() {
	git -C "$T/shop.git" show "$1:rkl/model.pkl.dvc" | sed -n 's/^- md5: //p'
}

object() {
	echo "$T/shop.dvc/files/md5/$(echo "$1" | sed 's,^..,&/,')"
}

new_server shop
new_project shop work || test_bail 'no project'
mkdir "$T/tmp" "$T/image"

test_expect 'the image of chain retrain has it' '
	cd work && commit note.txt && expect_accept git push origin dev &&
	expect_accept merge_push dev main && expect_accept merge_push main retrain && drain shop &&
	pipeline_is shop 2 success && tar -xzf "$(pipeline shop 2 facts.image)" -C "$T/image"
'

test_expect 'it pushes a branch with a new pointer, whose model is in the DVC remote' '
	job 2 20260101 && said "pushed retrain-2-20260101: md5 $(md5_at retrain-2-20260101), " &&
	same "$(tip shop retrain)" "$(tip shop retrain-2-20260101^)" && same "" "$(ls tmp)" &&
	md5=$(md5_at retrain-2-20260101) && same "$md5" "$(md5sum <"$(object "$md5")" | cut -c 1-32)" &&
	same rkl/model.pkl.dvc "$(git -C shop.git diff --name-only retrain-2-20260101^ retrain-2-20260101)" &&
	same "" "$(find shop.dvc -type f ! -perm 444 -newer image)"
'

test_expect 'a second time that day it stops before it trains; a number of no pipeline is refused' '
	job_stops "retrain.py: retrain-2-20260101 was pushed before" 2 20260101 &&
	job_stops "git clone failed" 2 20260102 MODELGATE_REPOSITORY_URL="$T/none.git" &&
	job_stops "git checkout failed" 2 20260102 MODELGATE_GIT_SHA="$(printf %040d 1)"
'

test_expect 'a push that is refused leaves no branch, and the same day can be tried again' '
	{ ! job 99 20260102 || return 1; } && said "MG203: 99 is no pipeline" && said "git push failed" &&
	said_not Traceback && same none "$(tip shop retrain-99-20260102)" && same "" "$(ls tmp)" &&
	mv shop.git/hooks/pre-receive kept && printf "#!/bin/sh\nexit 1\n" >shop.git/hooks/pre-receive &&
	chmod 755 shop.git/hooks/pre-receive && { ! job 2 20260102 || return 1; } &&
	said "git push failed" && mv kept shop.git/hooks/pre-receive &&
	job 2 20260102 && same "" "$(ls tmp)"
'

test_expect 'each starts on top of the last: they merge one after the other, also where branches are deleted' '
	same "$(tip shop retrain-2-20260101)" "$(tip shop retrain-2-20260102^)" && cd work &&
	expect_accept merge_push origin/retrain-2-20260102 main &&
	expect_accept git push origin :retrain-2-20260101 :retrain-2-20260102 && cd .. &&
	job 2 20260103 && cd work && expect_accept merge_push origin/retrain-2-20260103 main &&
	expect_accept merge_push origin/retrain-2-20260103 prod &&
	same "$(md5_at retrain-2-20260103)" "$(md5_at main)" &&
	same "$(md5_at retrain-2-20260103)" "$(md5_at prod)"
'

test_expect 'a commit of main that looks like a retraining but changes more is no start' '
	cd work && git switch -q dev && git merge -q origin/main && commit score.py &&
	GIT_COMMITTER_EMAIL=retraining@localhost \
		git commit -q --amend -m "Retrain for pipeline 2 on a whim" &&
	expect_accept git push origin dev && cd .. && job 2 20260104 &&
	same "$(tip shop retrain-2-20260103)" "$(tip shop retrain-2-20260104^)"
'

test_expect 'nor is a commit that looks like one on a branch without rules' '
	forged=$(cd work && git fetch -q origin && git checkout -q --detach origin/retrain-2-20260104 &&
		echo forged >rkl/model.pkl.dvc && GIT_COMMITTER_EMAIL=retraining@localhost \
		git commit -q -a -m "Retrain for pipeline 2 on 20260199" && git rev-parse HEAD) &&
	expect_accept git -C work push origin "$forged:refs/heads/aside" && git -C work switch -q dev &&
	job 2 20260107 && same "$(tip shop retrain-2-20260104)" "$(tip shop retrain-2-20260107^)"
'

test_expect 'the model that is there already: nothing is pushed, and that is no failure' '
	cp image/retrain.py retrain.py &&
	sed -i "s/train(f\"{pipeline}-{date}\", date)/train(\"2-20260105\", \"20260105\")/" image/retrain.py &&
	job 2 20260105 && said "pushed retrain-2-20260105" && job 2 20260106 &&
	said "the model is the one that is there: nothing is pushed" &&
	same none "$(tip shop retrain-2-20260106)" && mv retrain.py image/retrain.py
'

test_expect 'half a model in the remote is written over; none is left under another name' '
	md5=$(md5_at retrain-2-20260105) && chmod 644 "$(object "$md5")" && : >"$(object "$md5")" &&
	git -C shop.git update-ref -d refs/heads/retrain-2-20260105 && { ! job 2 20260105 || return 1; } &&
	said "MG204" && same "$md5" "$(md5sum <"$(object "$md5")" | cut -c 1-32)" &&
	same "" "$(find shop.dvc -type f -name "tmp*")"
'

# --- DVC remotes ---

# The project's DVC remote becomes URL, for a branch retrain of its own: dvc_remote URL.
dvc_remote() {
	cd "$T/work" && git switch -q main && git reset -q --hard origin/main &&
		git switch -q -C other main && sed -i "s|url = .*|url = $1|" .dvc/config &&
		git commit -q -a -m "Another remote" && other=$(git rev-parse HEAD) &&
		git push -q "$T/shop.git" HEAD:refs/heads/other --force && cd "$T" || return 1
}

test_expect 'a folder that is not there, as in a container without it, is not made' '
	dvc_remote "$T/missing" &&
	job_stops "the DVC remote $T/missing is no folder of this machine" 2 20260110 MODELGATE_GIT_SHA="$other" &&
	[ ! -e missing ] && dvc_remote ../somewhere &&
	job_stops "the DVC remote ../somewhere is no folder" 2 20260110 MODELGATE_GIT_SHA="$other"
'

test_expect 'any other remote goes by the program dvc; without it, it says so' '
	dvc_remote s3://models/shop &&
	job_stops "the program dvc is not installed" 2 20260110 MODELGATE_GIT_SHA="$other" &&
	mkdir bin && cat >bin/dvc <<-SH &&
		#!/bin/sh
		[ -z "\${MODELGATE_PUSH_TOKEN:-}" ] || exit 9
		echo "\$*" >>"$T/dvc.calls"
		case \$1 in
		add)
			md5=\$(md5sum <"\$3" | cut -c 1-32)
			printf "outs:\n- md5: %s\n  size: %s\n  hash: md5\n  path: model.pkl\n" \\
				"\$md5" "\$(wc -c <"\$3")" >"\$3.dvc"
			;;
		push) [ ! -e "$T/dvc.fails" ] ;;
		esac
	SH
	chmod 755 bin/dvc && : >dvc.fails &&
	job_stops "dvc push failed with status 1" 2 20260110 MODELGATE_GIT_SHA="$other" PATH="$T/bin:$PATH" &&
	rm dvc.fails && : >dvc.calls && { ! job 2 20260110 MODELGATE_GIT_SHA="$other" PATH="$T/bin:$PATH" \
		MODELGATE_PUSH_TOKEN=secret || return 1; } && said "MG207" &&
	printf "%s\n" "add --quiet rkl/model.pkl" "push --quiet rkl/model.pkl.dvc" | diff - dvc.calls
'

test_done

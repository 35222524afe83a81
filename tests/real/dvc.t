#!/bin/sh
# DVC itself reads what `modelgate new` makes: the pointer, the remote, the model in it.
. "${0%/*}/../lib/test.sh"

if [ ! -x "$BUILD/venv/bin/python" ]; then
	test_skip 'DVC reads a new project' 'no package index can be reached'
	test_done
fi
export DVC_NO_ANALYTICS=1 DVC_SITE_CACHE_DIR="$T/dvc-site" DVC_GLOBAL_CONFIG_DIR="$T/dvc-global" \
	DVC_SYSTEM_CONFIG_DIR="$T/dvc-system"
dvc() {
	"$BUILD/venv/bin/dvc" "$@"
}

md5_in_pointer() {
	sed -n 's/^- md5: //p' rkl/model.pkl.dvc
}

test_expect 'dvc pull fetches the model that the pointer names' '
	new_server churn && new_project churn work && cd work &&
	rm -f rkl/model.pkl && dvc pull -q &&
	same "$(md5_in_pointer)  rkl/model.pkl" "$(md5sum rkl/model.pkl)"
'

test_expect 'dvc status finds nothing to be done, and git neither' '
	cd work && dvc status -q && same "" "$(git status --porcelain)"
'

test_expect 'a model that dvc adds and pushes is fetched by the build stage' '
	cd work && git switch -q dev &&
	rm -f rkl/model.pkl && printf "another model\n" >rkl/model.pkl && dvc add -q rkl/model.pkl &&
	dvc push -q && git add -A && git commit -q -m "Another model" &&
	expect_accept git push -q origin dev && expect_accept merge_push dev main &&
	drain churn && same success "$(stage_status churn 1 build)" &&
	mg churn status 1 --json | json pipelines.0.facts.model_md5 >"$T/md5" &&
	same "$(md5_in_pointer)" "$(cat "$T/md5")"
'

test_expect 'dvc would write the same pointer, byte by byte' '
	cd work && git switch -q dev && git show HEAD:rkl/model.pkl.dvc >"$T/ours" &&
	printf "another model\n" | cmp - rkl/model.pkl && rm rkl/model.pkl.dvc && dvc add -q rkl/model.pkl &&
	cmp "$T/ours" rkl/model.pkl.dvc && same "" "$(git status --porcelain)" &&
	new_server fresh && modelgate new "$T/new" --project fresh && cp "$T/new/rkl/model.pkl.dvc" "$T/ours" &&
	cd "$T/new" && dvc pull -q && rm rkl/model.pkl.dvc && dvc add -q rkl/model.pkl &&
	cmp "$T/ours" rkl/model.pkl.dvc
'

test_expect 'a folder that dvc adds, in a remote that stands on another and that its pointer names' '
	cd work && git rm -q --cached rkl/model.pkl.dvc && rm -f rkl/model.pkl.dvc rkl/model.pkl &&
	mkdir -p "$T/kept" rkl/model/deep && echo weights >rkl/model/deep/w.bin && echo "{}" >rkl/model/c.json &&
	dvc remote add -q base "$T/kept" && dvc remote add -q team remote://base/team &&
	dvc add -q rkl/model && mv rkl/model.dvc rkl/model.pkl.dvc &&
	echo "  remote: team" >>rkl/model.pkl.dvc && dvc push -q && ls "$T/kept/team/files/md5" &&
	git add -A && git commit -q -m "A folder" && expect_accept git push -q origin dev &&
	expect_accept merge_push dev main && drain churn && same success "$(stage_status churn 2 build)" &&
	mkdir "$T/built" && mg churn status 2 --json | json pipelines.0.facts.image >"$T/image" &&
	tar -xzf "$(cat "$T/image")" -C "$T/built" && diff -r "$T/work/rkl/model" "$T/built/rkl/model"
'

test_done

# shellcheck shell=sh disable=SC2154 # variables of install.sh, which reads this file
# ./install.sh bundle: an archive of hooks and their configuration, as `gitaly hooks set` takes it.

# Gitaly unpacks the members custom_hooks/... by that name; what is called ./custom_hooks it does not find.
bundle_folder=custom_hooks

bundle_config() {
	printf '; Everything else has its default, see modelgate.ini(5).\n'
	[ -z "$project" ] || printf '[project]\nname = %s\n\n' "$project"
	printf '[modelgate]\nstate = %s\n\n[identity]\nsource = gitlab\n\n' "$state"
	printf '[runner]\nwake = none ; there is no command beside these hooks\n'
}

check_bundle_config() {
	[ -r "$config" ] || die "there is no file $config that can be read"
	source=$(ini_value identity source <"$config")
	[ "$source" = gitlab ] || die "$config says source = ${source:-os} in [identity], but GitLab's hooks" \
		"need gitlab"
	used=$(ini_value modelgate state <"$config")
	state=${used:-$state_default}
}

# What a hook would find wrong with it: asked of the command that was built beside the hooks, for a repository
# that has the file as its own, as on the server.  This machine's system file is none of it.
judge_bundle_config() {
	env -u GIT_DIR -u GIT_WORK_TREE git init -q --bare --template= "$work/judged.git"
	cp -R -- "$work/$bundle_folder" "$work/judged.git/"
	: >"$work/system.ini"
	said=$("$build/bin/modelgate" --repo "$work/judged.git" --config "$work/system.ini" check --json 2>&1) || true
	case $said in
	*MG901*)
		printf '%s\n' "$said" | grep -o 'MG901: [^"]*' | head -n 1 | sed 's/^/install.sh: /' >&2
		die "that would not do as a configuration: ${config:-what was given}"
		;;
	esac
}

# One archive of one content: names sorted, and no owner, mode or time of here.
write_bundle() {
	temporary=
	work=$(mktemp -d)
	trap 'rm -rf -- "$work" ${temporary:+"$temporary"}' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	mkdir -p "$work/$bundle_folder"
	for hook in $hooks; do
		mkdir "$work/$bundle_folder/$hook.d"
		cp -- "$build/bin/$hook" "$work/$bundle_folder/$hook.d/50-modelgate"
	done
	if [ -n "$config" ]; then
		cat -- "$config" >"$work/$bundle_folder/$config_name"
	else
		bundle_config >"$work/$bundle_folder/$config_name"
	fi
	chmod -R u=rwX,go=rX "$work/$bundle_folder"
	chmod 644 "$work/$bundle_folder/$config_name"
	judge_bundle_config
	temporary=$(mktemp "$bundle.XXXXXX~") || die "cannot write beside $bundle"
	if ! tar -C "$work" --format=ustar --sort=name --owner=root:0 --group=root:0 \
		--mtime='2000-01-01 00:00:00Z' -cf "$temporary" "$bundle_folder" ||
		! chmod 644 "$temporary" || ! mv -f -- "$temporary" "$bundle"; then
		die "cannot write $bundle"
	fi
	temporary=
}

command_bundle() {
	bundle=
	project=
	prefix=/usr/local
	given_state=
	config=
	while [ $# -gt 0 ]; do
		case $1 in
		--project | --prefix | --state | --config)
			[ $# -gt 1 ] || wrong_usage "bundle: $1 takes a value"
			;;
		-*) wrong_usage "bundle has no option $1" ;;
		esac
		case $1 in
		--project) project=$2 && shift ;;
		--prefix) prefix=$2 && shift ;;
		--state) given_state=$2 && shift ;;
		--config) config=$2 && shift ;;
		*)
			[ -z "$bundle" ] || wrong_usage 'bundle takes one FILE'
			bundle=$1
			;;
		esac
		shift
	done
	[ -n "$bundle" ] || wrong_usage 'bundle takes a FILE to write'
	if [ -n "$config" ]; then
		[ -z "$project$given_state" ] || wrong_usage 'bundle: --config FILE says all; no --project, no --state'
	else
		[ -n "$given_state" ] || wrong_usage "bundle takes --state DIR, a folder of Gitaly's user on the server," \
			'or --config FILE'
		case $given_state in
		/*) ;;
		*) wrong_usage 'bundle: --state is a path on the server, from / on' ;;
		esac
	fi
	case $project in
	*[!A-Za-z0-9_-]*) die "a project's name has letters, digits, _ and - alone: $project" ;;
	esac
	prefix=$(absolute "$prefix")
	check_plain --prefix "$prefix"
	check_plain --state "$given_state"
	[ ! -d "$bundle" ] || die "$bundle is a folder"
	[ -d "$(dirname -- "$bundle")" ] || die "there is no folder $(dirname -- "$bundle")"
	state=$given_state
	[ -z "$config" ] || check_bundle_config
	# shellcheck disable=SC2086 # a list of words
	need_packages $packages_build
	umask 022
	say 'Building ...'
	quietly make -C "$here" -s -j"$(nproc)" BUILD="$build" PREFIX="$prefix" DESTDIR= all
	write_bundle
	cat <<-END
		wrote  $bundle

		On each Gitaly server, where $state has to be a folder of Gitaly's user, mode 700
		(install -d -m 700 -o git -g git $state):
		  gitaly hooks set --storage STORAGE --repository PATH.git --config CONFIG <$bundle
		It takes the place of all hooks that the repository has of its own.
	END
}

# Random histories: what people, GitLab and attackers do to a repository, and one push at the end of it.
# A history is planned whole, from its seed alone, as a list of steps, each one commit (or a chain of
# plain ones), and made step by step: what a step changes is chosen when the trees below it are there.
package History;
use strict;
use warnings;

my @paths = qw(a b src/lib src/score d d/f retrain.py dag-retrain.py rkl/note);
my $model = 'rkl/model.pkl.dvc';
my @open_paths = qw(rkl/note retrain.py rkl/deep/er);    # what may be committed to retrain
my $epoch = 1_767_000_000;

# ---- chance: the same on every machine, whatever the perl ----

sub roll {    # 0 .. N - 1
	my ($h, $n) = @_;
	{
		use integer;
		$h->{random} = $h->{random} * 6364136223846793005 + 1442695040888963407;
	}
	return (($h->{random} >> 33) & 0x7fffffff) % $n;
}

sub chance { my ($h, $percent) = @_; return roll($h, 100) < $percent }
sub pick { my ($h, @of) = @_; return @of ? $of[ roll($h, scalar @of) ] : undef }

sub pick_weighted {    # NAME => WEIGHT, ...
	my ($h, @of) = @_;
	my $sum = 0;
	$sum += $of[ 2 * $_ + 1 ] for 0 .. $#of / 2;
	my $at = roll($h, $sum);
	while (@of) {
		my ($name, $weight) = splice @of, 0, 2;
		return $name if $at < $weight;
		$at -= $weight;
	}
}

sub shuffle {
	my ($h, @list) = @_;
	for my $i (reverse 1 .. $#list) {
		my $j = roll($h, $i + 1);
		@list[ $i, $j ] = @list[ $j, $i ];
	}
	return @list;
}

# ---- configuration ----

my %default_from = (
	main    => 'dev, retrain-*',
	prod    => 'main, retrain-*',
	retrain => 'main',
	online  => 'main',
);

sub plan_rules {
	my ($h) = @_;
	my %from = (
		main    => [ 'dev',  'dev, retrain-*, hotfix', 'dev, prod', 'hotfix, dev' ],
		prod    => [ 'main', 'main, dev', 'main, online', 'release, main' ],
		retrain => [ 'main', 'main, dev', 'dev, retrain-*' ],
		online  => [ 'main', 'prod',      'main, retrain-*, feature-1' ],
		release => [ 'main', 'main, dev', 'prod, retrain-*' ],
		dev     => [ 'main', 'hotfix',    'feature-1, main' ],
	);
	my @ruled = (qw(main prod retrain online), grep { chance($h, 12) } qw(release dev));
	my $ini = "[retrain-branch]\nknown-pipeline = off\n";
	for my $name (@ruled) {
		my %keys;
		$keys{'merge-from'} = pick($h, @{ $from{$name} })
			if !$default_from{$name} || chance($h, 30);
		$keys{'merge-methods'} = join ', ', grep { chance($h, 55) } qw(merge fast-forward squash)
			if chance($h, 35);
		delete $keys{'merge-methods'} if ($keys{'merge-methods'} // '') eq '';
		$keys{content} = 'any' if chance($h, 15);
		$keys{'direct-push'} = pick($h, qw(allow allow deny)) if chance($h, $name eq 'dev' ? 60 : 20);
		$keys{'direct-may-change'} = pick($h, '', 'rkl/*', 'src/*, *.py', 'a, b, d*') if chance($h, 20);
		$keys{'require-files'} = pick($h, '', 'a', 'a, retrain.py', 'd/f') if chance($h, 15);
		$keys{'launch-on-create'} = 'yes' if chance($h, 20);
		$h->{from}{$name} = [ split /, /, $keys{'merge-from'} // $default_from{$name} ];
		next if !%keys;
		$ini .= "[branch \"$name\"]\n" . join '', map { "$_ = $keys{$_}\n" } sort keys %keys;
	}
	$h->{ini} = $ini;
}

# ---- the plan: commits are numbers, in the order in which they will be made ----

# Plan one step: PARENTS; base: what its tree starts from, ['tree', COMMIT], ['merge', OURS, THEIRS] or
# ['nothing']; edits: a function that changes the files; chain: so many commits.  The last one's number.
sub add {
	my ($h, $title, $parents, $base, $edits, $chain) = @_;
	$chain //= 1;
	push @{ $h->{steps} },
		{ title => $title, parents => $parents, base => $base, edits => $edits, chain => $chain };
	for (1 .. $chain) {
		push @{ $h->{parents} }, $_ == 1 ? [@$parents] : [ $#{ $h->{parents} } ];
	}
	return $#{ $h->{parents} };
}

sub parents { my ($h, $c) = @_; return @{ $h->{parents}[$c] } }

sub holds {
	my ($h, $x, $y) = @_;
	my @todo = ($x);
	my %seen;
	while (defined(my $c = pop @todo)) {
		return 1 if $c == $y;
		push @todo, parents($h, $c) if !$seen{$c}++;
	}
	return 0;
}

# A commit some steps down from C, on any line.
sub below {
	my ($h, $c, $steps) = @_;
	for (1 .. $steps) {
		my @p = parents($h, $c);
		last if !@p;
		$c = chance($h, 70) ? $p[0] : pick($h, @p);
	}
	return $c;
}

sub first_line {
	my ($h, $c, $steps) = @_;
	for (1 .. $steps) {
		($c) = parents($h, $c) if parents($h, $c);
	}
	return $c;
}

sub plan_commit {
	my ($h, $branch, $edits, $title) = @_;
	my $tip = $h->{refs}{$branch};
	return $h->{refs}{$branch} =
		add($h, $title // "on $branch", [$tip], [ 'tree', $tip ], $edits // \&edit_some);
}

sub plan_merge {
	my ($h, $branch, $what, $edits, $title) = @_;
	my $tip = $h->{refs}{$branch};
	return $h->{refs}{$branch} =
		add($h, $title // "merge into $branch", [ $tip, $what ], [ 'merge', $tip, $what ], $edits);
}

sub branches { my ($h) = @_; return sort keys %{ $h->{refs} } }
sub is_retrain { return $_[0] =~ /^retrain-/ }

# The branches that TARGET may take merges from, as far as they are there.
sub allowed {
	my ($h, $target) = @_;
	my @from = map { $_ eq 'retrain-*' ? (grep { is_retrain($_) } branches($h)) : $_ }
		@{ $h->{from}{$target} };
	return grep { defined $h->{refs}{$_} && $_ ne $target } @from;
}

# Bring something new to BRANCH, in the way in which it takes it.
sub freshen {
	my ($h, $branch, $depth) = @_;
	return plan_commit($h, $branch) if !$h->{from}{$branch} && !is_retrain($branch);
	my @from = $h->{from}{$branch} ? allowed($h, $branch) : ();
	return if !@from || $depth > 3;
	my $source = pick($h, @from);
	freshen($h, $source, $depth + 1) if holds($h, $h->{refs}{$branch}, $h->{refs}{$source});
	return if holds($h, $h->{refs}{$branch}, $h->{refs}{$source});
	plan_merge($h, $branch, $h->{refs}{$source});
}

# A source of TARGET, and a commit of it that TARGET does not hold, if that is to be had.
sub choose_source {
	my ($h, $target) = @_;
	my @allowed = allowed($h, $target);
	my @others = grep { $_ ne $target } branches($h);
	my $source = @allowed && chance($h, 88) ? pick($h, @allowed) : pick($h, @others);
	return undef if !defined $source;
	freshen($h, $source, 0)
		if chance($h, 80) && holds($h, $h->{refs}{$target}, $h->{refs}{$source});
	my $what = $h->{refs}{$source};
	$what = below($h, $what, 1 + roll($h, 3)) if chance($h, 22);
	return ($source, $what);
}

# ---- work on branches without rules ----

sub plan_feature {
	my ($h) = @_;
	my $name = pick($h, qw(feature-1 feature-2 hotfix));
	if (!defined $h->{refs}{$name} || chance($h, 15)) {
		$h->{refs}{$name} = below($h, $h->{refs}{ pick($h, branches($h)) }, roll($h, 3));
	}
	plan_commit($h, $name) for 0 .. roll($h, 2);
	plan_merge($h, 'dev', $h->{refs}{$name}) if defined $h->{refs}{dev} && chance($h, 40);
}

sub plan_retrain_branch {
	my ($h) = @_;
	my $id = 1 + roll($h, 9);
	my $name = "retrain-$id-" . (chance($h, 50) ? '2026010' : '2026-01-0') . (1 + roll($h, 9));
	# A pipeline once only: that its days differ is tested elsewhere.
	return if $h->{retrained}{$id}++;
	$name = pick($h, "retrain-0$id-20260101", "retrain-$id-20260231", "retrain-$id-today") if chance($h, 6);
	my $from = $h->{refs}{ pick($h, 'retrain', branches($h)) } // return;
	$h->{refs}{$name} =
		chance($h, 90)
		? add($h, "model of $name", [$from], [ 'tree', $from ], \&edit_model)
		: $from;
}

sub plan_free {
	my ($h) = @_;
	my $what = pick_weighted($h, commit => 30, feature => 25, back => 15, retrain => 12, force => 4,
		delete => 3, root => 1);
	my @free = grep { !$h->{from}{$_} && !is_retrain($_) } branches($h);
	return plan_feature($h) if $what eq 'feature' || !@free;
	return plan_retrain_branch($h) if $what eq 'retrain';
	my $branch = chance($h, 70) && defined $h->{refs}{dev} ? 'dev' : pick($h, @free);
	return plan_commit($h, $branch) if $what eq 'commit';
	if ($what eq 'back') {
		my ($other) = shuffle($h, grep { $_ ne $branch } branches($h));
		my $from = defined $other ? $h->{refs}{$other} : return;
		return holds($h, $from, $h->{refs}{$branch}) && chance($h, 50)
			? ($h->{refs}{$branch} = $from)
			: plan_merge($h, $branch, $from);
	}
	return $h->{refs}{$branch} = below($h, $h->{refs}{ pick($h, branches($h)) }, roll($h, 4))
		if $what eq 'force';
	return delete $h->{refs}{$branch} if $what eq 'delete' && keys %{ $h->{refs} } > 2;
	$h->{refs}{$branch} = add($h, 'another root', [], ['nothing'], \&edit_start);
}

# ---- what becomes of a branch with rules ----

my %moves = (
	merge => sub {
		my ($h, $t, $what) = @_;
		plan_merge($h, $t, $what);
	},
	evil => sub {
		my ($h, $t, $what) = @_;
		plan_merge($h, $t, $what,
			pick($h, \&edit_some, \&edit_some, \&edit_drop, \&edit_drop, \&edit_open),
			"evil merge into $t");
	},
	# As `git merge -s ours` makes it; and the other way round.
	ours => sub {
		my ($h, $t, $what) = @_;
		my $tip = $h->{refs}{$t};
		$h->{refs}{$t} = add($h, "merge of one side into $t", [ $tip, $what ],
			[ 'tree', chance($h, 60) ? $tip : $what ]);
	},
	foxtrot => sub {
		my ($h, $t, $what) = @_;
		my $tip = $h->{refs}{$t};
		$h->{refs}{$t} = add($h, "foxtrot on $t", [ $what, $tip ], [ 'merge', $what, $tip ]);
	},
	octopus => sub {
		my ($h, $t, $what) = @_;
		my ($tip, $other) = @{ $h->{refs} }{ $t, pick($h, branches($h)) };
		return if $what == $other || $tip == $what || $tip == $other;
		$h->{refs}{$t} = add($h, "octopus on $t", [ $tip, $what, $other ], [ 'merge', $tip, $what ]);
	},
	nothing_new => sub {
		my ($h, $t) = @_;
		my $tip = $h->{refs}{$t};
		my $held = below($h, $tip, 1 + roll($h, 4));
		return if $held == $tip;
		$h->{refs}{$t} = add($h, "merge of nothing on $t", [ $tip, $held ], [ 'tree', $tip ],
			chance($h, 40) ? \&edit_some : undef);
	},
	squash => sub {
		my ($h, $t, $what) = @_;
		my $tip = $h->{refs}{$t};
		$h->{refs}{$t} = add($h, "squash on $t", [$tip], [ 'merge', $tip, $what ]);
	},
	# It drops what only the target has, or it has something more.
	wrong_squash => sub {
		my ($h, $t, $what) = @_;
		my $tip = $h->{refs}{$t};
		$h->{refs}{$t} =
			chance($h, 50)
			? add($h, "squash on $t that drops", [$tip], [ 'tree', $what ])
			: add($h, "squash on $t with more", [$tip], [ 'merge', $tip, $what ], \&edit_some);
	},
	# GitLab's merge commit with squash.
	squash_beside => sub {
		my ($h, $t, $what) = @_;
		my $tip = $h->{refs}{$t};
		my $p = first_line($h, $tip, roll($h, 3));
		# Or it is held by the target, but not on its own line.
		$p = (parents($h, $p))[-1] // $p if chance($h, 40);
		my $s = add($h, "squash beside $t", [$p], [ 'merge', $p, $what ],
			chance($h, 12) ? \&edit_some : undef);
		plan_merge($h, $t, $s, chance($h, 12) ? \&edit_some : undef, "merge of a squash into $t");
		# The same once more brings nothing.
		$h->{refs}{$t} = add($h, "merge of it again into $t", [ $h->{refs}{$t}, $s ],
			[ 'tree', $h->{refs}{$t} ])
			if chance($h, 8);
	},
	fast_forward => sub {
		my ($h, $t, $what) = @_;
		# Where it cannot be one as it is, what is merged first takes the target in.
		if (!holds($h, $what, $h->{refs}{$t}) && chance($h, 85)) {
			my ($source) = grep { $h->{refs}{$_} == $what && $_ ne $t } branches($h);
			return if !defined $source;
			$what = plan_merge($h, $source, $h->{refs}{$t});
		}
		$h->{refs}{$t} = $what;
	},
	cherry_pick => sub {
		my ($h, $t, $what) = @_;
		my $tip = $h->{refs}{$t};
		my ($p) = parents($h, $what);
		return if !defined $p;
		$h->{refs}{$t} = add($h, "cherry-pick to $t", [$tip], [ 'tree', $tip ],
			sub { edit_pick(@_, $p, $what) });
	},
	revert => sub {
		my ($h, $t) = @_;
		my $tip = $h->{refs}{$t};
		my ($p) = parents($h, $tip);
		$h->{refs}{$t} = add($h, "revert on $t", [$tip], [ 'tree', $p ]) if defined $p;
	},
	direct      => sub { my ($h, $t) = @_; plan_commit($h, $t) },
	direct_open => sub { my ($h, $t) = @_; plan_commit($h, $t, \&edit_open) },
	empty       => sub { my ($h, $t) = @_; plan_commit($h, $t, \&edit_nothing, "nothing on $t") },
	force       => sub {
		my ($h, $t) = @_;
		$h->{refs}{$t} = below($h, $h->{refs}{ pick($h, branches($h)) }, roll($h, 4));
	},
	delete => sub { my ($h, $t) = @_; delete $h->{refs}{$t} if keys %{ $h->{refs} } > 2 },
	root   => sub {
		my ($h, $t) = @_;
		my $root = add($h, 'a root of its own', [], ['nothing'], \&edit_start);
		my $tip = $h->{refs}{$t};
		$h->{refs}{$t} = add($h, "another line on $t", [ $root, $tip ], [ 'merge', $root, $tip ]);
	},
);

sub plan_ruled {
	my ($h) = @_;
	my @ruled = sort keys %{ $h->{from} };
	my $t = chance($h, 45) ? 'main' : pick($h, @ruled);
	if (!defined $h->{refs}{$t}) {
		my @from = allowed($h, $t);
		my $from = @from && chance($h, 70) ? pick($h, @from) : pick($h, branches($h));
		return $h->{refs}{$t} = below($h, $h->{refs}{$from}, roll($h, 2));
	}
	my ($source, $what) = choose_source($h, $t);
	return if !defined $source;
	my $move = pick_weighted(
		$h,
		merge       => 26, evil    => 10, ours   => 3, foxtrot  => 3, octopus => 4,
		squash      => 13, direct  => 5,  empty  => 2, root     => 1, revert  => 2,
		nothing_new => 2,  force   => 3,  delete => 3, fast_forward  => 12,
		direct_open => 4,  wrong_squash  => 6, cherry_pick   => 4, squash_beside => 10
	);
	$moves{$move}->($h, $t, $what);
}

# A source brings about as many commits as a squash is compared with, and one of the oldest is squashed.
sub plan_long {
	my ($h) = @_;
	my $tip = $h->{refs}{dev} // return;
	my $target = $h->{refs}{main} // return;
	$tip = add($h, 'a long way on dev', [$tip], [ 'tree', $tip ], \&edit_some, 50 + roll($h, 8));
	my $what = first_line($h, $tip, 44 + roll($h, 10));
	$h->{refs}{dev} = $tip;
	$h->{refs}{main} = add($h, 'squash of it on main', [$target], [ 'merge', $target, $what ]);
}

sub plan_one {
	my ($h) = @_;
	return chance($h, 45) ? plan_free($h) : plan_ruled($h);
}

# ---- the push ----

sub plan_push {
	my ($h) = @_;
	my %before = %{ $h->{before} };
	my %after = %{ $h->{refs} };
	my @changed = grep { ($before{$_} // -1) != ($after{$_} // -1) } sort keys %{ { %before, %after } };
	my @push = shuffle($h, @changed);
	@push = grep { chance($h, 75) } @push if chance($h, 30);
	@push = ($changed[0]) if !@push && @changed;
	$h->{push} = [ map { [ $_, $before{$_}, $after{$_} ] } @push ];
	return scalar @push;
}

# The history NUMBER of SEED.
sub new {
	my ($class, $seed, $number) = @_;
	my $h = bless {
		number => $number,
		random => $seed * 1_000_003 + $number * 7919 + 1,
		steps  => [], parents => [], refs => {}, retrained => {}, made => [],
	}, $class;
	roll($h, 2) for 1 .. 8;
	$h->{dates} = pick($h, qw(honest honest honest equal lying));
	plan_rules($h);
	my $start = add($h, 'start', [], ['nothing'], \&edit_start);
	my @first = (qw(dev main), grep { chance($h, 75) } qw(prod retrain online));
	@first = ('dev') if chance($h, 5);
	$h->{refs}{$_} = $start for @first;
	plan_one($h) for 1 .. 3 + roll($h, 9);
	# A name like that of a source, which is none.
	$h->{refs}{develop} = $h->{refs}{ pick($h, branches($h)) } if chance($h, 5);
	$h->{before} = { %{ $h->{refs} } };
	plan_long($h) if chance($h, 4);
	plan_one($h) for 1 .. 1 + roll($h, 4);
	plan_one($h) while !plan_push($h);
	return $h;
}

# ---- what a step changes: FILES, path => [mode, blob], is changed; a reference stands for new content.
# ---- CONFLICTS are the paths in which the automatic merge has any ----

sub new_text {
	my ($h) = @_;
	my $kind = roll($h, 4);
	return join '', map { "line $_ of kind $kind\n" } 1 .. 12;
}

sub pointer {
	my ($h) = @_;
	my $md5 = join '', map { sprintf '%x', roll($h, 16) } 1 .. 32;
	return \qq({"outs":[{"md5":"$md5","size":1,"hash":"md5","path":"model.pkl"}]}\n);
}

# Few lines and few values: the same change is made on both sides now and then.
sub edit_text {
	my ($h, $text) = @_;
	my @lines = split /^/, $text;
	my $at = roll($h, 12);
	$lines[ $at < @lines ? $at : 0 ] = 'changed to ' . roll($h, 3) . "\n";
	return join '', @lines;
}

sub set_path {
	my ($h, $files, $path, $text) = @_;
	# A file gives way to a folder, and a folder to a file.
	delete $files->{$_} for grep { $path =~ m{^\Q$_\E/} || m{^\Q$path\E/} } keys %$files;
	$files->{$path} = [ '100644', \$text ];
}

sub edit_one {
	my ($h, $files) = @_;
	my @there = grep { $_ ne $model } sort keys %$files;
	my $what = @there ? pick_weighted($h, edit => 50, add => 22, delete => 10, rename => 13, mode => 3) : 'add';
	my $new = chance($h, 60) ? pick($h, @paths) : pick($h, qw(new src/new src/util c)) . roll($h, 4);
	my $path = @there ? pick($h, @there) : '';
	my $text = $path ne '' ? $h->{read}->($files->{$path}) : '';
	return set_path($h, $files, $new, new_text($h)) if $what eq 'add';
	return set_path($h, $files, $path, edit_text($h, $text)) if $what eq 'edit';
	return delete $files->{$path} if $what eq 'delete';
	return $files->{$path}[0] = $files->{$path}[0] eq '100644' ? '100755' : '100644' if $what eq 'mode';
	delete $files->{$path};
	set_path($h, $files, $new, chance($h, 50) ? edit_text($h, $text) : $text);
}

sub edit_some {
	my ($h, $files) = @_;
	edit_one($h, $files) for 0 .. roll($h, 2);
}

sub edit_nothing { return }

sub edit_model { my ($h, $files) = @_; $files->{$model} = [ '100644', pointer($h) ] }

sub edit_open {
	my ($h, $files) = @_;
	my $path = pick($h, @open_paths);
	set_path($h, $files, $path, $files->{$path} ? edit_text($h, $h->{read}->($files->{$path})) : new_text($h));
}

sub edit_start {
	my ($h, $files) = @_;
	set_path($h, $files, $_, new_text($h))
		for grep { /retrain/ ? chance($h, 88) : chance($h, 60) } @paths;
	edit_model($h, $files) if chance($h, 30);
	set_path($h, $files, 'a', new_text($h)) if !%$files;
}

# One path as the first parent has it: of a merge, what the other side changed is lost there.
sub edit_drop {
	my ($h, $files, $conflicts, $step) = @_;
	my $first = $h->{made}[ $step->{parents}[0] ]{files};
	my @differ = grep { same($files->{$_}, $first->{$_}) ? 0 : 1 } sort keys %{ { %$files, %$first } };
	return edit_some($h, $files) if !@differ;
	take($files, $first, pick($h, @differ));
}

# What the commit WHAT changed against its parent P.
sub edit_pick {
	my ($h, $files, $conflicts, $step, $p, $what) = @_;
	my ($from, $to) = map { $h->{made}[$_]{files} } $p, $what;
	take($files, $to, $_) for grep { !same($from->{$_}, $to->{$_}) } sort keys %{ { %$from, %$to } };
}

sub take {
	my ($files, $from, $path) = @_;
	return delete $files->{$path} if !$from->{$path};
	delete $files->{$_} for grep { $path =~ m{^\Q$_\E/} || m{^\Q$path\E/} } keys %$files;
	$files->{$path} = $from->{$path};
}

sub same {
	my ($x, $y) = @_;
	return !$x && !$y if !$x || !$y;
	return !ref $x->[1] && !ref $y->[1] && "@$x" eq "@$y";
}

# By hand: one of the sides, something new, or the marks are left in.
sub resolve {
	my ($h, $files, $conflicts, $step) = @_;
	return if chance($h, 15);
	my $side = $h->{made}[ pick($h, @{ $step->{parents} }) ]{files};
	for my $path (@$conflicts) {
		if ($path eq $model) {
			edit_model($h, $files);
		} elsif (chance($h, 70)) {
			take($files, $side, $path);
		} else {
			set_path($h, $files, $path, new_text($h));
		}
	}
}

# The files of STEP, made of those of its base.
sub apply {
	my ($h, $step, $files, $conflicts) = @_;
	my %files = %$files;
	resolve($h, \%files, $conflicts, $step) if @$conflicts && @{ $step->{parents} } > 0;
	edit_model($h, \%files) if grep { $_ eq $model } @$conflicts;
	$step->{edits}->($h, \%files, $conflicts, $step) if $step->{edits};
	return \%files;
}

# The committer's date of commit NUMBER.
sub date {
	my ($h, $number) = @_;
	return $epoch if $h->{dates} eq 'equal';
	return $epoch + 60 * $number if $h->{dates} eq 'honest';
	return $epoch + 60 * roll($h, 60);
}

1;

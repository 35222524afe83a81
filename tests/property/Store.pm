# Makes the histories in one object store, all of them step by step together: in each step one
# `git merge-tree` merges for all, and one `git fast-import` makes the commits of all.
package Store;
use strict;
use warnings;
use Automatic;
use IPC::Open2;

sub new {
	my ($class, $dir) = @_;
	Automatic::make_bare($dir);
	my $s = bless { dir => $dir, files => {}, text => {} }, $class;
	$s->{reader} = open2($s->{from}, $s->{to}, 'git', "--git-dir=$dir", 'cat-file', '--batch');
	return $s;
}

sub close_store {
	my ($s) = @_;
	close $s->{to};
	waitpid $s->{reader}, 0;
	$? == 0 or die "git cat-file failed\n";
}

sub object {
	my ($s, $id) = @_;
	print { $s->{to} } "$id\n";
	$s->{to}->flush;
	my ($size) = (readline($s->{from}) // '') =~ /^\w+ \w+ (\d+)$/ or die "no object $id\n";
	my $got = read $s->{from}, my $bytes, $size + 1;
	$got == $size + 1 or die "object $id is cut\n";
	return substr $bytes, 0, $size;
}

# The files of a tree: path => [mode, blob].
sub files {
	my ($s, $tree) = @_;
	return $s->{files}{$tree} if $s->{files}{$tree};
	my ($rest, %files) = ($s->object($tree));
	while ($rest =~ s/^(\d+) ([^\0]+)\0(.{20})//s) {
		my ($mode, $name, $id) = ($1, $2, unpack 'H*', $3);
		if ($mode eq '40000') {
			my $below = $s->files($id);
			$files{"$name/$_"} = $below->{$_} for keys %$below;
		} else {
			$files{$name} = [ $mode, $id ];
		}
	}
	return $s->{files}{$tree} = \%files;
}

# The text of a file that files() has, or that a step has made.
sub text {
	my ($s, $file) = @_;
	return ${ $file->[1] } if ref $file->[1];
	return $s->{text}{ $file->[1] } //= $s->object($file->[1]);
}

# One commit for git-fast-import(1).
sub commit_text {
	my ($number, $date, $title, $parents, $tree, $changes) = @_;
	my ($first, @others) = @$parents;
	my $text = defined $first ? '' : "reset refs/made\n\n";
	$text .= "commit refs/made\nmark :$number\n";
	$text .= "$_ A <a\@example.com> $date +0000\n" for qw(author committer);
	$text .= 'data ' . length($title) . "\n$title\n";
	$text .= "from $first\n" if defined $first;
	$text .= "merge $_\n" for @others;
	$text .= "M 040000 $tree \n" if defined $tree;
	for my $path (sort keys %$changes) {
		my $file = $changes->{$path};
		if (!$file) {
			$text .= "D $path\n";
		} elsif (ref $file->[1]) {
			my $bytes = ${ $file->[1] };
			$text .= "M $file->[0] inline $path\ndata " . length($bytes) . "\n$bytes\n";
		} else {
			$text .= "M $file->[0] $file->[1] $path\n";
		}
	}
	return "$text\n";
}

# What makes the files NEW of the files OLD.
sub difference {
	my ($old, $new) = @_;
	my %changes = map { $_ => undef } grep { !$new->{$_} } keys %$old;
	for my $path (keys %$new) {
		my ($x, $y) = ($old->{$path}, $new->{$path});
		$changes{$path} = $y if !$x || ref $y->[1] || "@$x" ne "@$y";
	}
	return \%changes;
}

# The tree that STEP starts from, its files, and the paths that conflict in it.
sub base {
	my ($s, $h, $step) = @_;
	my ($kind, @of) = @{ $step->{base} };
	return (undef, {}, []) if $kind eq 'nothing';
	my $tree = $kind eq 'tree' ? $h->{made}[ $of[0] ]{tree} : $step->{merged}[0];
	return ($tree, $s->files($tree), $kind eq 'tree' ? [] : $step->{merged}[1]);
}

# The text of the commits of one step; their marks are added to WAITING, with their history.
sub step_text {
	my ($s, $h, $step, $waiting) = @_;
	my ($tree, $files, $conflicts) = $s->base($h, $step);
	my $changes = difference($files, $h->apply($step, $files, $conflicts));
	my @parents = map { $h->{made}[$_]{id} } @{ $step->{parents} };
	my $text = '';
	for my $n (1 .. $step->{chain}) {
		my $number = @{ $h->{made} } + $n - 1;
		push @$waiting, $h;
		my $mark = @$waiting;
		my $title = "$h->{number}.$number $step->{title}";
		$changes->{long} = [ '100644', \"$n\n" ] if $step->{chain} > 1;
		$text .= commit_text($mark, $h->date($number), $title, \@parents, $tree, $changes);
		@parents = (":$mark");
		undef $tree;
		$changes = {};
	}
	return $text;
}

sub import_commits {
	my ($s, $text) = @_;
	my $marks = "$s->{dir}/marks";
	open my $in, '|-', 'git', "--git-dir=$s->{dir}", '-c', 'core.fsync=none', 'fast-import',
		'--quiet', '--force', "--export-marks=$marks"
		or die "git: $!\n";
	print $in $text;
	close $in or die "git fast-import failed\n";
	my %ids = map { /^:(\d+) (\w+)$/ } Automatic::read_lines($marks);
	unlink $marks or die "$marks: $!\n";
	return \%ids;
}

# The next step of each of the histories.
sub make_step {
	my ($s, $steps) = @_;    # [HISTORY, STEP], ...
	my (%pairs, @waiting);
	for (@$steps) {
		my ($h, $step) = @$_;
		my ($kind, @of) = @{ $step->{base} };
		next if $kind ne 'merge';
		my ($ours, $theirs) = map { $h->{made}[$_]{id} } @of;
		push @{ $pairs{"$ours $theirs"} }, $step;
	}
	Automatic::merge($s->{dir}, [ map { [split] } sort keys %pairs ], sub {
		my ($pair, $status, $tree, $paths) = @_;
		$_->{merged} = [ $tree, $paths ] for @{ $pairs{"@$pair"} };
	});
	my $ids = $s->import_commits(join '', map { $s->step_text(@$_, \@waiting) } @$steps);
	for my $mark (1 .. @waiting) {
		my ($tree) = $s->object($ids->{$mark}) =~ /^tree (\w+)/;
		push @{ $waiting[ $mark - 1 ]{made} },
			{ id => $ids->{$mark}, tree => $tree, files => $s->files($tree) };
	}
}

sub make_all {
	my ($s, @histories) = @_;
	$_->{read} = sub { $s->text(@_) } for @histories;
	for (my $n = 0;; $n++) {
		my @steps = map { [ $_, $_->{steps}[$n] ] } grep { $n < @{ $_->{steps} } } @histories;
		last if !@steps;
		$s->make_step(\@steps);
	}
}

# The folder of a case: the repository before the push, and the push.
sub write_case {
	my ($s, $h, $dir) = @_;
	my $id = sub { defined $_[0] ? $h->{made}[ $_[0] ]{id} : '0' x 40 };
	Automatic::make_bare($dir, "$s->{dir}/objects");
	Automatic::write_file("$dir/packed-refs", join '', "# pack-refs with: sorted \n",
		map { $id->($h->{before}{$_}) . " refs/heads/$_\n" } sort keys %{ $h->{before} });
	Automatic::write_file("$dir/modelgate.ini", $h->{ini});
	Automatic::write_file("$dir/push", join '',
		map { $id->($_->[1]) . ' ' . $id->($_->[2]) . " refs/heads/$_->[0]\n" } @{ $h->{push} });
}

1;

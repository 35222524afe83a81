# The automatic merge as git itself makes it, for the scripts that the judge is compared with.
package Automatic;
use strict;
use warnings;
use File::Temp;

# From here on git sees no configuration, attributes or replace refs but those of the repository that it
# is told to look at.
sub clean_environment {
	delete $ENV{$_} for grep { /^(?:GIT_|XDG_)/ } keys %ENV;
	%ENV = (
		%ENV,
		HOME                   => '/nonexistent',
		LC_ALL                 => 'C',
		GIT_CONFIG_NOSYSTEM    => 1,
		GIT_CONFIG_GLOBAL      => '/dev/null',
		GIT_ATTR_NOSYSTEM      => 1,
		GIT_NO_REPLACE_OBJECTS => 1,
	);
}

sub write_file {
	my ($path, $text) = @_;
	open my $fh, '>', $path or die "$path: $!\n";
	print $fh $text;
	close $fh or die "$path: $!\n";
}

sub read_lines {
	my ($path) = @_;
	open my $fh, '<', $path or die "$path: $!\n";
	chomp(my @lines = <$fh>);
	return @lines;
}

# A bare repository in the folder DIR, which is made, that sees the objects in the folders OBJECTS.
sub make_bare {
	my ($dir, @objects) = @_;
	for my $folder ($dir, map { "$dir/$_" } qw(objects objects/info objects/pack refs refs/heads)) {
		-d $folder or mkdir $folder or die "$folder: $!\n";
	}
	write_file("$dir/HEAD",   "ref: refs/heads/main\n");
	write_file("$dir/config", "[core]\n\trepositoryformatversion = 0\n\tbare = true\n");
	write_file("$dir/objects/info/alternates", join '', map { "$_\n" } @objects) if @objects;
}

# Give each pair [OURS, THEIRS] of commits to one `git merge-tree` in the repository DIR and call
# EACH->(PAIR, STATUS, TREE, PATHS): STATUS is 'clean' or 'conflict', PATHS the conflicting paths.
sub merge {
	my ($dir, $pairs, $each) = @_;
	return if !@$pairs;
	my $list = File::Temp->new;
	print $list "$_->[0] $_->[1]\n" for @$pairs;
	close $list or die "cannot write a list of merges: $!\n";
	open my $keep, '<&', \*STDIN or die "standard input: $!\n";
	open STDIN, '<', "$list" or die "$list: $!\n";
	my $started = open my $out, '-|', 'git', "--git-dir=$dir", 'merge-tree', '--stdin', '-z',
		'--name-only', '--no-messages', '--allow-unrelated-histories';
	open STDIN, '<&', $keep or die "standard input: $!\n";
	$started or die "git: $!\n";
	local $/ = "\0";

	for my $pair (@$pairs) {
		my ($status, $tree, @paths) = (scalar <$out>, scalar <$out>);
		while (defined(my $path = <$out>)) {
			chomp $path;
			last if $path eq '';
			push @paths, $path;
		}
		defined $tree or die "git merge-tree ended at $pair->[0] $pair->[1]\n";
		chomp($status, $tree);
		$each->($pair, $status ? 'clean' : 'conflict', $tree, \@paths);
	}
	close $out or die "git merge-tree failed\n";
}

1;

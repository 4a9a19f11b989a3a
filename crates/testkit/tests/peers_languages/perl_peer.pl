#!/usr/bin/env perl
# Answers each message with its bytes in reverse order, packed as TEMPLATE/a*:
#   perl_peer.pl TEMPLATE listen | connect PORT
# Sends messages of zeros, of the given sizes, and the message "end":
#   perl_peer.pl TEMPLATE send SIZE,SIZE connect PORT
use strict;
use warnings;
use IO::Socket::INET;
use Socket qw(IPPROTO_TCP TCP_NODELAY);

$SIG{PIPE} = 'IGNORE';
my ($template, $role, @rest) = @ARGV;
my $sizes = $role eq 'send' ? shift @rest : undef;
my $port = pop @rest;
my $socket;
if ($role eq 'listen') {
    my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1) or die $!;
    STDOUT->autoflush(1);
    print $listener->sockport, "\n";
    $socket = $listener->accept or die $!;
} else {
    $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port) or die $!;
}
$socket->autoflush(1);
setsockopt($socket, IPPROTO_TCP, TCP_NODELAY, 1) or die $!;

if (defined $sizes) {
    print $socket pack("$template/a*", "\0" x $_) for split /,/, $sizes;
    print $socket pack("$template/a*", 'end');
    exit;
}
while (defined(my $length = length_of_next())) {
    my $message = exactly($length);
    print $socket pack("$template/a*", scalar reverse $message) or die $!;
}
print "closed\n";

sub length_of_next {
    return $template eq 'w' ? compressed() : unpacked(length pack $template, 0);
}

sub unpacked {
    my $bytes = exactly($_[0], 1);
    return defined $bytes ? unpack($template, $bytes) : undef;
}

# A BER compressed integer goes on while the top bit of its bytes is set.
sub compressed {
    my $bytes = exactly(1, 1);
    return undef unless defined $bytes;
    $bytes .= exactly(1) while ord(substr $bytes, -1) & 0x80;
    return unpack 'w', $bytes;
}

sub exactly {
    my ($count, $may_end) = @_;
    my $got = read $socket, my ($bytes), $count;
    return undef if $may_end && defined $got && $got == 0;
    die "the stream ended inside a message" unless defined $got && $got == $count;
    return $bytes;
}

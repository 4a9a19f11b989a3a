<?php
// Answers each message with its bytes in reverse order, behind its length as pack(FORMAT) writes it:
//   php_peer.php FORMAT listen | connect PORT
// Sends messages of zeros, of the given sizes, and the message "end":
//   php_peer.php FORMAT send SIZE,SIZE connect PORT

[, $format, $role] = $argv;
$context = stream_context_create(['socket' => ['tcp_nodelay' => true]]);
if ($role === 'listen') {
    $flags = STREAM_SERVER_BIND | STREAM_SERVER_LISTEN;
    $listener = stream_socket_server('tcp://127.0.0.1:0', $code, $words, $flags, $context);
    echo substr(strrchr(stream_socket_get_name($listener, false), ':'), 1), "\n";
    $socket = stream_socket_accept($listener, 30);
} else {
    $at = 'tcp://127.0.0.1:' . end($argv);
    $socket = stream_socket_client($at, $code, $words, 30, STREAM_CLIENT_CONNECT, $context);
}

if ($role === 'send') {
    foreach (explode(',', $argv[3]) as $size) {
        send($socket, str_repeat("\0", (int) $size));
    }
    send($socket, 'end');
    exit;
}
$width = strlen(pack($format, 0));
while (($header = exactly($socket, $width)) !== '') {
    send($socket, strrev(exactly($socket, unpack($format, $header)[1])));
}
echo "closed\n";

function send($socket, string $message): void
{
    global $format;
    $bytes = pack($format, strlen($message)) . $message;
    for ($sent = 0; $sent < strlen($bytes); $sent += $written) {
        $written = fwrite($socket, substr($bytes, $sent));
        $written ?: exit("not written\n");
    }
}

// fread gives at most 8,192 bytes, and takes no 0.
function exactly($socket, int $count): string
{
    for ($bytes = ''; strlen($bytes) < $count; $bytes .= $part) {
        $part = fread($socket, $count - strlen($bytes));
        if ($part === '' || $part === false) {
            return $bytes === '' ? '' : exit("the stream ended inside a message\n");
        }
    }
    return $bytes;
}

#!/usr/bin/env bash
# Software: OpenJDK 17.0.15 (Debian 12), java.nio DatagramChannel and java.net DatagramSocket.
# Behaviour: a *connected* UDP channel or socket never sends an empty datagram: write, send and
#   the gathering write return 0 (or nothing), without an exception, and nothing leaves the
#   machine. The same call on an unconnected channel or socket does send it.
# A good guess is wrong: connect() on UDP only fixes the address, so one expects the same
#   datagrams; Go, Python, Node and the kernel send the empty one in both cases.
# What a peer does about it: an empty datagram cannot be a keep-alive, an acknowledgement or an
#   end mark where a Java program may be the sender; use one byte. In Java use send() unconnected.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

if ! command -v java >/dev/null || ! java --list-modules | grep -q '^jdk.compiler'; then
    apt-get update -q >/dev/null
    apt-get install -y -q openjdk-17-jdk-headless >/dev/null 2>&1
fi
java -version 2>&1 | head -n 1

cat > "$dir/Empty.java" <<'JAVA'
import java.net.*;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;

public class Empty {
    static DatagramSocket receiver;

    interface Sender { void send() throws Exception; }

    static void check(String name, Sender sender) throws Exception {
        sender.send();
        var packet = new DatagramPacket(new byte[9], 9);
        try {
            receiver.receive(packet);
            System.out.println(name + ": " + packet.getLength() + " bytes arrived");
        } catch (SocketTimeoutException e) {
            System.out.println(name + ": nothing arrived");
        }
    }

    public static void main(String[] args) throws Exception {
        receiver = new DatagramSocket(0, InetAddress.getLoopbackAddress());
        receiver.setSoTimeout(500);
        var to = receiver.getLocalSocketAddress();
        var empty = ByteBuffer.allocate(0);
        var channel = DatagramChannel.open();
        var socket = new DatagramSocket();

        check("channel, unconnected, send", () -> channel.send(empty, to));
        check("socket, unconnected, send", () -> socket.send(new DatagramPacket(new byte[0], 0, to)));
        channel.connect(to);
        socket.connect(to);
        check("channel, connected, write", () -> channel.write(empty));
        check("channel, connected, send", () -> channel.send(empty, to));
        check("channel, connected, gathering write", () -> channel.write(new ByteBuffer[] {empty}));
        check("socket, connected, send", () -> socket.send(new DatagramPacket(new byte[0], 0)));
        check("channel, connected, one byte", () -> channel.write(ByteBuffer.wrap(new byte[1])));
    }
}
JAVA

java "$dir/Empty.java" > "$dir/seen"
cat "$dir/seen"

diff - "$dir/seen" <<'EXPECTED' && echo 'as described'
channel, unconnected, send: 0 bytes arrived
socket, unconnected, send: 0 bytes arrived
channel, connected, write: nothing arrived
channel, connected, send: nothing arrived
channel, connected, gathering write: nothing arrived
socket, connected, send: nothing arrived
channel, connected, one byte: 1 bytes arrived
EXPECTED

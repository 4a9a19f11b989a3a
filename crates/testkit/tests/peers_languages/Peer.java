import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;

/**
 * Answers each message in reverse order: the bytes behind an int or a short, or the characters of
 * a writeUTF: Peer.java utf|int|short listen | connect PORT. Sends strings of spaces, of the given
 * lengths, and the string "end": Peer.java utf send LENGTH,LENGTH connect PORT.
 */
class Peer {
    public static void main(String[] arguments) throws IOException {
        String kind = arguments[0];
        try (Socket socket = socket(arguments)) {
            socket.setTcpNoDelay(true);
            var in = new DataInputStream(new BufferedInputStream(socket.getInputStream()));
            var out = new DataOutputStream(new BufferedOutputStream(socket.getOutputStream()));
            if (arguments[1].equals("send")) {
                send(arguments[2], out);
                return;
            }
            while (true) {
                answer(kind, in, out);
                out.flush();
            }
        } catch (EOFException closed) {
            System.out.println("closed");
        } catch (IOException error) {
            System.out.println(error);
        }
    }

    private static Socket socket(String[] arguments) throws IOException {
        InetAddress here = InetAddress.getByName("127.0.0.1");
        if (!arguments[1].equals("listen")) {
            return new Socket(here, Integer.parseInt(arguments[arguments.length - 1]));
        }
        try (var listener = new ServerSocket(0, 1, here)) {
            System.out.println(listener.getLocalPort());
            return listener.accept();
        }
    }

    private static void send(String lengths, DataOutputStream out) throws IOException {
        for (String length : lengths.split(",")) {
            try {
                out.writeUTF(" ".repeat(Integer.parseInt(length)));
            } catch (IOException error) {
                System.out.println(error.getClass().getName());
            }
        }
        out.writeUTF("end");
        out.flush();
    }

    private static void answer(String kind, DataInputStream in, DataOutputStream out)
            throws IOException {
        if (kind.equals("utf")) {
            out.writeUTF(new StringBuilder(in.readUTF()).reverse().toString());
            return;
        }
        byte[] message = new byte[kind.equals("int") ? in.readInt() : in.readUnsignedShort()];
        in.readFully(message);
        for (int at = 0; at < message.length / 2; at++) {
            int other = message.length - 1 - at;
            byte kept = message[at];
            message[at] = message[other];
            message[other] = kept;
        }
        if (kind.equals("int")) {
            out.writeInt(message.length);
        } else {
            out.writeShort(message.length);
        }
        out.write(message);
    }
}

using System;
using System.IO;
using System.Net;
using System.Net.Sockets;
using System.Text;

/// Answers each string with its characters in reverse order:
/// Peer.exe utf-8|iso-8859-1 listen | connect PORT.
static class Peer
{
    static void Main(string[] arguments)
    {
        var encoding = Encoding.GetEncoding(arguments[0]);
        using (var client = Client(arguments))
        {
            client.NoDelay = true;
            var reader = new BinaryReader(new BufferedStream(client.GetStream()), encoding);
            var writer = new BinaryWriter(new BufferedStream(client.GetStream()), encoding);
            try
            {
                while (true)
                {
                    var characters = reader.ReadString().ToCharArray();
                    Array.Reverse(characters);
                    writer.Write(new string(characters));
                    writer.Flush();
                }
            }
            catch (Exception error)
            {
                Console.WriteLine(error.GetType().Name);
            }
        }
    }

    static TcpClient Client(string[] arguments)
    {
        if (arguments[1] != "listen")
        {
            return new TcpClient("127.0.0.1", int.Parse(arguments[2]));
        }
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start(1);
        Console.WriteLine(((IPEndPoint)listener.LocalEndpoint).Port);
        var client = listener.AcceptTcpClient();
        listener.Stop();
        return client;
    }
}

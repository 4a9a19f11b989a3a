// A peer in Go: client or server. The arguments are those of peer.py, without the kind.
package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"os"
)

const count = 1_000_000

func end(words any) {
	fmt.Println(words)
	os.Exit(0)
}

func must(err error) {
	if err != nil {
		end(err)
	}
}

func pattern() []byte {
	all := make([]byte, count)
	for i := range all {
		all[i] = byte(i % 251)
	}
	return all
}

func config(role, version, ca, cert, key, name string) *tls.Config {
	versions := map[string]uint16{"1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13}
	made := &tls.Config{
		MinVersion: versions[version],
		MaxVersion: versions[version],
		ServerName: name,
		// A client that asks for nothing gets an answer, and so does one that asks for this.
		NextProtos: []string{"socketry/1"},
	}
	if cert != "-" {
		pair, err := tls.LoadX509KeyPair(cert, key)
		must(err)
		if role == "client" {
			// Go sends none where the server names authorities that have not signed it.
			made.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
				return &pair, nil
			}
		} else {
			made.Certificates = []tls.Certificate{pair}
		}
	}
	if ca != "-" {
		text, err := os.ReadFile(ca)
		must(err)
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(text)
		made.RootCAs, made.ClientCAs = pool, pool
		if role == "server" {
			made.ClientAuth = tls.RequireAndVerifyClientCert
		}
	}
	return made
}

func check(data []byte, err error) {
	must(err)
	if !bytes.Equal(data, pattern()) {
		end(fmt.Sprint(len(data), " bytes came, and not the pattern"))
	}
}

func work(job string, socket *tls.Conn) {
	switch job {
	case "echo", "talk":
		_, err := io.Copy(socket, socket)
		must(err)
	case "send":
		_, err := socket.Write(pattern())
		must(err)
	case "sink":
		check(io.ReadAll(socket))
	case "ask":
		// Half-closes, and reads the answer.
		_, err := socket.Write(pattern())
		must(err)
		must(socket.CloseWrite())
		check(io.ReadAll(socket))
	}
	must(socket.Close())
	end("ok")
}

func main() {
	role, version, job, port := os.Args[1], os.Args[2], os.Args[3], os.Args[4]
	made := config(role, version, os.Args[5], os.Args[6], os.Args[7], os.Args[8])
	var socket *tls.Conn
	if role == "client" {
		plain, err := net.Dial("tcp", "127.0.0.1:"+port)
		must(err)
		socket = tls.Client(plain, made)
	} else {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		must(err)
		fmt.Println(listener.Addr().(*net.TCPAddr).Port)
		plain, err := listener.Accept()
		must(err)
		socket = tls.Server(plain, made)
	}
	must(socket.Handshake())
	work(job, socket)
}

"""A peer in plain Python: sync or asyncio, client or server.

peer.py KIND ROLE VERSION JOB PORT CA CERT KEY NAME, where '-' is nothing. It prints a line with its
port as a server, and 'ok' or the error at its end.
"""
import asyncio
import socket
import ssl
import sys

kind, role, version, job, port, ca, cert, key, name = sys.argv[1:10]
COUNT = 1_000_000
PATTERN = (bytes(range(251)) * (COUNT // 251 + 1))[:COUNT]


def context():
    server = role == "server"
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = made.maximum_version = {
        "1.2": ssl.TLSVersion.TLSv1_2,
        "1.3": ssl.TLSVersion.TLSv1_3,
    }[version]
    # As Python 3.13 has it by default.
    made.verify_flags |= ssl.VERIFY_X509_STRICT
    if cert != "-":
        made.load_cert_chain(cert, key)
    if ca != "-":
        made.load_verify_locations(ca)
        if server:
            made.verify_mode = ssl.CERT_REQUIRED
    return made


def check(data):
    assert data == PATTERN, f"{len(data)} bytes came, and not the pattern"


def sync_job(tls):
    if job in ("echo", "talk"):
        while data := tls.recv(65536):
            tls.sendall(data)
    elif job == "send":
        tls.sendall(PATTERN)
    elif job == "sink":
        data = bytearray()
        while more := tls.recv(65536):
            data += more
        check(data)
    # CPython's close sends no close_notify.
    tls.close()


def sync():
    if role == "client":
        plain = socket.create_connection(("127.0.0.1", int(port)))
        sync_job(context().wrap_socket(plain, server_hostname=name))
    else:
        listener = socket.create_server(("127.0.0.1", 0))
        print(listener.getsockname()[1], flush=True)
        plain, _ = listener.accept()
        sync_job(context().wrap_socket(plain, server_side=True))


async def async_job(reader, writer):
    if job in ("echo", "talk"):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    elif job == "send":
        writer.write(PATTERN)
        await writer.drain()
    elif job == "sink":
        check(await reader.read())
    writer.close()
    await writer.wait_closed()


async def asynchronous():
    if role == "client":
        streams = await asyncio.open_connection(
            "127.0.0.1", int(port), ssl=context(), server_hostname=name
        )
        await async_job(*streams)
        return
    done = asyncio.get_running_loop().create_future()

    async def serve(reader, writer):
        try:
            await async_job(reader, writer)
            done.set_result(None)
        except BaseException as error:
            done.set_exception(error)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context())
    print(server.sockets[0].getsockname()[1], flush=True)
    await done


try:
    sync() if kind == "sync" else asyncio.run(asynchronous())
    print("ok", flush=True)
except Exception as error:
    print(type(error).__name__, error, flush=True)

"""A client of SMPP at the port of its argument: it sends one text, and ends in order."""
import sys

from smpplib.client import Client
from smpplib.consts import SMPP_ENCODING_ISO10646

client = Client("127.0.0.1", int(sys.argv[1]))
client.connect()
client.bind_transceiver(system_id="user", password="word")
client.send_message(
    source_addr="1",
    destination_addr="2",
    data_coding=SMPP_ENCODING_ISO10646,
    short_message="größe".encode("utf-16-be"),
)
client.read_once()
client.unbind()
client.disconnect()

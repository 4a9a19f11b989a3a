"""A client of AMQP at the port of its argument: it publishes two messages."""
import sys

import pika

parameters = pika.ConnectionParameters("127.0.0.1", int(sys.argv[1]), heartbeat=0)
connection = pika.BlockingConnection(parameters)
channel = connection.channel()
channel.basic_publish("", "queue", b"x" * 10_000)
channel.basic_publish("", "queue", b"")
connection.close()

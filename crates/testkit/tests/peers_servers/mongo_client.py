"""A client of MongoDB at the port of its argument: it sends one command, and prints the answer."""
import sys

from pymongo import MongoClient

client = MongoClient("127.0.0.1", int(sys.argv[1]), directConnection=True)
print(client.admin.command("echo", "größe" * 1000)["text"])

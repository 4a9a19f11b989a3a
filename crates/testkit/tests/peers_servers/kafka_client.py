"""A client of Kafka at the port of its argument: it prints the partitions of a topic."""
import sys

from kafka import KafkaProducer

producer = KafkaProducer(bootstrap_servers="127.0.0.1:" + sys.argv[1])
print(sorted(producer.partitions_for("parts")))

"""A program that a browser would start: it answers each message with its length."""
from nativemessaging import get_message, send_message

while (message := get_message()) is not None:
    send_message(len(message))

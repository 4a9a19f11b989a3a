"""A varlink service at the port of its argument: it answers with the text that it was sent."""
import os
import sys

import varlink

here = sys.argv[2]
with open(os.path.join(here, "org.example.echo.varlink"), "w") as interface:
    interface.write("interface org.example.echo\nmethod Echo(text: string) -> (text: string)\n")
service = varlink.Service(
    vendor="example", product="echo", version="1", url="http://echo.example", interface_dir=here
)


class Handler(varlink.RequestHandler):
    service = service


@service.interface("org.example.echo")
class Echo:
    def Echo(self, text):
        return {"text": text}


with varlink.ThreadingServer("tcp:127.0.0.1:" + sys.argv[1], Handler) as server:
    server.serve_forever()

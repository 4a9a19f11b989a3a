"""Two pages in headless Chromium and a script of Python talk in one chat; what each shows is printed.

Usage: browsers.py CHROMIUM PAGE_URL WS_URL FOLDER. Each line of standard input is a step, and each
answer is one line of JSON:

    open NAME          a page with that user name, typed by keyboard
    type NAME TEXT     the user types a text and Enter
    python TEXT        the script says a text
    wait NAME TEXT     until the page shows TEXT; answers all that it shows
    heard TEXT         until the script got TEXT; answers its frames
    state NAME TEXT    until the page says that about its connection
    shot NAME FILE     a picture of the page
    dark NAME          from now on the page is dark
    problems NAME      what the browser complained about: scripts, policies, requests
"""

import asyncio
import json
import os
import sys
from urllib.request import Request, urlopen

from websockets.asyncio.client import connect

CHROMIUM, PAGE, SOCKET, FOLDER = sys.argv[1:]


class Page:
    async def open(self, port, name):
        self.ids, self.answers, self.problems = 0, {}, []
        new = Request(f"http://127.0.0.1:{port}/json/new?about:blank", method="PUT")
        target = json.loads(await asyncio.to_thread(lambda: urlopen(new, timeout=60).read()))
        self.ws = await connect(target["webSocketDebuggerUrl"], max_size=None)
        self.task = asyncio.create_task(self.listen())
        for domain in ["Page", "Runtime", "Log", "Network"]:
            await self.call(f"{domain}.enable")
        await self.call("Emulation.setDeviceMetricsOverride",
                        width=560, height=360, deviceScaleFactor=1, mobile=False)
        await self.call("Page.navigate", url=PAGE)
        await self.until("document.querySelector('#state')?.textContent === 'connected'")
        await self.call("Page.bringToFront")
        # By keyboard alone: the message has the focus, and the name stands before it.
        await self.key("Tab", "Tab", 9, modifiers=8)
        await self.call("Input.insertText", text=name)
        await self.key("Tab", "Tab", 9)

    async def listen(self):
        async for text in self.ws:
            message = json.loads(text)
            if "id" in message:
                self.answers.pop(message["id"]).set_result(message)
            elif message["method"] in ("Runtime.exceptionThrown", "Log.entryAdded"):
                self.problems.append(json.dumps(message["params"]))

    async def call(self, method, **params):
        self.ids += 1
        self.answers[self.ids] = future = asyncio.get_running_loop().create_future()
        await self.ws.send(json.dumps({"id": self.ids, "method": method, "params": params}))
        answer = await asyncio.wait_for(future, 60)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    async def value(self, script):
        answer = await self.call("Runtime.evaluate", expression=script, returnByValue=True)
        return answer["result"].get("value")

    async def until(self, script):
        while not await self.value(script):
            await asyncio.sleep(0.05)

    async def key(self, key, code, number, modifiers=0, **more):
        for kind in ["keyDown", "keyUp"]:
            await self.call("Input.dispatchKeyEvent", type=kind, key=key, code=code,
                            windowsVirtualKeyCode=number, modifiers=modifiers, **more)

    async def type(self, text):
        # A page behind another gets no keys.
        await self.call("Page.bringToFront")
        await self.call("Input.insertText", text=text)
        await self.key("Enter", "Enter", 13, text="\r")

    async def wait(self, text):
        shown = "document.querySelector('#log').innerText"
        await self.until(f"{shown}.includes({json.dumps(text)})")
        return await self.value(f"[...document.querySelectorAll('#log li')].map(li => li.innerText)")


async def main():
    # The test ends this group: the browser starts processes of its own.
    os.setpgrp()
    browser = await asyncio.create_subprocess_exec(
        CHROMIUM, "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0",
        f"--user-data-dir={FOLDER}", "about:blank",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE)
    async for line in browser.stderr:
        if b"DevTools listening on " in line:
            port = int(line.split(b"127.0.0.1:")[1].split(b"/")[0])
            break
    draining = asyncio.create_task(browser.stderr.read())
    await steps(port)
    draining.cancel()


async def steps(port):
    pages, heard = {}, []
    script = await connect(SOCKET)

    async def hear():
        async for message in script:
            # Four bytes with its length stand before each object.
            heard.append(json.loads(message[4:]))

    hearing = asyncio.create_task(hear())
    loop = asyncio.get_running_loop()
    while line := (await loop.run_in_executor(None, sys.stdin.readline)).rstrip("\n"):
        verb, _, rest = line.partition(" ")
        name, _, text = rest.partition(" ")
        answer = True
        if verb == "open":
            pages[name] = Page()
            await pages[name].open(port, name)
        elif verb == "type":
            await pages[name].type(text)
        elif verb == "wait":
            answer = await asyncio.wait_for(pages[name].wait(text), 60)
        elif verb == "python":
            said = json.dumps({"from": "script", "text": rest}).encode()
            await script.send(len(said).to_bytes(4, "little") + said)
        elif verb == "heard":
            async with asyncio.timeout(60):
                while not any(one.get("text") == rest for one in heard):
                    await asyncio.sleep(0.05)
            answer = [f"{one.get('from')}: {one.get('text')}" for one in heard]
        elif verb == "dark":
            await pages[name].call("Emulation.setEmulatedMedia", media="", features=[
                {"name": "prefers-color-scheme", "value": "dark"}])
        elif verb == "state":
            state = "document.querySelector('#state').textContent"
            await asyncio.wait_for(pages[name].until(f"{state} === {json.dumps(text)}"), 60)
        elif verb == "problems":
            answer = pages[name].problems
        elif verb == "shot":
            import base64
            shot = await pages[name].call("Page.captureScreenshot", format="png")
            with open(text, "wb") as file:
                file.write(base64.b64decode(shot["data"]))
        print(json.dumps(answer), flush=True)
    hearing.cancel()
    await script.close()


asyncio.run(main())

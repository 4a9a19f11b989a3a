-- Answers each message with its bytes in reverse order, as string.pack writes FORMAT (s1, s2, …):
--   lua_peer.lua FORMAT listen | connect PORT
local socket = require "socket"

local format, role, port = arg[1], arg[2], tonumber(arg[3])
local width = string.packsize("=I" .. format:sub(2))
local peer
if role == "listen" then
    local listener = assert(socket.bind("127.0.0.1", 0))
    local _, chosen = listener:getsockname()
    print(chosen)
    io.flush()
    peer = assert(listener:accept())
else
    peer = assert(socket.connect("127.0.0.1", port))
end
peer:setoption("tcp-nodelay", true)

-- receive(0) would wait for the next byte.
local function exactly(count)
    if count == 0 then
        return ""
    end
    return peer:receive(count)
end

while true do
    local header, reason = exactly(width)
    if not header then
        print(reason)
        break
    end
    local length = string.unpack("=I" .. width, header)
    local message = string.unpack(format, header .. assert(exactly(length)))
    assert(peer:send(string.pack(format, message:reverse())))
end
peer:close()

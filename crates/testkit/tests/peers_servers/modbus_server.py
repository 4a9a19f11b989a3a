"""A Modbus server at the port of its argument: a unit with 200 registers of the value 7."""
import asyncio
import sys

from pymodbus.server import StartAsyncTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

registers = SimData(0, count=200, values=7, datatype=DataType.REGISTERS)
unit = SimDevice(1, simdata=[registers])
asyncio.run(StartAsyncTcpServer(unit, address=("127.0.0.1", int(sys.argv[1]))))

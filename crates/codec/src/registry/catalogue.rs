//! The wires of others, by name: what each is made of, its limits, and where it is defined.

use super::standard::set;
use super::{CodecRegistry, Parameters};
use crate::limits::DEFAULT_MAX_FRAME;
use crate::{
    BoxCodec, Cobs, ContentLength, Ending, JsonSeq, Layout, LayoutCodec, Line, Slip, SpecError,
    Syslog,
};

/// A framing of a protocol of others, under its name in a [`CodecRegistry`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Wire {
    /// Its name.
    pub name: &'static str,
    /// The bytes of a frame.
    pub form: Form,
    /// The longest frame in bytes that is received, unless a limit is given.
    pub max_frame: usize,
    /// The longest frame in bytes that is sent, where the peer takes less than it sends.
    pub max_sent: usize,
    /// The shortest frame in bytes that is sent, where the peer takes no shorter one.
    pub min_sent: usize,
    /// The document that defines it.
    pub source: &'static str,
    /// What its user must know.
    pub note: &'static str,
    /// The programs that it was held against, with their versions.
    pub proved: &'static [&'static str],
}

/// The bytes of a frame.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Form {
    /// The text of a [`Layout`].
    Layout(&'static str),
    /// [`ContentLength`].
    ContentLength,
    /// [`Line`] with this ending.
    Line(Ending),
    /// [`Syslog`].
    Syslog,
    /// [`JsonSeq`].
    JsonSeq,
    /// [`Slip`].
    Slip,
    /// [`Cobs`].
    Cobs,
}

const fn wire(name: &'static str, layout: &'static str) -> Wire {
    Wire {
        name,
        form: Form::Layout(layout),
        max_frame: DEFAULT_MAX_FRAME,
        max_sent: usize::MAX,
        min_sent: 0,
        source: "",
        note: "",
        proved: &[],
    }
}

const fn own(name: &'static str, form: Form) -> Wire {
    Wire {
        form,
        ..wire(name, "")
    }
}

const fn headers(name: &'static str) -> Wire {
    own(name, Form::ContentLength)
}

const fn lines(name: &'static str, ending: Ending) -> Wire {
    own(name, Form::Line(ending))
}

impl Wire {
    const fn at_most(self, max_frame: usize) -> Wire {
        Wire { max_frame, ..self }
    }

    const fn sends(self, min_sent: usize, max_sent: usize) -> Wire {
        Wire {
            min_sent,
            max_sent,
            ..self
        }
    }

    const fn defined(self, source: &'static str, note: &'static str) -> Wire {
        Wire {
            source,
            note,
            ..self
        }
    }

    /// Names the programs that a live test holds it against.
    const fn proved(self, proved: &'static [&'static str]) -> Wire {
        Wire { proved, ..self }
    }

    /// What stands before the colon.
    fn family(&self) -> &'static str {
        self.name.split(':').next().unwrap_or(self.name)
    }

    fn build(&self, parameters: &mut Parameters<'_>) -> Result<BoxCodec, SpecError> {
        let max_frame = parameters.max_frame().unwrap_or(self.max_frame);
        match self.form {
            Form::Slip => Ok(Slip::new().max_frame(max_frame).into()),
            Form::Cobs => Ok(Cobs::new().max_frame(max_frame).into()),
            Form::ContentLength => {
                let codec = ContentLength::new().max_frame(max_frame);
                Ok(set(codec, parameters.max_discard(), ContentLength::max_discard).into())
            }
            Form::Syslog => {
                let codec = Syslog::new().max_frame(max_frame);
                let codec = set(codec, parameters.max_discard(), Syslog::max_discard);
                Ok(set(codec, parameters.keep_last(), Syslog::keep_last).into())
            }
            Form::JsonSeq => {
                let codec = JsonSeq::new().max_frame(max_frame);
                Ok(set(codec, parameters.max_discard(), JsonSeq::max_discard).into())
            }
            Form::Line(ending) => {
                let codec = Line::ending(ending).max_frame(max_frame);
                let codec = codec.min_sent(self.min_sent);
                let codec = set(codec, parameters.max_discard(), Line::max_discard);
                Ok(set(codec, parameters.keep_last(), Line::keep_last).into())
            }
            Form::Layout(text) => {
                let layout: Layout = text.parse().map_err(|error| parameters.refused(error))?;
                let codec = layout.codec().max_frame(max_frame);
                let codec = codec.max_sent(self.max_sent).min_sent(self.min_sent);
                Ok(set(codec, parameters.max_discard(), LayoutCodec::max_discard).into())
            }
        }
    }
}

const NATIVE: &str = "In the order of this machine.";
const LUA: &[&str] = &["Lua 5.4.4"];

/// All of them, in families.
pub const WIRES: &[Wire] = &[
    headers("content-length").defined(
        "RFC 9110, section 8.6, as a frame of its own",
        "Header lines, of which one says the length of the payload.",
    )
    .proved(&["vscode-jsonrpc 10.0.0"]),
    headers("lsp").defined(
        "Language Server Protocol 3.17, base protocol",
        "JSON-RPC in UTF-8. Servers differ in the headers that they understand: clangd and pylsp \
         want the case of letters that this one writes.",
    )
    .proved(&["clangd 14.0.6", "pylsp 1.15.0", "vscode-jsonrpc 10.0.0"]),
    headers("dap").defined(
        "Debug Adapter Protocol, base protocol",
        "JSON in UTF-8, with a `seq` of its own.",
    )
    .proved(&["debugpy 1.8.22"]),
    wire("native-messaging", "=I")
        .at_most(67_108_864)
        .sends(0, 1_048_576)
        .defined(
            "Chrome, native messaging",
            "A program that a browser started: it receives at most 64 MiB and sends at most 1 MiB.",
        )
        .proved(&["nativemessaging-ng 1.3.3"]),
    wire("netstring", "digits,0x3a,data,0x2c").defined(
        "D. J. Bernstein, Netstrings (1997)",
        "Zeros before the length are read, though the text forbids them. Twisted takes 99,999 bytes \
         at most unless its program says otherwise, and no zeros in front.",
    )
    .proved(&["Twisted 26.10.0"]),
    wire("octet-counting", "digits,0x20").sends(1, usize::MAX).defined(
        "RFC 6587, section 3.4.1",
        "Syslog over TCP or TLS, where each message says its length. The count may include a line \
         feed of the sender's. No empty messages: rsyslog would take the next ones for a line.",
    )
    .proved(&["rsyslog 8.2302.0", "syslog-ng 3.38.1"]),
    own("syslog", Form::Syslog).sends(1, usize::MAX).defined(
        "RFC 6587, sections 3.4.1 and 3.4.2",
        "Reads counted messages and lines, each told by its first bytes: digits, a space and `<` \
         are a count. Sends counted ones, which begin with `<`. Over UDP a message has no count: \
         take `raw` there.",
    )
    .proved(&[
        "rsyslog 8.2302.0",
        "syslog-ng 3.38.1",
        "logger of util-linux 2.38.1",
        "CPython 3.11 SysLogHandler",
        "Perl 5.36 Sys::Syslog",
    ]),
    own("json-seq", Form::JsonSeq).sends(1, usize::MAX).defined(
        "RFC 7464",
        "A text is given out at its line feed. One that is cut is an error, and the next is found.",
    )
    .proved(&["jq 1.6"]),
    lines("ndjson", Ending::LF).sends(1, usize::MAX).defined(
        "ndjson-spec 1.0.0",
        "A JSON text in each line, which `\\r\\n` ends too. Readers differ about empty lines, so none \
         is sent.",
    ),
    lines("varlink", Ending::byte(0)).sends(1, usize::MAX).defined(
        "varlink, interface definition and protocol",
        "A JSON object, and NUL. Some services close the connection at an empty message, so none is \
         sent.",
    )
    .proved(&["varlink 31.0.0 (Python)"]),
    wire("dns-tcp", ">H").sends(1, usize::MAX).defined(
        "RFC 1035, section 4.2.2; RFC 7766",
        "Servers close the connection at an empty message, so none is sent.",
    )
    .proved(&["dnsmasq 2.90", "unbound 1.17.1"]),
    wire("mqtt", "1x,varint4").defined(
        "MQTT 3.1.1 and 5.0, section 2.1",
        "Whole packets. A remaining length in a longer form is read, and not written.",
    )
    .proved(&["mosquitto 2.0.11"]),
    wire("postgres", "1x,>I=itself").defined(
        "PostgreSQL, message flow and formats (protocol 3.0)",
        "Whole messages, but the first ones of a client: see postgres-startup.",
    )
    .proved(&["PostgreSQL 15"]),
    wire("postgres-startup", ">I=frame,4x").at_most(10_004).defined(
        "PostgreSQL, message flow and formats (protocol 3.0)",
        "A client's messages without a type: startup, cancel, and requests for encryption, which \
         the server answers with one byte and no frame (`Framed::body` of 1).",
    )
    .proved(&["PostgreSQL 15"]),
    wire("mongodb", "<i=frame,12x").at_most(48_000_000).defined(
        "MongoDB wire protocol, standard message header",
        "Whole messages.",
    )
    .proved(&["pymongo 4.20.1"]),
    wire("kafka", ">i").at_most(104_857_600).defined(
        "Apache Kafka protocol, common request and response structure",
        "The limit is the broker's default, socket.request.max.bytes.",
    )
    .proved(&["kafka-python 3.0.12"]),
    wire("smpp", ">I=frame,12x").defined("SMPP 3.4, section 3.2", "Whole PDUs.")
        .proved(&["smpplib 2.2.4"]),
    wire("amqp", "3x,>I,data,0xce").defined(
        "AMQP 0-9-1, section 4.2.3",
        "Whole frames. A client sends eight bytes before the first one: AMQP, 0, 0, 9, 1.",
    )
    .proved(&["pika 1.4.4"]),
    wire("tpkt", "0x0300,>H=frame").defined(
        "RFC 1006, section 6",
        "The reserved byte must be 0.",
    )
    .proved(&["python-snap7 3.3.0"]),
    wire("modbus-tcp", "2x,0x0000,>H=rest,1x").at_most(260).defined(
        "MODBUS Messaging on TCP/IP Implementation Guide 1.0b, section 3.1",
        "Whole units, with transaction and unit identifiers. Send one request at a time: pymodbus \
         drops those that arrive together with another one.",
    )
    .proved(&["pymodbus 3.16.1"]),
    wire("diameter", "0x01,>u24=frame,16x").defined("RFC 6733, section 3", "Whole messages.")
        .proved(&["freeDiameter 1.2.1"]),
    wire("bgp", "0xffffffffffffffffffffffffffffffff,>H=frame,1x").at_most(4_096).defined(
        "RFC 4271, section 4.1",
        "Whole messages. RFC 8654 raises the limit to 65,535.",
    )
    .proved(&["BIRD 2.0.12", "ExaBGP 5.0.15"]),
    wire("grpc", "1x,>I").at_most(4_194_309).defined(
        "gRPC over HTTP2, length-prefixed message",
        "Whole messages, inside the data of an HTTP/2 stream. Their default limit is 4 MiB.",
    )
    .proved(&["grpcio 1.85.3"]),
    wire("http2", ">u24,6x").at_most(16_393).defined(
        "RFC 9113, section 4.1",
        "Whole frames of up to 16,384 bytes of payload. A client sends its preface before them.",
    )
    .proved(&["nghttpd 1.52.0", "grpcio 1.85.3"]),
    wire("erlang:1", "B").defined(
        "Erlang/OTP, gen_tcp, {packet, 1}",
        "Erlang closes the connection after a frame that is too long for it, and writes the lowest \
         8 bits of a longer length.",
    )
    .proved(&["Erlang/OTP 25"]),
    wire("erlang:2", ">H").defined(
        "Erlang/OTP, gen_tcp, {packet, 2}",
        "Erlang writes the lowest 16 bits of a longer length: send no message of 65,536 bytes or \
         more from there.",
    )
    .proved(&["Erlang/OTP 25"]),
    wire("erlang:4", ">I")
        .defined(
            "Erlang/OTP, gen_tcp, {packet, 4}",
            "Erlang takes messages below 2 GiB, or those that its packet_size allows, and closes the \
             connection at a longer one.",
        )
        .proved(&["Erlang/OTP 25"]),
    wire("dotnet-string", "varint5").defined(
        ".NET, BinaryWriter.Write(String)",
        "A string in the writer's encoding, UTF-8 by default.",
    )
    .proved(&["Mono 6.8.0.105"]),
    wire("multiprocessing", ">i>Q").defined(
        "CPython, multiprocessing.connection.Connection",
        "On sockets and pipes, not on Windows' named pipes. Its `recv_bytes` takes any length, if \
         none is given; the messages of authentication have at most 256 bytes. A message that is \
         cut behind its length is a clean end for it.",
    )
    .proved(&["CPython 3.11"]),
    wire("java-utf", ">H").defined(
        "Java, DataOutput.writeUTF",
        "The payload is modified UTF-8: NUL has two bytes, and a character above U+FFFF six. Java \
         fails at UTF-8 of four bytes.",
    )
    .proved(&["OpenJDK 17"]),
    wire("lua:s1", "B").defined("Lua 5.4, string.pack", "").proved(LUA),
    wire("lua:s2", "=H").defined("Lua 5.4, string.pack", NATIVE).proved(LUA),
    wire("lua:s4", "=I").defined("Lua 5.4, string.pack", NATIVE).proved(LUA),
    wire("lua:s8", "=Q")
        .defined(
            "Lua 5.4, string.pack",
            "In the order of this machine. Plain `s` is this one where size_t has 8 bytes.",
        )
        .proved(LUA),
    own("slip", Form::Slip).sends(1, usize::MAX).defined(
        "RFC 1055",
        "With a checksum: slip+crc16:ibm-sdlc. An empty frame cannot be told from a pause.",
    )
    .proved(&["sliplib 0.7.2"]),
    own("cobs", Form::Cobs).defined(
        "S. Cheshire, M. Baker, Consistent Overhead Byte Stuffing (1999)",
        "With a checksum: cobs+crc32:iso-hdlc. A frame that ends with a run of 254 bytes has two \
         forms: both are read, the shorter one is written.",
    )
    .proved(&["cobs 1.2.2"]),
];

/// `codecs`, and all wires.
pub(super) fn with(codecs: CodecRegistry) -> CodecRegistry {
    WIRES.iter().fold(codecs, |codecs, wire| {
        let family = wire.family();
        codecs.with(family, move |parameters| build(family, parameters))
    })
}

/// The wire of a family that the text behind the colon names.
fn build(family: &str, parameters: &mut Parameters<'_>) -> Result<BoxCodec, SpecError> {
    let all = || WIRES.iter().filter(|wire| wire.family() == family);
    if let Some(wire) = all().find(|wire| wire.name == family) {
        return wire.build(parameters);
    }
    let text: String = parameters.text()?;
    match all().find(|wire| wire.name == format!("{family}:{text}")) {
        Some(wire) => wire.build(parameters),
        None => {
            let names: Vec<_> = all().map(|wire| wire.name).collect();
            Err(parameters.refused(format_args!("there are {}", names.join(", "))))
        }
    }
}

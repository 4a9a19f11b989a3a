//! Whether a frame can be one of a protocol, by the few bytes that its standard fixes.

/// What a frame says for the protocol, in bits; `None` if it cannot be one of it. The arguments are
/// the frame, and all bytes that it takes.
pub(super) type Content = fn(&[u8], &[u8]) -> Option<f64>;

/// The rule of a wire. Without one, every frame can be of it.
pub(super) fn of(wire: &str) -> Content {
    match wire {
        "amqp" => |frame, _| one_of(frame, 0, &[1, 2, 3, 8]),
        "bgp" => |frame, _| one_of(frame, 18, &[1, 2, 3, 4, 5]),
        "dap" => |frame, _| json_with(frame, &["\"seq\"", "\"type\""]),
        "diameter" => |frame, _| bits(frame.get(4)? & 0x0f == 0, 4.0),
        "dns-tcp" => |frame, _| dns(frame),
        "grpc" => |frame, _| one_of(frame, 0, &[0, 1]),
        "http2" => |frame, _| http2(frame),
        "java-utf" | "dotnet-string" => |frame, _| bits(is_text(frame), 0.0),
        // Behind each other values of JSON have no delimiter that could speak for anything.
        "json:bare" => |frame, _| Some(json_with(frame, &[])? / 2.0),
        "line" => |frame, _| line(frame),
        "line:crlf" => |frame, wire| bits(wire.ends_with(b"\r\n"), line(frame)? + 1.0),
        "native-messaging" => native_messaging,
        "ndjson" => |frame, _| json_with(frame, &[]),
        "lsp" => |frame, _| json_with(frame, &["\"jsonrpc\""]),
        "mongodb" => |frame, _| mongodb(frame),
        "mqtt" => |frame, _| mqtt(frame),
        "multiprocessing" => |frame, _| multiprocessing(frame),
        "postgres" => |frame, _| one_of(frame, 0, POSTGRES),
        "postgres-startup" => |frame, _| postgres_startup(frame),
        "smpp" => |frame, _| smpp(frame),
        "octet-counting" => |frame, _| Some(if is_syslog(frame) { 16.0 } else { 0.0 }),
        // It reads lines too, and so any text.
        "syslog" => |frame, _| bits(is_syslog(frame), 16.0),
        "varlink" => |frame, _| json_with(frame, &[]),
        _ => |_, _| Some(0.0),
    }
}

/// The types of PostgreSQL's messages, of both sides.
const POSTGRES: &[u8] = b"123ABCDEFGHIKNQPRSTVWXZacdfnpstv";

fn bits(can_be: bool, bits: f64) -> Option<f64> {
    can_be.then_some(bits)
}

/// Whether a byte is one of few.
fn one_of(frame: &[u8], at: usize, all: &[u8]) -> Option<f64> {
    let few = 8.0 - (all.len() as f64).log2();
    bits(all.contains(frame.get(at)?), few)
}

fn word(frame: &[u8], at: usize) -> Option<[u8; 4]> {
    frame.get(at..at + 4)?.try_into().ok()
}

/// Text without control characters but those that move.
fn is_text(frame: &[u8]) -> bool {
    let control = |character: char| character.is_control() && !"\t\r\n\x1b".contains(character);
    str::from_utf8(frame).is_ok_and(|text| !text.contains(control))
}

/// Text, in an encoding that is a superset of ASCII.
fn line(frame: &[u8]) -> Option<f64> {
    let text = frame
        .iter()
        .all(|byte| !byte.is_ascii_control() || b"\t\r\x1b".contains(byte));
    bits(text, if is_text(frame) { 1.0 } else { 0.0 })
}

/// JSON by its looks: an object or array in UTF-8, with these words in it.
fn json_with(frame: &[u8], words: &[&str]) -> Option<f64> {
    let text = str::from_utf8(frame).ok()?.trim();
    let looks = matches!(
        (text.chars().next()?, text.chars().last()?),
        ('{', '}') | ('[', ']')
    );
    let all = words.iter().all(|word| text.contains(word));
    bits(looks && all, 16.0 + 16.0 * words.len() as f64)
}

/// Any value of JSON, for which it mostly is an object.
fn native_messaging(frame: &[u8], _: &[u8]) -> Option<f64> {
    let first = *str::from_utf8(frame).ok()?.trim().as_bytes().first()?;
    let scalar = b"\"tfn-0123456789".contains(&first).then_some(4.0);
    json_with(frame, &[]).or(scalar)
}

/// RFC 1035, section 4.1.1: an opcode, one question, and few records.
fn dns(frame: &[u8]) -> Option<f64> {
    let header: [u8; 12] = frame.get(..12)?.try_into().ok()?;
    let opcode = (header[2] >> 3) & 0x0f;
    let questions = u16::from_be_bytes([header[4], header[5]]);
    let records = header[6..]
        .chunks(2)
        .map(|count| usize::from(count[0]) * 256 + usize::from(count[1]));
    let fit = records.sum::<usize>() * 11 + 12 <= frame.len();
    bits(
        opcode <= 6 && questions <= 1 && fit && header[3] & 0x40 == 0,
        24.0,
    )
}

/// RFC 9113, section 4.1: types up to ORIGIN (RFC 8336), and a reserved bit.
fn http2(frame: &[u8]) -> Option<f64> {
    bits(*frame.get(3)? <= 0x0c && frame.get(5)? & 0x80 == 0, 5.0)
}

/// The operations of MongoDB's wire protocol, of which most are of earlier versions.
fn mongodb(frame: &[u8]) -> Option<f64> {
    let operation = u32::from_le_bytes(word(frame, 12)?);
    bits(matches!(operation, 1 | 2001..=2007 | 2010..=2013), 28.0)
}

/// MQTT 5.0, section 2.1.3: flags are reserved, but those of PUBLISH.
fn mqtt(frame: &[u8]) -> Option<f64> {
    let first = *frame.first()?;
    let can_be = match (first >> 4, first & 0x0f) {
        (0, _) => false,
        (3, flags) => flags & 0x06 != 0x06,
        (6 | 8 | 10, flags) => flags == 2,
        (_, flags) => flags == 0,
    };
    bits(can_be, 3.0)
}

/// CPython's `multiprocessing.connection`: a pickle of protocol 2 to 5, or the exchange of keys.
fn multiprocessing(frame: &[u8]) -> Option<f64> {
    let pickle = matches!(frame, [0x80, 2..=5, .., b'.']);
    let exchange = [&b"#CHALLENGE#"[..], b"#WELCOME#", b"#FAILURE#"];
    let exchanged = exchange.iter().any(|begin| frame.starts_with(begin));
    Some(if pickle || exchanged { 16.0 } else { 0.0 })
}

/// Protocol 3, or a request for encryption or a cancel.
fn postgres_startup(frame: &[u8]) -> Option<f64> {
    let code = u32::from_be_bytes(word(frame, 4)?);
    let asks = matches!(code, 80_877_102..=80_877_104);
    bits(asks || code >> 16 == 3, 15.0)
}

/// SMPP 5.0, section 4.7.5: the identifiers of commands.
fn smpp(frame: &[u8]) -> Option<f64> {
    let command = u32::from_be_bytes(word(frame, 4)?) & 0x7fff_ffff;
    bits(command <= 0x0200, 20.0)
}

/// RFC 5424, section 6.2.1: a priority of one to three digits in angle brackets.
fn is_syslog(frame: &[u8]) -> bool {
    let end = frame.iter().take(5).position(|byte| *byte == b'>');
    let Some(end @ 2..) = end else {
        return false;
    };
    frame[0] == b'<' && frame[1..end].iter().all(u8::is_ascii_digit)
}

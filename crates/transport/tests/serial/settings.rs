//! Settings: their text in a URL, what a device takes of them, and the old ones afterwards.

use proptest::prelude::*;
use rustix::termios::SpecialCodeIndex;
use socketry_transport::{
    Endpoint, ErrorKind, Half, SerialAccept, SerialFlow, SerialParity, SerialSettings,
};

use crate::pty::{Pty, modes};

fn any() -> impl Strategy<Value = SerialSettings> {
    let parity = prop_oneof![
        Just(SerialParity::None),
        Just(SerialParity::Odd),
        Just(SerialParity::Even),
        Just(SerialParity::Mark),
        Just(SerialParity::Space),
    ];
    let flow = prop_oneof![
        Just((SerialFlow::None, None)),
        Just((SerialFlow::Software, Some(true))),
        Just((SerialFlow::None, Some(false))),
        Just((SerialFlow::Hardware, None)),
    ];
    let accept = prop_oneof![Just(SerialAccept::Open), Just(SerialAccept::Data)];
    let dtr = proptest::option::of(proptest::bool::ANY);
    let line = (1..=u32::MAX, 5..=8_u8, parity, 1..=2_u8);
    (line, flow, dtr, proptest::bool::ANY, accept).prop_map(
        |((baud, data_bits, parity, stop_bits), (flow, rts), dtr, exclusive, accept)| {
            SerialSettings {
                baud,
                data_bits,
                parity,
                stop_bits,
                flow,
                dtr,
                rts,
                exclusive,
                accept,
            }
        },
    )
}

proptest! {
    #[test]
    fn settings_survive_their_text(settings in any(), base in any()) {
        let at: Endpoint = "serial:///dev/ttyUSB0".parse().unwrap();
        let written = settings.added_to(at);
        let text = written.to_string();
        let read = text.parse::<Endpoint>().unwrap();
        prop_assert_eq!(&SerialSettings::default().resolve(&read).unwrap(), &settings);
        // Without a query they are those of the transport.
        prop_assert_eq!(&base.resolve(&read.without_query()).unwrap(), &base);
        let json = serde_json::to_string(&settings).unwrap();
        prop_assert_eq!(serde_json::from_str::<SerialSettings>(&json).unwrap(), settings);
    }

    #[test]
    fn no_text_of_a_setting_panics(key in "[a-z_]{1,9}", value in "\\PC{0,12}") {
        let at: Endpoint = "serial:///dev/ttyUSB0".parse().unwrap();
        for key in [&*key, "baud", "data_bits", "parity", "flow", "dtr"] {
            let _ = SerialSettings::default().resolve(&at.clone().with(key, &value));
        }
    }
}

#[test]
fn a_setting_that_does_not_fit_is_refused_with_those_that_do() {
    for (query, words) in [
        ("baud=0", "from 1 to 4294967295"),
        ("baud=4294967296", "from 1 to 4294967295"),
        ("baud=+9600", "from 1 to 4294967295"),
        ("baud=fast", "from 1 to 4294967295"),
        ("data_bits=9", "5, 6, 7 or 8"),
        ("data_bits=4", "5, 6, 7 or 8"),
        ("stop_bits=0", "1 or 2"),
        ("stop_bits=1.5", "1 or 2"),
        ("parity=E", "none, odd, even, mark or space"),
        ("flow=rtscts", "none, hardware or software"),
        ("accept=now", "open or data"),
        ("dtr=on", "true or false"),
        ("flow=hardware&rts=true", "the device itself sets rts"),
        ("baud=9600&baud=9600", "given twice"),
        ("speed=9600", "serial takes baud, data_bits"),
    ] {
        let at: Endpoint = format!("serial:///dev/ttyS0?{query}").parse().unwrap();
        let error = SerialSettings::default().resolve(&at).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidOption, "{query}");
        let text = error.to_string();
        assert!(text.contains(words), "{query}: {text}");
    }
    let wrong = SerialSettings {
        data_bits: 12,
        ..SerialSettings::default()
    };
    let error = wrong.resolve(&"serial:///dev/ttyS0".parse().unwrap());
    assert!(error.unwrap_err().to_string().contains("5, 6, 7 or 8"));
}

#[tokio::test]
async fn a_device_has_what_was_asked_for_and_its_old_settings_afterwards() {
    let pty = Pty::new();
    let before = modes(&pty.termios());
    for query in [
        "",
        "?baud=9600",
        "?baud=123456&stop_bits=2",
        "?baud=1",
        "?baud=4294967295&flow=hardware",
        "?flow=software",
    ] {
        let socket = pty.open(query).await;
        assert_ne!(modes(&pty.termios()), before, "{query}");
        let at: Endpoint = format!("{}{query}", pty.url()).parse().unwrap();
        let asked = SerialSettings::default().resolve(&at).unwrap();
        assert_eq!(socket.info().get(), Some(&asked));
        assert_eq!(pty.termios().output_speed(), asked.baud);
        drop(socket);
        assert_eq!(modes(&pty.termios()), before, "{query}");
    }
}

/// A program before may have set other bytes, as with `stty start undef stop ^A`.
#[tokio::test]
async fn software_flow_has_its_two_bytes_and_the_old_ones_come_back() {
    let pty = Pty::new();
    let codes = || {
        let codes = pty.termios().special_codes;
        [SpecialCodeIndex::VSTART, SpecialCodeIndex::VSTOP].map(|at| codes[at])
    };
    pty.change(|termios| {
        termios.special_codes[SpecialCodeIndex::VSTART] = 0;
        termios.special_codes[SpecialCodeIndex::VSTOP] = 1;
    });
    let socket = pty.open("?flow=software").await;
    assert_eq!(codes(), [0x11, 0x13]);
    drop(socket);
    assert_eq!(codes(), [0, 1]);
}

/// Linux 6.18 takes these for a pseudo terminal without a word, and drops them.
#[tokio::test]
async fn a_setting_that_a_device_drops_is_an_error_that_names_it() {
    let pty = Pty::new();
    let before = modes(&pty.termios());
    for (query, asked, found) in [
        ("data_bits=7", "data_bits=7", "data_bits=8"),
        ("data_bits=5", "data_bits=5", "data_bits=8"),
        ("parity=even", "parity=even", "parity=none"),
        ("parity=mark", "parity=mark", "parity=none"),
        ("data_bits=7&parity=odd", "data_bits=7", "data_bits=8"),
    ] {
        let error = pty.try_open(&format!("?{query}")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        let text = error.to_string();
        let words = format!("{asked} was asked for, and the device says {found}");
        assert!(text.contains(&words) && text.contains(&pty.url()), "{text}");
        assert_eq!(modes(&pty.termios()), before, "{query}");
    }
    // Nothing is left of the failures.
    drop(pty.open("").await);
}

#[tokio::test]
async fn a_wire_that_a_device_does_not_have_is_named() {
    let pty = Pty::new();
    for key in ["dtr", "rts"] {
        let error = pty.try_open(&format!("?{key}=false")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        let text = error.to_string();
        assert!(
            text.contains(&format!("{key}=false was asked for")),
            "{text}"
        );
        assert!(text.contains(&format!("leave {key} out")), "{text}");
    }
}

//! Settings as the kernel has them (termios(3)).

use std::fmt;

use rustix::io;
use rustix::termios::{ControlModes, InputModes, SpecialCodeIndex, Termios};

use super::settings::{SerialFlow, SerialParity, SerialSettings};

/// How far the rate of a device may be from the one that was asked for: one part in this many, 2 %.
/// A device divides its clock by a whole number, so that few rates are exact. A receiver finds each
/// byte's beginning anew and reads ten bits from there, so that ends 5 % apart still meet.
const RATE_TOLERANCE: u32 = 50;

/// The bytes that have a sender go on, and stop it: DC1 and DC3.
const XON: u8 = 0x11;
const XOFF: u8 = 0x13;

/// The bits of `parity`.
const PARITY: ControlModes = ControlModes::PARENB
    .union(ControlModes::PARODD)
    .union(ControlModes::CMSPAR);

/// A setting that a device does not take.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{asked} was asked for, and the device says {found}")]
pub(super) struct Difference {
    asked: String,
    found: String,
}

/// The settings to give to a device that has those of `before`: raw, and as asked.
pub(super) fn asked(before: &Termios, settings: &SerialSettings) -> io::Result<Termios> {
    let mut termios = before.clone();
    termios.make_raw();
    termios
        .input_modes
        .remove(InputModes::INPCK | InputModes::IGNPAR | InputModes::IXOFF | InputModes::IXANY);
    if settings.flow == SerialFlow::Software {
        termios
            .input_modes
            .insert(InputModes::IXON | InputModes::IXOFF);
        // Another program may have turned these off, or given them other bytes.
        termios.special_codes[SpecialCodeIndex::VSTART] = XON;
        termios.special_codes[SpecialCodeIndex::VSTOP] = XOFF;
    }
    // With a minimum of 0, a read of an empty line would look like the end.
    termios.special_codes[SpecialCodeIndex::VMIN] = 1;
    termios.special_codes[SpecialCodeIndex::VTIME] = 0;
    let control = &mut termios.control_modes;
    // Without the last, the kernel would wait for a modem's carrier.
    control.insert(ControlModes::CREAD | ControlModes::CLOCAL);
    control.set(ControlModes::CRTSCTS, settings.flow == SerialFlow::Hardware);
    control.set(ControlModes::CSTOPB, settings.stop_bits == 2);
    control.remove(ControlModes::CSIZE | PARITY);
    control.insert(match settings.data_bits {
        5 => ControlModes::CS5,
        6 => ControlModes::CS6,
        7 => ControlModes::CS7,
        _ => ControlModes::CS8,
    });
    control.insert(parity(settings.parity));
    termios.set_speed(settings.baud)?;
    Ok(termios)
}

fn parity(parity: SerialParity) -> ControlModes {
    let (on, odd) = (ControlModes::PARENB, ControlModes::PARODD);
    match parity {
        SerialParity::None => ControlModes::empty(),
        SerialParity::Odd => on | odd,
        SerialParity::Even => on,
        SerialParity::Mark => on | odd | ControlModes::CMSPAR,
        SerialParity::Space => on | ControlModes::CMSPAR,
    }
}

/// The settings of a device, and of `asked` those that it does not know.
pub(super) fn found(termios: &Termios, asked: &SerialSettings) -> SerialSettings {
    let control = termios.control_modes;
    let has = |mode| control.contains(mode);
    let stopped = termios
        .input_modes
        .contains(InputModes::IXON | InputModes::IXOFF);
    SerialSettings {
        baud: termios.output_speed(),
        data_bits: match control & ControlModes::CSIZE {
            size if size == ControlModes::CS5 => 5,
            size if size == ControlModes::CS6 => 6,
            size if size == ControlModes::CS7 => 7,
            _ => 8,
        },
        parity: match (
            has(ControlModes::PARENB),
            has(ControlModes::PARODD),
            has(ControlModes::CMSPAR),
        ) {
            (false, ..) => SerialParity::None,
            (true, true, false) => SerialParity::Odd,
            (true, false, false) => SerialParity::Even,
            (true, true, true) => SerialParity::Mark,
            (true, false, true) => SerialParity::Space,
        },
        stop_bits: 1 + u8::from(has(ControlModes::CSTOPB)),
        flow: match (has(ControlModes::CRTSCTS), stopped) {
            (true, _) => SerialFlow::Hardware,
            (false, true) => SerialFlow::Software,
            (false, false) => SerialFlow::None,
        },
        ..asked.clone()
    }
}

/// The first setting in which the device differs from what it was given.
pub(super) fn difference(
    (given, settings): (&Termios, &SerialSettings),
    device: &Termios,
) -> Option<Difference> {
    let is = found(device, settings);
    let differs = |key: &str, asked: &dyn fmt::Display, found: &dyn fmt::Display| Difference {
        asked: format!("{key}={asked}"),
        found: format!("{key}={found}"),
    };
    for rate in [device.output_speed(), device.input_speed()] {
        if settings.baud.abs_diff(rate) > settings.baud / RATE_TOLERANCE {
            return Some(differs("baud", &settings.baud, &rate));
        }
    }
    if is.data_bits != settings.data_bits {
        return Some(differs("data_bits", &settings.data_bits, &is.data_bits));
    }
    if is.parity != settings.parity {
        return Some(differs("parity", &settings.parity, &is.parity));
    }
    if is.stop_bits != settings.stop_bits {
        return Some(differs("stop_bits", &settings.stop_bits, &is.stop_bits));
    }
    if is.flow != settings.flow {
        return Some(differs("flow", &settings.flow, &is.flow));
    }
    let modes = |termios: &Termios| {
        let needed = ControlModes::CREAD | ControlModes::CLOCAL;
        (
            termios.input_modes,
            termios.output_modes,
            termios.local_modes,
            termios.control_modes & needed,
        )
    };
    let (asked, found) = (modes(given), modes(device));
    (asked != found).then(|| Difference {
        asked: format!("raw mode {asked:?}"),
        found: format!("{found:?}"),
    })
}

/// The same settings, where no peer can stop this end.
pub(super) fn unstopped(mut termios: Termios) -> Termios {
    termios.control_modes.remove(ControlModes::CRTSCTS);
    termios.input_modes.remove(InputModes::IXON);
    termios
}

//! The cases that are counted.

mod codecs;
mod framed;

/// Work that is repeated many times.
pub(crate) struct Case {
    pub(crate) name: String,
    /// How many frames one round takes.
    pub(crate) frames: u32,
    rounds: Box<dyn FnOnce(u32)>,
}

impl Case {
    fn new(name: String, frames: u32, rounds: impl FnOnce(u32) + 'static) -> Self {
        let rounds = Box::new(rounds);
        Case {
            name,
            frames,
            rounds,
        }
    }

    pub(crate) fn run(self, rounds: u32) {
        (self.rounds)(rounds);
    }
}

pub(crate) fn all() -> Vec<Case> {
    let mut all = codecs::cases();
    all.extend(framed::cases());
    all
}

pub(crate) fn named(name: &str) -> Case {
    let named = all().into_iter().find(|case| case.name == name);
    named.unwrap_or_else(|| panic!("no case is called {name}"))
}

/// An object of `size` bytes, which every codec carries.
fn frame(size: usize) -> Vec<u8> {
    let text = "x".repeat(size - r#"{"a":""}"#.len());
    format!(r#"{{"a":"{text}"}}"#).into_bytes()
}

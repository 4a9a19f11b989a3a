//! The messages of a chat, and whether received messages match them.

use crate::cell::Mood;
use crate::world::World;

/// The users, and letters that only they use, so that each piece of a text shows its sender. There
/// is no `q`, which alone would end the conversation.
pub(crate) const SPEAKERS: [(&str, &str); 3] = [
    ("ann", "abcdefghijklmnop"),
    ("bob", "αβγδεζηθικλμνξοπ"),
    ("cid", "一二三四五六七八九十百千万上下中"),
];

/// A message.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) speaker: usize,
    pub(crate) text: String,
}

impl Said {
    /// The message `number` of this speaker.
    pub(crate) fn new(speaker: usize, number: usize) -> Self {
        let letters: Vec<char> = SPEAKERS[speaker].1.chars().collect();
        let numbered = [number / 16, number % 16].into_iter();
        let rest = (0..number * 5 % 23).map(|n| (n * 3 + number) % 16);
        let text = numbered.chain(rest).map(|letter| letters[letter]).collect();
        Said { speaker, text }
    }

    /// The text as the others receive it.
    fn signed(&self) -> String {
        format!("{} : {}", SPEAKERS[self.speaker].0, self.text)
    }
}

/// Fails unless the messages that the user `who` received are those in `since`, or some of them
/// with gaps. `all` are the messages of the whole chat.
pub(crate) fn judge(world: &World, who: &str, heard: &[String], since: &[&Said], all: &[Said]) {
    let right = match world.mood {
        Mood::Harmless if world.cell.is_sticky() => {
            let said: Vec<_> = since.iter().map(|said| said.text.as_str()).collect();
            heard.concat() == said.concat()
        }
        Mood::Harmless => since
            .iter()
            .map(|said| said.signed())
            .eq(heard.iter().cloned()),
        _ if world.cell.may_differ(world.seed) => true,
        _ if world.cell.is_sticky() => has_gaps(&heard.concat(), all),
        _ if world.cell.is_stream() => in_order(heard, all),
        _ => places(heard, all).is_some(),
    };
    assert!(right, "{world}: {who} heard {heard:?} of {since:?}");
}

/// Which messages these are; `None` if one of them was never sent.
fn places(heard: &[String], said: &[Said]) -> Option<Vec<usize>> {
    let place = |heard: &String| said.iter().position(|said| said.signed() == *heard);
    heard.iter().map(place).collect()
}

/// Whether each message was sent, and each speaker's messages come in order and once.
fn in_order(heard: &[String], said: &[Said]) -> bool {
    let Some(places) = places(heard, said) else {
        return false;
    };
    (0..SPEAKERS.len()).all(|speaker| {
        let own = places
            .iter()
            .filter(|place| said[**place].speaker == speaker);
        own.is_sorted_by(|one, next| one < next)
    })
}

/// Whether only pieces of each speaker's messages are missing. A character that was cut in two is
/// received as U+FFFD.
fn has_gaps(heard: &str, said: &[Said]) -> bool {
    let heard = heard.replace('\u{fffd}', "");
    let mut known = 0;
    let of_each = (0..SPEAKERS.len()).all(|speaker| {
        let own = said.iter().filter(|said| said.speaker == speaker);
        let mut own = own.flat_map(|said| said.text.chars());
        let letters = SPEAKERS[speaker].1;
        let mut pieces = heard.chars().filter(|letter| letters.contains(*letter));
        pieces.all(|piece| {
            known += 1;
            own.any(|letter| letter == piece)
        })
    });
    of_each && known == heard.chars().count()
}

//! Hangul syllables in parts, as KS X 1001 has them: a filler, then an initial, a medial and a
//! final (or a filler) jamo.

/// The bytes of such a syllable: two for each part.
pub(super) const LEN: usize = 8;
/// The filler: it stands before the parts, and in the place of a final that is missing.
pub(super) const FILLER: [u8; 2] = [0xa4, 0xd4];

const INITIALS: &str = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ";
const MEDIALS: &str = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ";
const FINALS: &str = "ㅤㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ";
/// The first syllable in Unicode, where they are in the order of their parts.
const FIRST: u32 = 0xac00;

/// The syllable that these eight bytes are.
pub(super) fn composed(unit: &[u8]) -> Option<char> {
    let (pairs, []) = unit.as_chunks() else {
        return None;
    };
    let [FILLER, initial, medial, last] = pairs else {
        return None;
    };
    let number = |pair: &[u8; 2], jamo: &str| {
        let at = jamo.chars().position(|c| bytes(c) == *pair)?;
        u32::try_from(at).ok()
    };
    let (initial, medial) = (number(initial, INITIALS)?, number(medial, MEDIALS)?);
    char::from_u32(FIRST + (initial * 21 + medial) * 28 + number(last, FINALS)?)
}

/// The eight bytes of a syllable.
pub(super) fn parts(syllable: char) -> Option<[u8; LEN]> {
    let number = u32::from(syllable).checked_sub(FIRST)? as usize;
    let initial = bytes(INITIALS.chars().nth(number / (21 * 28))?);
    let medial = bytes(MEDIALS.chars().nth(number / 28 % 21)?);
    let last = bytes(FINALS.chars().nth(number % 28)?);
    [FILLER, initial, medial, last]
        .as_flattened()
        .try_into()
        .ok()
}

/// The two bytes of a jamo, which EUC-KR has in Unicode's order.
fn bytes(jamo: char) -> [u8; 2] {
    let [.., number] = (u32::from(jamo) - 0x3131).to_be_bytes();
    [0xa4, 0xa1 + number]
}

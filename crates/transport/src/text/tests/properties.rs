//! Laws of all encodings, on random text and bytes.

use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn any_text_survives_any_split_where_all_of_unicode_is(
        text in "\\PC*",
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..6),
        label in prop::sample::select(vec!["utf-8", "gb18030", "utf-16", "utf-16le", "utf-16be"]),
    ) {
        // Private characters. GB 18030 changed the bytes of some of them between its editions.
        let private = '\u{e000}'..='\u{f8ff}';
        let text: String = text.chars().filter(|c| !private.contains(c)).collect();
        let bytes = enc(label).encode(&text, Strict).unwrap();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|w| &bytes[w[0]..w[1]]).collect();
        prop_assert_eq!(decode_pieces(enc(label), Strict, &pieces), text);
    }

    /// Any bytes in any pieces: the strict decoder, if its errors are passed over, finds the same
    /// as in one piece.
    #[test]
    fn garbage_in_any_pieces_is_the_same_garbage(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        at in any::<prop::sample::Index>(),
        label in prop::sample::select(ALL.to_vec()),
    ) {
        let (head, tail) = bytes.split_at(at.index(bytes.len() + 1));
        let found = |pieces: &[&[u8]]| {
            let mut decoder = TextDecoder::new(enc(label), Strict);
            let (mut text, mut errors) = (String::new(), Vec::new());
            for (i, piece) in pieces.iter().enumerate() {
                let last = i + 1 == pieces.len();
                let mut piece = *piece;
                while let Err(error) = decoder.decode(piece, last, &mut text) {
                    errors.push(error);
                    assert!(errors.len() <= bytes.len() + 1, "no end");
                    piece = &[];
                }
            }
            (text, errors)
        };
        let (text, errors) = found(&[&bytes]);
        prop_assert_eq!(found(&[head, tail]), (text.clone(), errors.clone()));

        // The decoder of a stream too: that of a single text takes a later mark for text.
        let mut replaced = String::new();
        let mut replacing = TextDecoder::new(enc(label), Replace);
        replacing.decode(&bytes, true, &mut replaced).unwrap();
        let bad = |text: &str| text.matches('\u{fffd}').count();
        prop_assert_eq!(replaced.replace('\u{fffd}', ""), text.replace('\u{fffd}', ""));
        prop_assert_eq!(bad(&replaced), bad(&text) + errors.len());
    }

    #[test]
    fn encoding_anything_never_writes_an_entity(
        text in "\\PC{0,20}",
        label in prop::sample::select(ALL.to_vec()),
    ) {
        let text = text.replace("&#", "");
        let bytes = enc(label).encode(&text, Replace).unwrap();
        let back = enc(label).decode(&bytes, Replace).unwrap();
        prop_assert!(!back.contains("&#"), "{} {:?}", label, back);
        match enc(label).encode(&text, Strict) {
            Ok(strict) => prop_assert_eq!(strict, bytes),
            Err(TextError::Unencodable { character, .. }) => prop_assert!(text.contains(character)),
            Err(other) => prop_assert!(false, "{}", other),
        }
    }
}

//! The numbers in the README, and the code of a guide that is an example too.

use std::path::Path;

use socketry_testkit::{codec, connection, datagram, stream};
use socketry_transport::{MemMux, MemTransport, UdpTransport};

#[test]
fn the_readme_counts_the_laws_right() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let readme = std::fs::read_to_string(path).expect("a README");
    let counted = format!(
        "{} of stream transports, {} of datagram transports, {} of connections with many streams, \
         {} of codecs",
        stream::laws::<MemTransport>().len(),
        datagram::laws::<UdpTransport>().len(),
        connection::laws::<MemMux>().len(),
        codec::LAWS.len(),
    );
    // Wherever its lines are broken.
    let readme = readme.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(readme.contains(&counted), "the README must say: {counted}");
}

/// The whole codec in `text`, without comments and white space.
fn netstring(text: &str) -> String {
    let begin = text.find("struct Netstring").expect("its first item");
    let end = text.find("at_most(self.max)").expect("its last item");
    let lines = text[begin..end].lines();
    let code = lines.map(|line| line.split("//").next().unwrap_or_default());
    code.flat_map(str::split_whitespace).collect()
}

#[test]
fn the_codec_of_the_guide_is_that_of_the_example() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let read = |file| std::fs::read_to_string(root.join(file)).expect("it is there");
    let guide = netstring(&read("docs/write-a-codec.md"));
    assert_eq!(guide, netstring(&read("examples/custom_codec.rs")));
}

#[test]
fn the_service_of_the_readme_is_that_of_the_examples() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let read = |file| std::fs::read_to_string(root.join(file)).expect("it is there");
    let readme = read("README.md");
    for example in ["examples/server.rs", "examples/client.rs"] {
        let code = read(example);
        let (_, code) = code
            .split_once("\n\n")
            .expect("a comment, and then the code");
        let block = format!("```rust,no_run\n{code}```\n");
        assert!(readme.contains(&block), "the README must have: {example}");
    }
}

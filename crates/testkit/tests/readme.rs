//! The numbers in the README.

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

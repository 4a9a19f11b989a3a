//! The laws of connections and of streams, run against QUIC.

use std::sync::LazyLock;
use std::time::Duration;

use socketry_quic::Quic;
use socketry_testkit::connection::Subject;
use socketry_testkit::{connection_laws, stream, stream_laws};
use socketry_tls::{Identity, Tls, Trust};
use socketry_transport::{BoxMux, BoxTransport, MuxTransport, Streams, erase, erase_mux};

const AT: &str = "quic://127.0.0.1:0";
const PATIENCE: Duration = Duration::from_secs(90);

/// Both ends: a server's key, and a client that knows it.
fn quic() -> Quic {
    static TLS: LazyLock<Tls> = LazyLock::new(|| {
        let identity = Identity::made(["localhost"]).expect("a key");
        let pin = identity.pin().expect("a pin");
        // A hundred handshakes at once, in a test's build, on a machine that has more to do.
        let tls = Tls::new().handshake_timeout(PATIENCE);
        tls.identity(identity).trust(Trust::pin(pin))
    });
    Quic::new().tls(TLS.clone())
}

fn subject<M: MuxTransport>(mux: M) -> Subject<M> {
    Subject::new(mux, AT).limited("quic://127.0.0.1:0?streams=3", 3)
}

fn erased() -> Subject<BoxMux> {
    subject(erase_mux(quic()))
}

connection_laws!(quic_v4, subject(quic()));
connection_laws!(quic_erased, erased());

const PORT: &str = "the port is in use as long as a connection lives that was accepted there";

fn streams(at: &str) -> stream::Subject<Streams<Quic>> {
    stream::Subject::new(Streams::new(quic()), at)
        .patience(PATIENCE)
        .except("options_applied_are_read_back", "there is nothing to ask")
        .except("a_place_has_one_listener", PORT)
}

fn erased_streams() -> stream::Subject<BoxTransport> {
    stream::Subject::new(erase(Streams::new(quic())), AT)
        .patience(PATIENCE)
        .except("options_applied_are_read_back", "there is nothing to ask")
        .except("a_place_has_one_listener", PORT)
}

stream_laws!(quic_streams, streams(AT));
stream_laws!(quic_streams_v6, streams("quic://[::1]:0"));
stream_laws!(quic_streams_erased, erased_streams());

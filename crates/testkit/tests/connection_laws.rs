//! The laws of connections, run against `mem-mux`: by its own types, erased, and with faults that
//! lose nothing; and those of streams against what `Streams` makes of it.

use socketry_testkit::connection::Subject;
use socketry_testkit::{Faults, FaultyMux, connection, connection_laws, stream, stream_laws};
use socketry_transport::{BoxMux, BoxTransport, MemMux, MuxTransport, Streams, erase, erase_mux};

fn subject<M: MuxTransport>(mux: M) -> Subject<M> {
    Subject::new(mux, "mem-mux://*?recv_buffer=100KiB")
        .limited("mem-mux://*?streams=3", 3)
        .holds_at_most(100 * 1024)
}

fn erased() -> Subject<BoxMux> {
    subject(erase_mux(MemMux::new()))
}

connection_laws!(mem_mux, subject(MemMux::new()));
connection_laws!(mem_mux_erased, erased());

fn faulty(seed: u64) -> FaultyMux<MemMux> {
    FaultyMux::new(MemMux::new(), &Faults::harmless().seed(seed))
}

connection_laws!(mem_mux_faulty_1, subject(faulty(1)));
connection_laws!(mem_mux_faulty_2, subject(faulty(2)));
connection_laws!(mem_mux_faulty_3, subject(faulty(3)));

fn streams() -> stream::Subject<Streams<MemMux>> {
    stream::Subject::new(Streams::new(MemMux::new()), "mem-mux://*")
        .except("options_applied_are_read_back", "there is nothing to ask")
}

fn erased_streams() -> stream::Subject<BoxTransport> {
    let mux = erase_mux(MemMux::new());
    stream::Subject::new(erase(Streams::new(mux)), "mem-mux://*")
        .except("options_applied_are_read_back", "there is nothing to ask")
}

stream_laws!(mem_mux_streams, streams());
stream_laws!(mem_mux_streams_erased, erased_streams());

#[test]
fn every_law_has_a_name_and_a_statement_of_its_own() {
    let laws = connection::laws::<MemMux>();
    let mut names: Vec<_> = laws.iter().map(socketry_testkit::Law::name).collect();
    let mut statements: Vec<_> = laws.iter().map(socketry_testkit::Law::statement).collect();
    names.sort_unstable();
    names.dedup();
    statements.sort_unstable();
    statements.dedup();
    assert_eq!((names.len(), statements.len()), (laws.len(), laws.len()));
}

//! Values: they are written in a buffer of the thread and read where they arrived.

use socketry_codec::{Framed, Json, Line};
use socketry_transport::{Listener, connect, listen};

use super::counted;

type Value = (u64, bool, Option<i8>);

const VALUE: Value = (u64::MAX, true, None);
const VALUES: u64 = 30;

#[tokio::test]
async fn a_value_is_fed_and_received_without_an_allocation() {
    let mut listener = listen("mem://*").await.unwrap();
    let client = Framed::new(connect(listener.local()).await.unwrap(), Line::new());
    let server = Framed::new(listener.accept().await.unwrap(), Line::new());
    let mut client = client.typed::<Value, Json>();
    let mut server = server.typed::<Value, Json>();
    // The first round gives the buffers their size.
    for round in 0..3 {
        let mut fed = 0;
        for _ in 0..VALUES {
            let (done, allocations) = counted(client.feed(&VALUE)).await;
            done.unwrap();
            fed += allocations;
        }
        client.flush().await.unwrap();
        // The first receive waits, or reads what all others find.
        assert_eq!(server.recv().await.unwrap(), Some(VALUE));
        let mut received = 0;
        for _ in 1..VALUES {
            let (value, allocations) = counted(server.recv()).await;
            assert_eq!(value.unwrap(), Some(VALUE));
            received += allocations;
        }
        if round > 0 {
            assert_eq!(
                (fed, received),
                (0, 0),
                "allocations for {VALUES} values each"
            );
        }
    }
}

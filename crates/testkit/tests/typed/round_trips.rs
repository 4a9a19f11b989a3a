//! A packed value is unpacked unchanged, and bytes that are no value are an error.

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use socketry_codec::{BareJson, BoxError, Json, Line, Pack, Raw, Struct, Unpack};

use super::formats::{Cbor, MessagePack, Postcard};
use super::{Message, pair};

fn message() -> impl Strategy<Value = Message> {
    let leaf = prop_oneof![
        Just(Message::Ping),
        any::<String>().prop_map(Message::Text),
        any::<(i64, u64)>().prop_map(|(a, b)| Message::Pair(a, b)),
    ];
    leaf.prop_recursive(8, 16, 1, |within| {
        let names = (
            any::<u64>(),
            option::of(any::<String>()),
            vec(any::<u8>(), 0..64),
        );
        // All of them have an exact form in each format.
        let scores = vec(
            any::<i32>().prop_map(|eighths| f64::from(eighths) / 8.0),
            0..8,
        );
        let tags = btree_map(any::<String>(), any::<i32>(), 0..4);
        let within = option::of(within.prop_map(Box::new));
        (names, scores, tags, within).prop_map(|((id, name, data), scores, tags, within)| {
            Message::Record {
                id,
                name,
                data,
                scores,
                tags,
                within,
            }
        })
    })
}

/// There and back, directly and through a conversation over `codec`.
fn law<F, C>(codec: C, messages: &[Message])
where
    F: Pack<Message> + Unpack<Message>,
    C: socketry_codec::Codec + Clone,
{
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let (client, server) = pair(codec).await;
        let (mut client, mut server) = (client.typed::<Message, F>(), server.typed::<Message, F>());
        for message in messages {
            client.send(message).await.unwrap();
            assert_eq!(server.recv().await.unwrap().as_ref(), Some(message));
        }
        client.finish().await.unwrap();
        assert_eq!(server.recv().await.unwrap(), None);
    });
}

/// Damaged bytes, too many or too few bytes, and arbitrary bytes neither panic nor pass.
fn wrong<F: Pack<Message> + Unpack<Message>>(message: &Message, noise: &[u8]) {
    let mut frame = Vec::new();
    F::pack(message, &mut frame).unwrap();
    let refused = |bytes: &[u8]| F::unpack(bytes).is_err();
    assert!(refused(&frame[..frame.len() - 1]), "one byte too few");
    assert!(refused(&[&frame[..], &frame].concat()), "two values");
    let _: Result<Message, BoxError> = F::unpack(noise);
    for at in 0..frame.len().min(64) {
        let mut damaged = frame.clone();
        damaged[at] ^= noise.first().copied().unwrap_or(0xFF);
        let _: Result<Message, BoxError> = F::unpack(&damaged);
    }
}

proptest! {
    #[test]
    fn every_message_arrives_in_every_format(messages in vec(message(), 1..4)) {
        law::<Cbor, _>(Struct::default(), &messages);
        law::<MessagePack, _>(Struct::default(), &messages);
        law::<Postcard, _>(Struct::default(), &messages);
        law::<Json, _>(Line::new(), &messages);
        law::<Json, _>(Struct::default(), &messages);
    }

    #[test]
    fn a_value_that_is_no_message_is_refused(
        message in message(),
        noise in vec(any::<u8>(), 0..64),
    ) {
        wrong::<Cbor>(&message, &noise);
        wrong::<MessagePack>(&message, &noise);
        wrong::<Postcard>(&message, &noise);
        wrong::<Json>(&message, &noise);
    }
}

/// The `json` codecs carry objects, so they carry values that serde writes as one.
#[test]
fn objects_arrive_over_the_codecs_of_json() {
    let objects = [Message::Text("text".to_owned()), Message::Pair(-1, 1)];
    law::<Json, _>(Json::default(), &objects);
    law::<Json, _>(BareJson::new(), &objects);
}

/// A datagram is a frame.
#[tokio::test]
async fn values_are_datagrams_as_well() {
    use socketry_codec::Framed;
    use socketry_transport::{Listener, connect, listen};

    let mut listener = listen("udp://127.0.0.1:0").await.unwrap();
    let client = Framed::new(connect(listener.local()).await.unwrap(), Raw);
    let mut client = client.typed::<Message, Cbor>();
    client.send(&Message::Ping).await.unwrap();
    let server = Framed::new(listener.accept().await.unwrap(), Raw);
    let mut server = server.typed::<Message, Cbor>();
    assert_eq!(server.recv().await.unwrap(), Some(Message::Ping));
    server.send(&Message::Pair(1, 2)).await.unwrap();
    assert_eq!(client.recv().await.unwrap(), Some(Message::Pair(1, 2)));
}

/// Inputs that make a decoder build too much: depth, and lengths that are only claimed.
#[test]
fn a_few_bytes_do_not_become_much_memory_or_depth() {
    let deep_json = "[".repeat(100_000);
    let deep_cbor = vec![0x81; 100_000];
    let deep_msgpack = vec![0x91; 100_000];
    assert!(<Json as Unpack<serde_json::Value>>::unpack(deep_json.as_bytes()).is_err());
    assert!(<Cbor as Unpack<serde_json::Value>>::unpack(&deep_cbor).is_err());
    assert!(<MessagePack as Unpack<serde_json::Value>>::unpack(&deep_msgpack).is_err());
    // An array of 2^60 elements, 2^32 - 1 elements, and 2^63: none of them is there.
    let cbor = [&[0x9B][..], &(1_u64 << 60).to_be_bytes()].concat();
    assert!(<Cbor as Unpack<Vec<u64>>>::unpack(&cbor).is_err());
    let msgpack = [&[0xDD][..], &[0xFF; 4]].concat();
    assert!(<MessagePack as Unpack<Vec<u64>>>::unpack(&msgpack).is_err());
    let postcard = [&[0x80; 9][..], &[0x01]].concat();
    assert!(<Postcard as Unpack<Vec<u64>>>::unpack(&postcard).is_err());
}

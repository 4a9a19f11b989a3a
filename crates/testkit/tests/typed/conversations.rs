//! Every way to send and receive values, and the errors for frames that are none.

use futures_util::{SinkExt, StreamExt};
use serde::{Deserialize, Serialize};
use socketry_codec::{Fault, Framed, Json, Line, Struct};
use socketry_testkit::{Script, in_time};

use super::formats::{Cbor, MessagePack};
use super::{Message, pair};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Question {
    of: String,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Answer {
    length: usize,
}

#[tokio::test]
async fn each_direction_may_have_a_type_of_its_own() {
    let (client, server) = pair(Struct::default()).await;
    let mut client = client.typed::<Answer, Cbor>().sending::<Question>();
    let mut server = server.typed::<Question, Cbor>().sending::<Answer>();
    let served = async {
        while let Some(Question { of }) = server.recv().await.unwrap() {
            server.feed(&Answer { length: of.len() }).await.unwrap();
        }
        server.close().await.unwrap();
    };
    let asked = async {
        client.feed(&Question { of: "a".to_owned() }).await.unwrap();
        client
            .feed(&Question {
                of: "four".to_owned(),
            })
            .await
            .unwrap();
        client.finish().await.unwrap();
        assert_eq!(client.recv().await.unwrap(), Some(Answer { length: 1 }));
        assert_eq!(client.recv().await.unwrap(), Some(Answer { length: 4 }));
        assert_eq!(client.recv().await.unwrap(), None);
        client.close().await.unwrap();
    };
    in_time("the conversation", async { tokio::join!(served, asked) }).await;
}

#[tokio::test]
async fn a_frame_that_is_no_value_is_in_the_error_and_the_next_one_follows() {
    let (mut client, server) = pair(Struct::default()).await;
    let mut server = server.typed::<Answer, MessagePack>();
    for stream in [false, true] {
        client.feed(b"\xC1 is never used").await.unwrap();
        let answer = rmp_serde::to_vec_named(&Answer { length: 7 }).unwrap();
        client.send(&answer).await.unwrap();
        let error = if stream {
            server.next().await.unwrap().unwrap_err()
        } else {
            server.recv().await.unwrap_err()
        };
        assert!(!error.is_fatal(), "{error}");
        assert_eq!(error.frame().unwrap(), &b"\xC1 is never used"[..]);
        assert!(error.get_ref().unwrap().is::<rmp_serde::decode::Error>());
        let next = if stream {
            server.next().await.unwrap().unwrap()
        } else {
            server.recv().await.unwrap().unwrap()
        };
        assert_eq!(next, Answer { length: 7 });
    }
}

#[tokio::test]
async fn a_frame_that_the_codec_refuses_is_no_other_error_than_without_types() {
    let script = Script::stream().arriving([&b"\xFF\xFF\xFF\xFF"[..]]);
    let mut typed = Framed::new(script, Struct::default()).typed::<Answer, Cbor>();
    let error = typed.recv().await.unwrap_err();
    assert_eq!(error.codec_fault(), Some(&Fault::NegativeLength(-1)));
    assert!(error.is_fatal() && error.frame().is_none());
    assert_eq!(typed.recv().await.unwrap(), None);
}

#[tokio::test]
async fn a_value_that_has_no_form_or_does_not_fit_is_refused() {
    let script = Script::stream();
    let framed = Framed::new(script.clone(), Json::default().max_frame(20));
    let mut typed = framed.typed::<serde_json::Value, Json>();
    let error = typed.feed(&serde_json::json!([1])).await.unwrap_err();
    assert!(
        matches!(error.codec_fault(), Some(Fault::NotJson(_))),
        "{error}"
    );
    let long = serde_json::json!({"key": "x".repeat(100)});
    let error = typed.send(&long).await.unwrap_err();
    assert!(
        matches!(error.codec_fault(), Some(Fault::TooLong { .. })),
        "{error}"
    );
    typed.send(&serde_json::json!({"a": 1})).await.unwrap();
    assert_eq!(script.written(), b"\x07\0\0\0{\"a\":1}");

    let keys = std::collections::BTreeMap::from([((1, 2), 3)]);
    let mut typed = typed.sending::<std::collections::BTreeMap<(i32, i32), i32>>();
    let error = typed.send(&keys).await.unwrap_err();
    assert!(
        error.get_ref().unwrap().is::<serde_json::Error>(),
        "{error}"
    );
    assert!(!error.is_fatal() && error.frame().is_none());
    assert_eq!(script.written(), b"\x07\0\0\0{\"a\":1}");
}

/// What the documentation of `Json` says of them.
#[tokio::test]
async fn a_number_that_json_lacks_arrives_as_null() {
    let (client, server) = pair(Line::new()).await;
    let mut client = client.typed::<(), Json>().sending::<f64>();
    let mut server = server.typed::<f64, Json>();
    for value in [f64::NAN, f64::INFINITY] {
        client.send(&value).await.unwrap();
        let error = server.recv().await.unwrap_err();
        assert!(!error.is_fatal(), "{error}");
        assert_eq!(error.frame().unwrap(), &b"null"[..]);
    }
    client.send(&0.5).await.unwrap();
    assert_eq!(server.recv().await.unwrap(), Some(0.5));
}

#[tokio::test]
async fn halves_are_for_two_tasks_and_become_one_again() {
    let (client, server) = pair(Line::new()).await;
    let (mut hearing, mut speaking) = client.typed::<Message, Json>().split();
    let mut server = server.typed::<Message, Json>();
    let talk = tokio::spawn(async move {
        speaking.send(&Message::Ping).await.unwrap();
        speaking
    });
    assert_eq!(server.recv().await.unwrap(), Some(Message::Ping));
    server.send(&Message::Pair(1, 2)).await.unwrap();
    assert_eq!(hearing.recv().await.unwrap(), Some(Message::Pair(1, 2)));
    let mut client = hearing.reunite(talk.await.unwrap()).unwrap();
    client
        .send(&Message::Text("one again".to_owned()))
        .await
        .unwrap();
    let heard = server.recv().await.unwrap();
    assert_eq!(heard, Some(Message::Text("one again".to_owned())));
}

#[tokio::test]
async fn many_tasks_send_values_through_one_socket() {
    let (client, server) = pair(Struct::default()).await;
    let (_, speaking) = client.typed::<Message, Cbor>().split();
    let sender = speaking.into_sender();
    let talks = (0..8).map(|task| {
        let sender = sender.clone();
        tokio::spawn(async move {
            for number in 0..10 {
                sender.send(&Message::Pair(task, number)).await.unwrap();
            }
            assert!(sender.try_send(&Message::Ping).unwrap());
        })
    });
    for talk in talks.collect::<Vec<_>>() {
        talk.await.unwrap();
    }
    sender.get_ref().finish().await.unwrap();
    let mut server = server.typed::<Message, Cbor>();
    let mut heard = [0; 8];
    let mut pings = 0;
    while let Some(message) = server.recv().await.unwrap() {
        match message {
            Message::Pair(task, number) => {
                let next = &mut heard[usize::try_from(task).unwrap()];
                assert_eq!(number, *next, "the order of one task");
                *next += 1;
            }
            _ => pings += 1,
        }
    }
    assert_eq!((heard, pings), ([10; 8], 8));
    assert!(sender.send(&Message::Ping).await.unwrap_err().is_fatal());
}

#[tokio::test]
async fn it_is_a_stream_and_a_sink() {
    let (client, server) = pair(Line::new()).await;
    let mut client = client.typed::<Message, Json>();
    let server = server.typed::<Message, Json>();
    let messages = [
        Message::Ping,
        Message::Text("a".to_owned()),
        Message::Pair(1, 2),
    ];
    for message in messages.clone() {
        SinkExt::feed(&mut client, message).await.unwrap();
    }
    SinkExt::close(&mut client).await.unwrap();
    let heard: Vec<Message> = server.map(Result::unwrap).collect().await;
    assert_eq!(heard, messages);
}

/// A value with the length of the bytes that follow it, as a header has.
#[tokio::test]
async fn a_body_may_follow_a_value() {
    let (client, server) = pair(Struct::default()).await;
    let mut client = client.typed::<Answer, Cbor>();
    let mut server = server.typed::<Answer, Cbor>();
    let behind = b"behind it";
    client
        .feed(&Answer {
            length: behind.len(),
        })
        .await
        .unwrap();
    let mut writing = client.get_mut().body_writer(behind.len() as u64).unwrap();
    writing.write_all(behind).await.unwrap();
    client.flush().await.unwrap();
    let Answer { length } = server.recv().await.unwrap().unwrap();
    let mut body = Vec::new();
    let mut reading = server.get_mut().body(length as u64).unwrap();
    while let Some(chunk) = reading.chunk().await.unwrap() {
        body.extend_from_slice(chunk);
    }
    assert_eq!(body, behind);
    assert_eq!(client.peer().scheme(), "mem");
    assert!(
        format!("{client:?}").starts_with("Typed(Framed(mem://"),
        "{client:?}"
    );
}

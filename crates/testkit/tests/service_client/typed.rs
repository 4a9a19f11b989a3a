//! Requests and answers that are values.

use std::convert::Infallible;
use std::io;

use serde::{Deserialize, Serialize};
use socketry_codec::{BoxError, Json, Pack, Unpack};
use socketry_service::{CallError, Client, Server};
use socketry_testkit::Places;
use socketry_transport::Listener;

use crate::steps::{STREAMS, client, hear, listening, pair, say};

#[derive(Serialize, Deserialize, Debug, PartialEq)]
enum Request {
    Add(i64, i64),
    Fail,
}

async fn answer(request: Request) -> io::Result<i64> {
    match request {
        Request::Add(a, b) => Ok(a + b),
        Request::Fail => Err(io::Error::other("it was told to")),
    }
}

#[tokio::test]
async fn values_go_both_ways_over_each_stream() {
    let places = Places::new();
    for scheme in STREAMS {
        let listener = listening(&places, scheme).await;
        let client = client(listener.local());
        tokio::spawn(Server::new(listener).typed::<Json>().answer(answer));
        let sums = client.typed::<Json>().idempotent();
        let (one, two) = (Request::Add(1, 2), Request::Add(3, 4));
        let (one, two): (i64, i64) = tokio::try_join!(sums.call(&one), sums.call(&two)).unwrap();
        assert_eq!((one, two), (3, 7), "over {scheme}");
    }
}

#[tokio::test]
async fn an_answer_of_another_type_is_an_error_of_its_call() {
    let (client, mut peer, _listener) = pair().await;
    let typed = client.typed::<Json>();
    let call = typed.call::<_, i64>(&Request::Add(1, 2));
    let server = async {
        assert_eq!(hear(&mut peer).await, br#"{"Add":[1,2]}"#);
        say(&mut peer, "\"three\"").await;
    };
    let (answer, ()) = tokio::join!(call, server);
    let error = answer.unwrap_err();
    assert!(matches!(error, CallError::BadValue(_)), "{error}");
    assert!(error.may_be_done());
    let server = async {
        hear(&mut peer).await;
        say(&mut peer, "3").await;
    };
    let call = typed.call::<_, i64>(&Request::Add(1, 2));
    assert_eq!(tokio::join!(call, server).0.unwrap(), 3);
}

/// A format without a form for any value.
enum Never {}

impl<T: ?Sized> Pack<T> for Never {
    fn pack(_: &T, _: &mut Vec<u8>) -> Result<(), BoxError> {
        Err("there is no such form".into())
    }
}

impl<T> Unpack<T> for Never {
    fn unpack(_: &[u8]) -> Result<T, BoxError> {
        Err("there is no such form".into())
    }
}

#[tokio::test]
async fn a_value_without_a_form_is_not_sent() {
    let (client, mut peer, _listener) = pair().await;
    let error = client
        .typed::<Never>()
        .call::<_, ()>("x")
        .await
        .unwrap_err();
    assert!(matches!(error, CallError::Refused(_)), "{error}");
    assert!(!error.may_be_done() && error.to_string().contains("no such form"));
    drop(client);
    crate::steps::hear_end(&mut peer).await;
}

#[tokio::test]
async fn a_frame_that_is_no_value_ends_its_own_connection() {
    let places = Places::new();
    let listener = listening(&places, "tcp").await;
    let at = listener.local().clone();
    tokio::spawn(Server::new(listener).typed::<Json>().answer(answer));
    let good = client(&at).typed::<Json>();
    for bad in [&b"{"[..], br#"{"Add":[1]}"#, br#""Fail""#] {
        let error = client(&at).call(bad).await.unwrap_err();
        assert!(error.may_be_done(), "{error}");
        let sum: i64 = good.call(&Request::Add(2, 2)).await.unwrap();
        assert_eq!(sum, 4);
    }
}

#[tokio::test]
async fn a_call_may_be_made_in_one_task_and_awaited_in_another() {
    let (client, mut peer, _listener) = pair().await;
    let call = {
        let request = Request::Add(1, 1);
        client.typed::<Json>().call::<_, i64>(&request)
    };
    let call = tokio::spawn(call);
    hear(&mut peer).await;
    say(&mut peer, "2").await;
    assert_eq!(call.await.unwrap().unwrap(), 2);
}

#[tokio::test]
async fn a_server_of_several_urls_listens_at_each() {
    let places = Places::new();
    let urls = ["tcp", "unix", "mem"].map(|scheme| places.free(scheme));
    let server = Server::at(&urls).await.unwrap();
    let locals = server.listener().locals();
    tokio::spawn(
        server
            .typed::<Json>()
            .answer(async |n: i64| Ok::<_, Infallible>(n + 1)),
    );
    for (_, at) in locals {
        let client: Client = client(&at);
        let next: i64 = client.typed::<Json>().call(&1).await.unwrap();
        assert_eq!(next, 2);
    }
    assert!(Server::at(["tcp://127.0.0.1:0", "no such"]).await.is_err());
    let error = Server::at([""; 0]).await.unwrap_err();
    assert!(error.to_string().contains("none was given"), "{error}");
}

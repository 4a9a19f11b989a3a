//! tarpc over TCP, with JSON.

use std::future::ready;
use std::time::Duration;

use futures_util::StreamExt;
use tarpc::server::{BaseChannel, Channel};
use tarpc::tokio_serde::formats::Json;
use tarpc::{client, context, serde_transport};

use super::{FRAME, Over, callers};
use crate::stream::{Found, block_on};
use crate::tally::text;

#[tarpc::service]
trait Echo {
    async fn echo(text: String) -> String;
}

#[derive(Clone)]
struct Echoes;

impl Echo for Echoes {
    async fn echo(self, _: context::Context, text: String) -> String {
        text
    }
}

pub(super) fn serve(found: Found, over: Over) {
    block_on(async {
        let listened = serde_transport::tcp::listen("127.0.0.1:0", Json::default).await;
        let listener = listened.unwrap();
        found.send(listener.local_addr().to_string()).unwrap();
        let accepted = listener.filter_map(|accepted| {
            let accepted = accepted.unwrap();
            accepted.get_ref().set_nodelay(true).unwrap();
            ready(Some(accepted))
        });
        let served = accepted.for_each(|transport| {
            let channel = BaseChannel::with_defaults(transport);
            let requests = channel.execute(Echoes.serve());
            tokio::spawn(requests.for_each(|request| {
                tokio::spawn(request);
                ready(())
            }));
            ready(())
        });
        tokio::select! {
            () = served => {}
            _ = over => {}
        }
    });
}

pub(super) fn call_many(to: &str) -> Duration {
    block_on(async {
        let connected = serde_transport::tcp::connect(to, Json::default).await;
        let transport = connected.unwrap();
        transport.get_ref().set_nodelay(true).unwrap();
        let client = EchoClient::new(client::Config::default(), transport).spawn();
        let question = String::from_utf8(text(FRAME)).unwrap();
        let call = move || {
            let (client, question) = (client.clone(), question.clone());
            async move {
                let answer = client.echo(context::current(), question.clone()).await;
                assert_eq!(answer.unwrap(), question);
            }
        };
        callers(call).await
    })
}

//! What a program writes by hand: tokio-util's `Framed`, split; the sink behind a mutex, the
//! callers in a map by the id in front of each request.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use futures_util::stream::SplitSink;
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio_util::codec::{Framed, LengthDelimitedCodec};

use super::{FRAME, Over, callers};
use crate::stream::{Found, block_on};
use crate::tally::frame;
use crate::trip::raw;

type Frames = Framed<TcpStream, LengthDelimitedCodec>;

/// The callers, by the ids of their requests.
#[derive(Default)]
struct Callers {
    next: u64,
    waiting: HashMap<u64, oneshot::Sender<BytesMut>>,
}

#[derive(Clone)]
struct Client {
    sink: Arc<tokio::sync::Mutex<SplitSink<Frames, Bytes>>>,
    callers: Arc<Mutex<Callers>>,
}

impl Client {
    fn new(stream: TcpStream) -> Self {
        let (sink, mut stream) = framed(stream).split();
        let client = Client {
            sink: Arc::new(tokio::sync::Mutex::new(sink)),
            callers: Arc::default(),
        };
        let callers = Arc::clone(&client.callers);
        tokio::spawn(async move {
            while let Some(Ok(mut answer)) = stream.next().await {
                let id = answer.get_u64_le();
                let caller = callers.lock().unwrap().waiting.remove(&id);
                let _ = caller.unwrap().send(answer);
            }
        });
        client
    }

    async fn call(&self, question: &[u8]) -> BytesMut {
        let (tell, told) = oneshot::channel();
        let id = {
            let mut callers = self.callers.lock().unwrap();
            callers.next += 1;
            let id = callers.next;
            callers.waiting.insert(id, tell);
            id
        };
        let mut request = BytesMut::with_capacity(8 + question.len());
        request.put_u64_le(id);
        request.put_slice(question);
        self.sink.lock().await.send(request.freeze()).await.unwrap();
        told.await.unwrap()
    }
}

fn framed(stream: TcpStream) -> Frames {
    let codec = LengthDelimitedCodec::builder().little_endian().new_codec();
    Framed::new(stream, codec)
}

pub(super) fn serve(found: Found, over: Over) {
    block_on(async {
        let mut framed = framed(raw::accept_tcp(found).await);
        let echo = async {
            while let Some(frame) = framed.next().await {
                framed.send(frame.unwrap().freeze()).await.unwrap();
            }
        };
        tokio::select! {
            () = echo => {}
            _ = over => {}
        }
    });
}

pub(super) fn call_many(to: &str) -> Duration {
    block_on(async {
        let client = Client::new(raw::connect_tcp(to).await);
        let question: Arc<[u8]> = frame(FRAME).into();
        let call = move || {
            let (client, question) = (client.clone(), Arc::clone(&question));
            async move {
                assert_eq!(client.call(&question).await, question[..]);
            }
        };
        callers(call).await
    })
}

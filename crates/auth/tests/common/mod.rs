//! What the tests share.

#![allow(dead_code, reason = "each test uses a part")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use socketry_auth::{Auth, Authenticator, Identity, Secret, Token, Tokens};
use socketry_transport::{
    BoxListener, BoxSocket, Half, Listener, Received, RecvExt, RecvHalf, Registry, SendExt,
};
use tokio::time::timeout;

pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// A token whose secret is `byte` 32 times.
pub(crate) fn token(name: &str, byte: u8) -> Token {
    Token::new(name, Secret::new([byte; 32]).unwrap()).unwrap()
}

/// The tokens that the tests' servers take.
pub(crate) fn tokens() -> Tokens {
    Tokens::new([token("ann", 1), token("ben", 2)]).unwrap()
}

/// A registry of a client with this token.
pub(crate) fn with(token: Token) -> Registry {
    over(&Auth::new().token(token))
}

pub(crate) fn over(auth: &Auth) -> Registry {
    auth.register(Registry::standard()).unwrap()
}

/// A server, and what it says of the clients that it refused.
pub(crate) struct Server {
    pub(crate) listener: BoxListener,
    refused: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(crate) async fn at(url: &str, who: impl Authenticator) -> Self {
        Server::of(url, Auth::new().require(who), Registry::standard()).await
    }

    pub(crate) async fn of(url: &str, auth: Auth, below: Registry) -> Self {
        let refused = Arc::<Mutex<Vec<String>>>::default();
        let told = Arc::clone(&refused);
        let auth = auth.on_failure(move |failure| told.lock().unwrap().push(failure.to_string()));
        let registry = auth.register(below).unwrap();
        let listener = registry.listen(url).await.unwrap();
        Server { listener, refused }
    }

    pub(crate) fn url(&self) -> String {
        self.listener.local().to_string()
    }

    pub(crate) fn listener_port(&self) -> u16 {
        self.listener.local().port().unwrap()
    }

    pub(crate) async fn accept(&mut self) -> BoxSocket {
        timeout(DEADLINE, self.listener.accept())
            .await
            .expect("a client is let in")
            .unwrap()
    }

    /// Accepts until a client is refused, and says why.
    pub(crate) async fn refuses(&mut self) -> String {
        loop {
            if let Some(words) = self.refused.lock().unwrap().pop() {
                return words;
            }
            let moment = Duration::from_millis(5);
            if let Ok(socket) = timeout(moment, self.listener.accept()).await {
                panic!("let in: {:?}", Identity::of(socket.unwrap().info()));
            }
        }
    }
}

pub(crate) fn name(socket: &impl Half) -> String {
    Identity::of(socket.info()).unwrap().name().to_owned()
}

/// All that comes until the end.
pub(crate) async fn read_all(socket: &mut impl RecvHalf) -> Vec<u8> {
    let (mut all, mut buf) = (Vec::new(), [0; 1024]);
    let reading = async {
        while let (len, Received::Data) = socket.recv(&mut buf).await.unwrap() {
            all.extend_from_slice(&buf[..len]);
        }
    };
    timeout(DEADLINE, reading).await.expect("an end");
    all
}

/// The next line, without its end.
pub(crate) async fn line(socket: &mut impl RecvHalf) -> String {
    let (mut all, mut byte) = (Vec::new(), [0]);
    loop {
        let received = timeout(DEADLINE, socket.recv(&mut byte)).await;
        match received.expect("a line").unwrap() {
            (1, _) if byte != *b"\n" => all.push(byte[0]),
            _ => return String::from_utf8(all).unwrap(),
        }
    }
}

pub(crate) async fn say(socket: &mut BoxSocket, text: &str) {
    socket.send_all(text.as_bytes()).await.unwrap();
}

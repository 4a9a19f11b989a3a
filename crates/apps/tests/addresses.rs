//! A listener may have several addresses, and each server tells all of them.
#![allow(clippy::unwrap_used, reason = "tests")]

use socketry_apps::{Service, chat, command, file};
use socketry_transport::{
    BoxSocket, Endpoint, Keys, Listeners, Registry, Result, Transport, async_trait, connect,
};

/// Each listener of it is at two addresses.
struct Two;

#[async_trait]
impl Transport for Two {
    type Socket = BoxSocket;
    type Listener = Listeners;

    fn keys(&self) -> Keys {
        Keys::default()
    }
    async fn connect(&self, to: &Endpoint) -> Result<BoxSocket> {
        connect(to).await
    }
    async fn listen(&self, _: &Endpoint) -> Result<Listeners> {
        Listeners::at(&Registry::standard(), ["mem://*", "mem://*"]).await
    }
}

#[tokio::test]
async fn each_server_tells_all_its_addresses() {
    let service = Service {
        registry: Registry::empty().with("two", Two),
        ..Service::default()
    };
    let (at, root) = ("two://x".parse().unwrap(), tempfile::tempdir().unwrap());
    let chat = chat::Server::bind(&service, &at).await.unwrap();
    let command = command::Server::bind(&service, &at, command::Policy::AllowAny)
        .await
        .unwrap();
    let file = file::Server::bind(&service, &at, root.path())
        .await
        .unwrap();
    for (all, first) in [
        (chat.locals(), chat.local()),
        (command.locals(), command.local()),
        (file.locals(), file.local()),
    ] {
        assert_eq!((all.len(), &all[0]), (2, first));
        assert_ne!(all[0], all[1]);
    }
}

//! A server in the process of the test.

use std::fs;
use std::path::PathBuf;

use socketry_apps::file::{Client, Limits, Server};
use socketry_apps::{AppError, Service};
use socketry_transport::Endpoint;
use tempfile::TempDir;

use super::port;

/// A server in this process, over a directory of its own.
pub(crate) struct Served {
    pub(crate) service: Service,
    pub(crate) at: Endpoint,
    pub(crate) dir: TempDir,
    running: tokio::task::JoinHandle<Result<(), AppError>>,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.running.abort();
    }
}

impl Served {
    pub(crate) async fn new(codec: &str) -> Self {
        Served::at("tcp", codec).await
    }

    pub(crate) async fn at(scheme: &str, codec: &str) -> Self {
        Served::with(Service::with_codec(codec).unwrap(), scheme).await
    }

    pub(crate) async fn with(service: Service, scheme: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let url = match scheme {
            "unix" => format!("unix://{}", dir.path().join("s").display()),
            "mem" => "mem://*".to_owned(),
            _ => "tcp://127.0.0.1:0".to_owned(),
        };
        Served::listening(service, &url, dir).await
    }

    /// With these limits for its clients.
    pub(crate) async fn limited(codec: &str, scheme: &str, limits: Limits) -> Self {
        let service = Service::with_codec(codec).unwrap();
        let url = match scheme {
            "mem" => "mem://*",
            _ => "tcp://127.0.0.1:0",
        };
        let dir = tempfile::tempdir().unwrap();
        Served::listening_with(service, url, dir, limits).await
    }

    /// At `url`, with all that it has in `dir`.
    pub(crate) async fn listening(service: Service, url: &str, dir: TempDir) -> Self {
        Served::listening_with(service, url, dir, Limits::default()).await
    }

    async fn listening_with(service: Service, url: &str, dir: TempDir, limits: Limits) -> Self {
        let root = dir.path().join("root");
        fs::create_dir(&root).unwrap();
        let url = url.parse().unwrap();
        let server = Server::bind(&service, &url, &root).await.unwrap();
        let server = server.limits(limits).unwrap();
        Served {
            service,
            at: server.local().clone(),
            dir,
            running: tokio::spawn(server.run(std::future::pending())),
        }
    }

    pub(crate) async fn client(&self) -> Client {
        Client::connect(&self.service, &self.at).await.unwrap()
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.dir.path().join("root")
    }

    pub(crate) fn port(&self) -> u16 {
        port(&self.at.to_string())
    }

    /// A file outside of the root.
    pub(crate) fn outside(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.dir.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    }
}

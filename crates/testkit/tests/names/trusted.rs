//! Which name a server of a service has to prove.

use socketry_names::Srv;
use socketry_quic::Quic;
use socketry_testkit::in_time;
use socketry_testkit::names::Known;
use socketry_tls::{Identity, Tls, Trust};
use socketry_transport::{ErrorKind, Listener, Registry};

/// A server over `scheme` with a certificate for `name`, and the end of a connect to the service of
/// `example.org` whose record has the host `server.example.net`.
async fn connected(scheme: &str, name: &str, query: &str) -> Result<(), ErrorKind> {
    let identity = Identity::made([name]).unwrap();
    let trust = Trust::authorities(identity.chains().into_iter().flatten()).unwrap();
    let tls = Tls::new().identity(identity).trust(trust);
    let mut server = registry(&tls, Known::default())
        .listen(&*format!("{scheme}://127.0.0.1:0"))
        .await
        .unwrap();
    let port = server.local().port().unwrap();
    let accepting = tokio::spawn(async move {
        let accepted = server.accept().await;
        drop(accepted);
        server
    });
    let known = Known::default()
        .host("server.example.net", ["127.0.0.1".parse().unwrap()])
        .service(
            "_chat._tcp.example.org",
            [(1, 1, port, "server.example.net.")],
        );
    let url = format!("{scheme}+srv://_chat._tcp.example.org{query}");
    let client = registry(&tls, known);
    let done = in_time("a connect", client.connect(&*url)).await;
    accepting.abort();
    done.map(drop).map_err(|error| error.kind())
}

fn registry(tls: &Tls, known: Known) -> Registry {
    let registry = tls
        .register(Registry::standard_with(known.clone()))
        .unwrap();
    let quic = Quic::new().tls(tls.clone()).resolver(known.clone());
    Srv::new(known).register(quic.register(registry))
}

/// RFC 9525, section 6.1, and RFC 6120, section 13.7.2.1: the domain that the user wrote. The host
/// came from the DNS, which anybody on the way can forge.
#[tokio::test]
async fn a_server_has_to_prove_the_domain_that_the_user_wrote() {
    for scheme in ["tls", "quic"] {
        assert_eq!(
            connected(scheme, "example.org", "").await,
            Ok(()),
            "{scheme}"
        );
        let of_the_host = connected(scheme, "server.example.net", "").await;
        assert_eq!(of_the_host, Err(ErrorKind::Untrusted), "{scheme}");
        let of_the_record = connected(scheme, "_chat._tcp.example.org", "").await;
        assert_eq!(of_the_record, Err(ErrorKind::Untrusted), "{scheme}");
    }
}

#[tokio::test]
async fn a_user_may_name_another() {
    let query = "?name=server.example.net";
    for scheme in ["tls", "quic"] {
        assert_eq!(connected(scheme, "server.example.net", query).await, Ok(()));
        let of_the_domain = connected(scheme, "example.org", query).await;
        assert_eq!(of_the_domain, Err(ErrorKind::Untrusted));
    }
}

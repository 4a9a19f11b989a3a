//! Options that do not fit.

use std::sync::Arc;

use socketry_tls::Tls;
use socketry_transport::Registry;

use super::has;

#[tokio::test]
async fn options_that_do_not_fit_are_refused_with_the_reason() {
    let registry = Tls::new().register(Registry::standard()).unwrap();
    let registry = Arc::new(registry);
    for (query, reason) in [
        ("pin=sha256:short", "64 hexadecimal digits"),
        ("pin=", "no value"),
        ("cert=/a", "as many files each"),
        ("identity=/a&cert=/b&key=/c", "exclude each other"),
        ("ca=/no/such/file", "/no/such/file"),
        ("clients=optional", "clients= is for listening"),
        ("key_log=maybe", "'false' or 'true'"),
        ("handshake_timeout=soon", "handshake_timeout"),
        ("name=..", "'..' is no name"),
        ("alpn=", "no value"),
    ] {
        let to = format!("tls://127.0.0.1:1?{query}");
        let error = registry.connect(to.as_str()).await.unwrap_err();
        has(&error.to_string(), &[reason]);
    }
    for (query, reason) in [
        ("", "needs a certificate"),
        ("name=x&identity=/nowhere", "name= is for connecting"),
        ("cert=/no/such&key=/no/such", "the certificate in /no/such"),
    ] {
        let at = format!("tls://127.0.0.1:0?{query}");
        let error = registry.listen(at.as_str()).await.unwrap_err();
        has(&error.to_string(), &[reason]);
    }
}

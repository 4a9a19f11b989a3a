//! Which web pages may talk to a server (RFC 6455, section 10.2).

use std::net::IpAddr;

use socketry_transport::Endpoint;

use crate::handshake::Request;

/// The origins whose pages a server lets in. A client that sends no `Origin` is no browser, and is
/// always let in: a program can send any origin that it likes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Origins {
    /// The page comes from the host and port that the browser connects to.
    #[default]
    SameHost,
    /// These, as browsers write them.
    Only(Vec<String>),
    Any,
}

impl Origins {
    pub(crate) fn of(list: impl IntoIterator<Item = String>) -> Self {
        let list: Vec<_> = list.into_iter().collect();
        match list.iter().any(|one| one == "*") {
            true => Origins::Any,
            false => Origins::Only(list),
        }
    }

    /// Words for the page's author if its origin is not let in at `local`.
    pub(crate) fn check(&self, request: &Request, local: &Endpoint) -> Result<(), String> {
        let mut all = request.headers.all("origin");
        let Some(origin) = all.next() else {
            return Ok(());
        };
        let shown = origin.escape_debug();
        if all.next().is_some() {
            return Err("the request has more than one Origin".to_owned());
        }
        match self {
            Origins::Any => Ok(()),
            Origins::Only(list) if list.iter().any(|one| one.eq_ignore_ascii_case(origin)) => {
                Ok(())
            }
            Origins::Only(_) => Err(format!("pages of {shown} may not talk to this server")),
            Origins::SameHost => {
                let host = request.headers.only("host").unwrap_or_default();
                if !is_same(origin, host) {
                    return Err(format!(
                        "pages of {shown} may not talk to this server ({}); origin=URL in the \
                         server's URL lets them in",
                        host.escape_debug()
                    ));
                }
                if is_rebound(host, local) {
                    return Err(format!(
                        "a page at the name {} may not talk to this machine's own address; \
                         origin={shown} in the server's URL lets it in",
                        host.escape_debug()
                    ));
                }
                Ok(())
            }
        }
    }
}

/// Whether `origin` has the host and port of the header `Host`.
fn is_same(origin: &str, host: &str) -> bool {
    let Some((scheme, authority)) = origin.split_once("://") else {
        return false;
    };
    let port = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => return false,
    };
    let plain = |text: &str| {
        let text = text.to_ascii_lowercase();
        text.strip_suffix(port).map_or(text.clone(), str::to_owned)
    };
    !authority.is_empty() && plain(authority) == plain(host)
}

/// Whether a name on the Internet is used for the loopback address of this machine: so does a page
/// whose author changes the address of its name behind the browser's back (DNS rebinding).
fn is_rebound(host: &str, local: &Endpoint) -> bool {
    let is_here = local
        .socket_addr()
        .is_some_and(|at| at.ip().to_canonical().is_loopback());
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let is_local = name == "localhost" || name.ends_with(".localhost");
    let is_address = name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
    is_here && !is_local && !is_address
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(origins: &Origins, host: &str, origin: Option<&str>, at: &str) -> bool {
        let mut request = Request::default();
        request.headers.set("Host", host);
        if let Some(origin) = origin {
            request.headers.set("Origin", origin);
        }
        origins.check(&request, &at.parse().unwrap()).is_ok()
    }

    #[test]
    fn by_default_a_page_talks_to_the_host_that_it_came_from() {
        let here = "ws://192.0.2.1:80";
        let same = |host, origin| check(&Origins::SameHost, host, origin, here);
        assert!(same("a.example", None));
        assert!(same("a.example", Some("http://a.example")));
        assert!(same("A.example:80", Some("http://a.example")));
        assert!(same("a.example:443", Some("https://a.example")));
        assert!(same("a.example:8080", Some("http://a.example:8080")));
        assert!(!same("a.example:8080", Some("http://a.example")));
        assert!(!same("a.example", Some("http://b.example")));
        assert!(!same("a.example", Some("http://a.example.b.example")));
        assert!(!same("a.example", Some("null")));
        assert!(!same("", Some("http://")));
        assert!(!same("a.example", Some("file://a.example")));
    }

    #[test]
    fn a_name_that_was_moved_to_this_machine_is_not_let_in() {
        for at in ["ws://127.0.0.1:80", "ws://[::1]:80"] {
            let same = |host: &str| {
                check(
                    &Origins::SameHost,
                    host,
                    Some(&format!("http://{host}")),
                    at,
                )
            };
            assert!(!same("evil.example") && !same("evil.example:8080"));
            assert!(same("localhost:8080") && same("127.0.0.1") && same("[::1]:8080"));
        }
    }

    #[test]
    fn a_list_lets_in_its_members_and_a_star_all() {
        let list = Origins::of(["https://a.example".to_owned()]);
        let at = "ws://127.0.0.1:80";
        assert!(check(&list, "x", Some("https://A.example"), at));
        assert!(!check(&list, "x", Some("http://a.example"), at));
        assert!(!check(&list, "x", Some("http://x"), at));
        assert!(check(&list, "x", None, at));
        assert!(check(&Origins::of(["*".to_owned()]), "x", Some("null"), at));
    }
}

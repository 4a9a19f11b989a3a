//! A request as it came.

use super::headers::Headers;

/// The head of a request: what a server decides by, wherever it was parsed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Path and query, as they are written. Where they stood in a whole URL, its host is the header
    /// `Host`.
    pub(crate) target: String,
    /// Whether it is HTTP/1.1.
    pub(crate) modern: bool,
    pub(crate) headers: Headers,
}

impl Request {
    pub(crate) fn parse(head: &[u8]) -> Result<Self, httparse::Error> {
        let mut headers = [httparse::EMPTY_HEADER; super::head::HEADERS_MAX];
        let mut request = httparse::Request::new(&mut headers);
        let _ = request.parse(head)?;
        let parsed = Request {
            method: request.method.unwrap_or_default().to_owned(),
            target: request.path.unwrap_or_default().to_owned(),
            modern: request.version == Some(1),
            headers: Headers::of(request.headers.iter().map(|one| (one.name, one.value))),
        };
        Ok(parsed.in_origin_form())
    }

    /// Takes a target apart that is a whole URL: a client of a proxy sends it, and the proxy may
    /// pass it on (RFC 9112, section 3.2.2).
    pub(crate) fn in_origin_form(mut self) -> Self {
        if self.target.starts_with('/') {
            return self;
        }
        let Some((_, rest)) = self.target.split_once("://") else {
            return self;
        };
        let (host, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let slash = if path.starts_with('/') { "" } else { "/" };
        let (host, target) = (host.to_owned(), format!("{slash}{path}"));
        self.headers.set("Host", host);
        self.target = target;
        self
    }

    /// Whether it asks for another protocol.
    pub(crate) fn asks_upgrade(&self) -> bool {
        self.headers.lists("upgrade", "websocket")
    }

    /// The path, as it is written.
    pub(crate) fn path(&self) -> &str {
        self.target.split(['?', '#']).next().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_that_is_a_whole_url_has_its_host_and_its_path_taken_apart() {
        for (target, host, path) in [
            ("/a?b=://c", "header", "/a?b=://c"),
            ("*", "header", "*"),
            ("ws://url:8000/a?b", "url:8000", "/a?b"),
            ("http://url", "url", "/"),
            ("http://url?b=/", "url", "/?b=/"),
        ] {
            let request = format!("GET {target} HTTP/1.1\r\nhost: header\r\n\r\n");
            let request = Request::parse(request.as_bytes()).unwrap();
            let found = (request.headers.only("host"), &*request.target);
            assert_eq!(found, (Some(host), path), "{target}");
        }
    }
}
